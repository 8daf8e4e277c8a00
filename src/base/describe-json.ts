import type { Json } from './json.ts'
import { formatRustFloat, quoteRustString } from './rust-text.ts'

/** What serde, in whose words Codex complains, calls a value: ``integer `5` ``, `map`. */
export function describeJson(value: Json): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'sequence'
  switch (typeof value) {
    case 'string':
      return `string ${quoteRustString(value)}`
    case 'boolean':
      return `boolean \`${value}\``
    case 'number':
      return Number.isSafeInteger(value)
        ? `integer \`${value}\``
        : `floating point \`${formatRustFloat(value)}\``
    default:
      return 'map'
  }
}
