import type { Json } from '../../base/index.ts'
import { describeNumber } from './exec/json-reader.ts'
import { quoteRustString } from './exec/rust-text.ts'

/** What serde calls a value that it did not expect: ``integer `5` ``, `map`. */
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
        ? describeNumber({ kind: 'integer', value: BigInt(value) })
        : describeNumber({ kind: 'float', value })
    default:
      return 'map'
  }
}
