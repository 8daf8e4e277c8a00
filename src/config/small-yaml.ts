/** As much of YAML as the heads of skills are written in: maps of texts, by indentation. */

export interface YamlMap {
  readonly [key: string]: YamlMap | string
}

/** Why a text is none of it. */
export class YamlError extends Error {
  override readonly name = 'YamlError'
}

interface Line {
  readonly indent: number
  readonly text: string
  /** From 1. */
  readonly number: number
}

/** The map; lists in it are read as the texts that they are written with. Throws `YamlError`. */
export function parseYamlMap(text: string): YamlMap {
  const lines = text.split(/\r?\n/).map((line, index): Line => {
    const rest = line.trimStart()
    return { indent: line.length - rest.length, text: rest.trimEnd(), number: index + 1 }
  })
  const { map, next } = readMap(lines, 0, 0)
  const left = lines.slice(next).find((line) => !isBlank(line))
  if (left) throw new YamlError(`did not find expected key at line ${left.number} column 1`)
  return map
}

const KEY = /^("(?:[^"\\]|\\.)*"|'[^']*'|[^\s#:][^:#]*?)\s*:(?:\s+(.*))?$/

function readMap(
  lines: readonly Line[],
  from: number,
  least: number,
): { readonly map: YamlMap; readonly next: number } {
  const map: { [key: string]: YamlMap | string } = Object.create(null)
  let at = from
  let indent: number | undefined
  for (;;) {
    while (at < lines.length && isBlank(lines[at])) at += 1
    const line = lines[at]
    if (!line || line.indent < least || (indent !== undefined && line.indent !== indent)) {
      return { map, next: at }
    }
    indent = line.indent
    const match = KEY.exec(line.text)
    if (!match) return { map, next: at }
    const [, key = '', rest = ''] = match
    const value = rest.replace(/(^|\s)#.*$/, (comment) => (isQuoted(rest) ? comment : '')).trim()
    const read = readValue(lines, at, value, line.text.length - rest.length)
    map[unquoted(key)] = read.value
    at = read.next
  }
}

function readValue(
  lines: readonly Line[],
  at: number,
  value: string,
  column: number,
): { readonly value: YamlMap | string; readonly next: number } {
  const line = lines[at]
  const indent = line?.indent ?? 0
  const style = /^([|>])[-+]?\d?$/.exec(value)?.[1]
  if (style) return readBlock(lines, at + 1, indent, style === '|' ? '\n' : ' ')
  if (value !== '') {
    const colon = isQuoted(value) ? -1 : value.search(/:(\s|$)/)
    if (colon !== -1 && line) {
      const where = `line ${line.number} column ${indent + column + colon + 1}`
      throw new YamlError(`mapping values are not allowed in this context at ${where}`)
    }
    const more = isQuoted(value) ? [] : continued(lines, at + 1, indent)
    return { value: [unquoted(value), ...more].join(' '), next: at + 1 + more.length }
  }
  const next = lines.findIndex((each, index) => index > at && !isBlank(each))
  const below = lines[next]
  if (!below || below.indent <= indent) return { value: '', next: at + 1 }
  if (!KEY.test(below.text)) return readBlock(lines, at + 1, indent, ' ')
  const { map, next: end } = readMap(lines, next, indent + 1)
  return { value: map, next: end }
}

function readBlock(lines: readonly Line[], from: number, indent: number, glue: string) {
  let end = from
  while (end < lines.length && (isBlank(lines[end]) || (lines[end]?.indent ?? 0) > indent)) end += 1
  const texts = lines.slice(from, end).map(({ text }) => text)
  return { value: texts.join(glue).trim(), next: end }
}

/** Further lines of a text that is not quoted. */
function continued(lines: readonly Line[], from: number, indent: number): string[] {
  const end = lines.findIndex((line, at) => at >= from && (isBlank(line) || line.indent <= indent))
  return lines.slice(from, end === -1 ? undefined : end).map(({ text }) => text)
}

function isBlank(line: Line | undefined): boolean {
  return line !== undefined && (line.text === '' || line.text.startsWith('#'))
}

function isQuoted(text: string): boolean {
  return text.startsWith('"') || text.startsWith("'")
}

function unquoted(text: string): string {
  if (text.startsWith("'") && text.endsWith("'")) return text.slice(1, -1).replaceAll("''", "'")
  if (!text.startsWith('"') || !text.endsWith('"')) return text
  try {
    return JSON.parse(text) as string
  } catch {
    // An escape that JSON does not know: shown as it is written.
    return text.slice(1, -1)
  }
}
