const NAMED_ESCAPES: Record<string, string> = {
  '"': '\\"',
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\0': '\\0',
}

/** A string as Rust's `{:?}` prints it, which is how Codex quotes inside its failure texts. */
export function quoteRustString(text: string): string {
  const escaped = text.replace(/["\\]|[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu, (char) => {
    return NAMED_ESCAPES[char] ?? `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`
  })
  return `"${escaped}"`
}

/** A float as serde names it: `5.5`, `1000.0`, `1e+23`. */
export function formatRustFloat(value: number): string {
  if (Object.is(value, -0)) return '-0.0'
  const size = Math.abs(value)
  if (size >= 1e16 || (size !== 0 && size < 1e-5)) return value.toExponential()
  return Number.isInteger(value) ? `${value}.0` : String(value)
}
