import { describeNumber, END_OF_VALUE, endOf, JsonReader } from './json-reader.ts'

type IntegerType = 'u64' | 'usize' | 'i32'

/**
 * A field of a tool's arguments. `optional` takes null for absent, `default` refuses null; both may
 * be missing. Unknown fields are ignored, a known one may come once.
 */
export interface Field {
  readonly type: 'string' | 'boolean' | 'string[]' | IntegerType | readonly string[] | Structs
  readonly presence: 'required' | 'optional' | 'default'
}

/** A list of objects; `struct` is Codex's name for one. */
interface Structs {
  readonly struct: string
  readonly fields: Fields
}

export type Fields = { readonly [name: string]: Field }

type ValueOf<T extends Field['type']> = T extends readonly (infer Variant)[]
  ? Variant
  : T extends 'string'
    ? string
    : T extends { readonly fields: infer F extends Fields }
      ? ArgumentValues<F>[]
      : T extends 'boolean'
        ? boolean
        : T extends 'string[]'
          ? string[]
          : number

export type ArgumentValues<F extends Fields> = {
  [K in keyof F as F[K]['presence'] extends 'required' ? K : never]: ValueOf<F[K]['type']>
} & {
  [K in keyof F as F[K]['presence'] extends 'required' ? never : K]?: ValueOf<F[K]['type']>
}

const RANGES: Record<IntegerType, readonly [bigint, bigint]> = {
  u64: [0n, 2n ** 64n - 1n],
  usize: [0n, 2n ** 64n - 1n],
  i32: [-(2n ** 31n), 2n ** 31n - 1n],
}

/**
 * Parses the JSON arguments of a tool call. Throws `ArgumentsError` with the text Codex answers;
 * `structName` is its name for the whole, which only an argument that is no object shows.
 */
export function readArguments<const F extends Fields>(
  text: string,
  structName: string,
  fields: F,
): ArgumentValues<F> {
  const reader = new JsonReader(text)
  const values = readStruct(reader, structName, fields)
  reader.expectEnd()
  return values as ArgumentValues<F>
}

function readStruct(reader: JsonReader, structName: string, fields: Fields): object {
  if (!reader.accept('{')) reader.failType(`struct ${structName}`)
  const values = new Map<string, unknown>()
  for (let isFirst = true; hasNextKey(reader, isFirst); isFirst = false) {
    const name = reader.readString()
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined
    if (field && values.has(name)) reader.fail(`duplicate field \`${name}\``)
    reader.readColon()
    if (field) values.set(name, readField(reader, field))
    else reader.skipValue()
  }
  for (const [name, field] of Object.entries(fields)) {
    if (field.presence === 'required' && !values.has(name)) {
      reader.fail(`missing field \`${name}\``)
    }
    if (values.get(name) === undefined) values.delete(name)
  }
  return Object.fromEntries(values)
}

function hasNextKey(reader: JsonReader, isFirst: boolean): boolean {
  if (reader.accept('}')) return false
  if (isFirst) {
    if (reader.peek() !== '"') reader.failExpecting(endOf('{'), 'key must be a string')
    return true
  }
  if (!reader.accept(',')) reader.failExpecting(endOf('{'), 'expected `,` or `}`')
  if (reader.peek() === '}') reader.failAhead('trailing comma')
  if (reader.peek() !== '"') reader.failExpecting(END_OF_VALUE, 'key must be a string')
  return true
}

function readField(reader: JsonReader, field: Field): unknown {
  if (field.presence === 'optional' && reader.peek() === 'n') {
    reader.readWord('null')
    return undefined
  }
  switch (field.type) {
    case 'string':
      return readString(reader)
    case 'boolean':
      return readBoolean(reader)
    case 'string[]':
      return readList(reader, readString)
    case 'u64':
    case 'usize':
    case 'i32':
      return readInteger(reader, field.type)
    default: {
      const { type } = field
      if (!('struct' in type)) return readVariant(reader, type)
      return readList(reader, (each) => readStruct(each, type.struct, type.fields))
    }
  }
}

function readString(reader: JsonReader): string {
  return reader.peek() === '"' ? reader.readString() : reader.failType('a string')
}

function readBoolean(reader: JsonReader): boolean {
  const next = reader.peek()
  if (next !== 't' && next !== 'f') reader.failType('a boolean')
  reader.readWord(next === 't' ? 'true' : 'false')
  return next === 't'
}

function readList<T>(reader: JsonReader, readItem: (reader: JsonReader) => T): T[] {
  if (!reader.accept('[')) reader.failType('a sequence')
  const items: T[] = []
  while (!reader.accept(']')) {
    if (items.length > 0 && !reader.accept(',')) {
      reader.failExpecting(endOf('['), 'expected `,` or `]`')
    }
    if (reader.peek() === ']') reader.failAhead('trailing comma')
    if (reader.peek() === '') reader.fail(items.length > 0 ? END_OF_VALUE : endOf('['))
    items.push(readItem(reader))
  }
  return items
}

function readInteger(reader: JsonReader, type: IntegerType): number {
  if (!/[-\d]/.test(reader.peek())) reader.failType(type)
  const number = reader.readNumber()
  if (number.kind === 'float') {
    reader.fail(`invalid type: ${describeNumber(number)}, expected ${type}`)
  }
  const [least, most] = RANGES[type]
  if (number.value < least || number.value > most) {
    reader.fail(`invalid value: ${describeNumber(number)}, expected ${type}`)
  }
  return Number(number.value)
}

function readVariant(reader: JsonReader, variants: readonly string[]): string {
  if (reader.peek() !== '"') reader.failExpecting(END_OF_VALUE, 'expected value')
  const name = reader.readString()
  if (variants.includes(name)) return name
  const known = variants.map((variant) => `\`${variant}\``).join(', ')
  return reader.fail(`unknown variant \`${name}\`, expected one of ${known}`)
}
