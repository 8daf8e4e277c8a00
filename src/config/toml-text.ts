/** Where the statements of a TOML text stand. The text is known to be valid. */
import { assert, isObject, type Json } from '../base/index.ts'

export interface TomlPair {
  readonly kind: 'pair'
  /** From the root, the table's own path included. */
  readonly path: readonly string[]
  /** How much of the path the table's header names. */
  readonly tableDepth: number
  /** In a list of tables: not to be reached by a path. */
  readonly isInList: boolean
  readonly start: number
  readonly valueStart: number
  readonly valueEnd: number
  /** Behind the line's end. */
  readonly end: number
}

export interface TomlHeader {
  readonly kind: 'header'
  readonly path: readonly string[]
  readonly isInList: boolean
  readonly start: number
  readonly end: number
}

export type TomlStatement = TomlPair | TomlHeader

/** The statements in their order. */
export function scanToml(text: string): TomlStatement[] {
  const statements: TomlStatement[] = []
  const lists: string[] = []
  let table: readonly string[] = []
  let isInList = false
  let at = text.startsWith('\uFEFF') ? 1 : 0
  for (;;) {
    at = skipBlank(text, at)
    if (at >= text.length) return statements
    const start = at
    if (text[at] === '[') {
      const isList = text[at + 1] === '['
      const { path, end } = readKeyPath(text, at + (isList ? 2 : 1))
      table = path
      if (isList) lists.push(JSON.stringify(path))
      isInList = path.some((_, size) => lists.includes(JSON.stringify(path.slice(0, size + 1))))
      at = lineEnd(text, end)
      statements.push({ kind: 'header', path, isInList, start, end: at })
      continue
    }
    const { path: key, end: keyEnd } = readKeyPath(text, at)
    assert(text[keyEnd] === '=', 'a key is followed by its value')
    const valueStart = skipSpace(text, keyEnd + 1)
    const valueEnd = endOfValue(text, valueStart)
    at = lineEnd(text, valueEnd)
    const path = [...table, ...key]
    const tableDepth = table.length
    statements.push({
      kind: 'pair',
      path,
      tableDepth,
      isInList,
      start,
      valueStart,
      valueEnd,
      end: at,
    })
  }
}

/** A value on one line. Null has no TOML. */
export function inlineToml(value: Json): string {
  // The parser's dates are no JSON, and know how they were written.
  if ((value as unknown) instanceof Date) return (value as unknown as Date).toISOString()
  if (Array.isArray(value)) return `[${value.map(inlineToml).join(', ')}]`
  if (isObject(value)) {
    const pairs = Object.entries(value).map(([key, each]) => `${keyToml(key)} = ${inlineOf(each)}`)
    return pairs.length === 0 ? '{}' : `{ ${pairs.join(', ')} }`
  }
  assert(value !== null, 'null is refused before it is written')
  return typeof value === 'string' ? stringToml(value) : String(value)
}

export function keyToml(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : stringToml(key)
}

function inlineOf(value: Json | undefined): string {
  assert(value !== undefined, 'a value of JSON is never undefined')
  return inlineToml(value)
}

/** JSON escapes what TOML wants escaped, but for one character. */
function stringToml(text: string): string {
  return JSON.stringify(text).replaceAll('\x7f', '\\u007f')
}

function skipSpace(text: string, from: number): number {
  let at = from
  while (text[at] === ' ' || text[at] === '\t') at += 1
  return at
}

/** Behind spaces, comments and line ends. */
function skipBlank(text: string, from: number): number {
  let at = from
  for (;;) {
    const char = text[at]
    if (char === '#') at = lineEnd(text, at)
    else if (char === ' ' || char === '\t' || char === '\n' || char === '\r') at += 1
    else return at
  }
}

/** Behind the end of the line. */
function lineEnd(text: string, from: number): number {
  const at = text.indexOf('\n', from)
  return at === -1 ? text.length : at + 1
}

/** A dotted key; `end` is at what follows it, spaces left out. */
function readKeyPath(text: string, from: number): { path: string[]; end: number } {
  const path: string[] = []
  let at = from
  for (;;) {
    at = skipSpace(text, at)
    const quote = text[at]
    if (quote === '"' || quote === "'") {
      const end = endOfString(text, at)
      const raw = text.slice(at, end)
      path.push(quote === '"' ? unescaped(raw) : raw.slice(1, -1))
      at = end
    } else {
      const bare = /[A-Za-z0-9_-]*/y
      bare.lastIndex = at
      const word = bare.exec(text)?.[0] ?? ''
      path.push(word)
      at += word.length
    }
    at = skipSpace(text, at)
    if (text[at] !== '.') return { path, end: at }
    at += 1
  }
}

function unescaped(quoted: string): string {
  const json = quoted
    .replace(/\\U([0-9A-Fa-f]{8})/g, (_, hex: string) =>
      String.fromCodePoint(Number.parseInt(hex, 16)),
    )
    .replace(/\\e/g, '\\u001b')
    .replaceAll('\t', '\\t')
  return JSON.parse(json) as string
}

function endOfString(text: string, from: number): number {
  const quote = text[from] ?? ''
  const isLong = text.startsWith(quote.repeat(3), from)
  const close = isLong ? quote.repeat(3) : quote
  let at = from + close.length
  while (at < text.length && !text.startsWith(close, at)) {
    at += quote === '"' && text[at] === '\\' ? 2 : 1
  }
  at += close.length
  // Up to two more quotes before the closing ones belong to the text.
  while (isLong && text[at] === quote) at += 1
  return at
}

function endOfValue(text: string, from: number): number {
  let depth = 0
  let at = from
  let end = from
  while (at < text.length) {
    const char = text[at] ?? ''
    if (char === '"' || char === "'") {
      at = endOfString(text, at)
      end = at
      continue
    }
    if (char === '#') {
      if (depth === 0) return end
      at = lineEnd(text, at)
      continue
    }
    if (char === '\n' && depth === 0) return end
    if (char === '[' || char === '{') depth += 1
    if (char === ']' || char === '}') depth -= 1
    at += 1
    if (!/\s/.test(char)) end = at
  }
  return end
}
