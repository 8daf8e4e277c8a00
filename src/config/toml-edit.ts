import { isDeepStrictEqual } from 'node:util'
import { parse } from 'smol-toml'
import { isObject, type Json, type JsonObject } from '../base/index.ts'
import { inlineToml, keyToml, scanToml, type TomlPair, type TomlStatement } from './toml-text.ts'

export interface TomlEdit {
  readonly path: readonly string[]
  /** Null takes the value away. */
  readonly value: Json
  /** Whether a table is merged into the one that is there, instead of taking its place. */
  readonly isMerged: boolean
}

/** Why a text cannot be changed as asked. */
export class TomlEditError extends Error {
  override readonly name = 'TomlEditError'
}

const NO_TABLE = 'cannot set value on non-table parent'

/**
 * The text with one value changed; all else, comments and order included, stays as it is. What
 * comes out is parsed again and says what it should. Throws `TomlEditError`.
 */
export function editToml(text: string, edit: TomlEdit): string {
  const wanted = editTable(parse(text) as JsonObject, edit)
  const edited = editText(text, edit)
  if (says(edited, wanted)) return edited
  throw new TomlEditError(`cannot write ${edit.path.map(keyToml).join('.')} into this file`)
}

/** The same change to the parsed table. */
export function editTable(table: JsonObject, { path, value, isMerged }: TomlEdit): JsonObject {
  const [key = '', ...rest] = path
  const below = table[key]
  if (rest.length > 0) {
    if (below !== undefined && !isObject(below)) throw new TomlEditError(NO_TABLE)
    if (below === undefined && value === null) return table
    return { ...table, [key]: editTable(below ?? {}, { path: rest, value, isMerged }) }
  }
  if (value === null) {
    const { [key]: _, ...others } = table
    return others
  }
  const isBoth = isMerged && isObject(below) && isObject(value)
  return { ...table, [key]: isBoth ? mergeInto(below, value) : value }
}

function mergeInto(below: JsonObject, over: JsonObject): JsonObject {
  return Object.entries(over).reduce((table, [key, value]) => {
    return editTable(table, { path: [key], value: value ?? null, isMerged: true })
  }, below)
}

function editText(text: string, edit: TomlEdit): string {
  const { path, value, isMerged } = edit
  const holder = scanToml(text).find((each): each is TomlPair => {
    return each.kind === 'pair' && !each.isInList && startsWith(path, each.path)
  })
  if (holder) return editHolder(text, holder, edit)
  const current = valueAt(parse(text) as JsonObject, path)
  if (isObject(value) && isObject(current)) return editBelow(text, path, current, value, isMerged)
  const cleared = current === undefined ? text : removeAll(text, path)
  if (value === null) return cleared
  return isObject(value) ? appendTable(cleared, path, value) : insert(cleared, path, value)
}

/** The value, or a table on one line that it is in, is written anew. */
function editHolder(text: string, holder: TomlPair, edit: TomlEdit): string {
  const raw = text.slice(holder.valueStart, holder.valueEnd)
  const path = ['value', ...edit.path.slice(holder.path.length)]
  const { value } = editTable(parse(`value = ${raw}`) as JsonObject, { ...edit, path })
  if (value === undefined) return text.slice(0, holder.start) + text.slice(holder.end)
  return text.slice(0, holder.valueStart) + inlineToml(value) + text.slice(holder.valueEnd)
}

/** Key by key: what stays keeps its place and its comments. */
function editBelow(
  text: string,
  path: readonly string[],
  current: JsonObject,
  value: JsonObject,
  isMerged: boolean,
): string {
  const gone = isMerged ? [] : Object.keys(current).filter((key) => value[key] === undefined)
  const changed = Object.entries(value).filter(([key, each]) => {
    return !isDeepStrictEqual(plain(current[key]), plain(each))
  })
  const edits = [...gone.map((key) => [key, null] as const), ...changed]
  return edits.reduce((edited, [key, each]) => {
    return editText(edited, { path: [...path, key], value: each ?? null, isMerged })
  }, text)
}

/** Without all that is said at the path and below it. */
function removeAll(text: string, path: readonly string[]): string {
  const doomed = scanToml(text).filter((each) => startsWith(each.path, path))
  return doomed.reduceRight((left, { kind, start, end }) => {
    const from = kind === 'header' ? start - blankLinesBefore(left, start) : start
    return left.slice(0, from) + left.slice(end)
  }, text)
}

/** A value that is no table, where nothing is yet: the first place that TOML allows. */
function insert(text: string, path: readonly string[], value: Json): string {
  const wanted = editTable(parse(text) as JsonObject, { path, value, isMerged: false })
  const table = path.slice(0, -1)
  const places = placesFor(text, path, value)
  if (table.length > 0) {
    // Rather a table of its own than a long name in one above it.
    places.splice(1, 0, appendTable(text, table, { [path.at(-1) ?? '']: value }))
  }
  return places.find((edited) => says(edited, wanted)) ?? text
}

/** Behind the last value of the table, then of those above it under a longer name. */
function placesFor(text: string, path: readonly string[], value: Json): string[] {
  const statements = scanToml(text).filter(({ isInList }) => !isInList)
  return path.map((_, above) => {
    const depth = path.length - 1 - above
    const table = path.slice(0, depth)
    const line = `${path.slice(depth).map(keyToml).join('.')} = ${inlineToml(value)}\n`
    const last = statements.findLast((each) => isOwnedBy(each, table))
    if (last) return putLine(text, last.end, line)
    return depth === 0 ? putFirst(text, statements[0], line) : text
  })
}

function isOwnedBy(each: TomlStatement, table: readonly string[]): boolean {
  const owner = each.kind === 'header' ? each.path : each.path.slice(0, each.tableDepth)
  return owner.length === table.length && startsWith(owner, table)
}

/** Values of the root stand before the first table, and before what is said about that. */
function putFirst(text: string, first: TomlStatement | undefined, line: string): string {
  if (!first) return putLine(text, text.length, line)
  const before = text.slice(0, first.start)
  const at = first.start - (/(?:(?<![^\n])[ \t]*#[^\n]*\n)*$/.exec(before)?.[0].length ?? 0)
  return `${text.slice(0, at)}${line}\n${text.slice(at)}`
}

function appendTable(text: string, path: readonly string[], value: JsonObject): string {
  const entries = Object.entries(value)
  const lines = entries.flatMap(([key, each]) => {
    return each === undefined || isObject(each) ? [] : [`${keyToml(key)} = ${inlineToml(each)}\n`]
  })
  const tables = entries.flatMap(([key, each]) => (isObject(each) ? [[key, each] as const] : []))
  const header = `[${path.map(keyToml).join('.')}]\n`
  const isNeeded = lines.length > 0 || tables.length === 0
  const gap = text.trim() === '' ? '' : '\n'
  const own = isNeeded ? putLine(text, text.length, `${gap}${header}${lines.join('')}`) : text
  return tables.reduce((edited, [key, each]) => appendTable(edited, [...path, key], each), own)
}

/** The line before may be the last of a file and lack its end. */
function putLine(text: string, at: number, line: string): string {
  const before = text.slice(0, at)
  const end = before === '' || before.endsWith('\n') ? '' : '\n'
  return `${before}${end}${line}${text.slice(at)}`
}

function blankLinesBefore(text: string, at: number): number {
  return /(?:(?<![^\n])[ \t]*\r?\n)*$/.exec(text.slice(0, at))?.[0].length ?? 0
}

function startsWith(path: readonly string[], start: readonly string[]): boolean {
  return start.length <= path.length && start.every((key, index) => path[index] === key)
}

function valueAt(table: JsonObject, path: readonly string[]): Json | undefined {
  return path.reduce<Json | undefined>((value, key) => {
    if (value === undefined) return undefined
    if (!isObject(value)) throw new TomlEditError(NO_TABLE)
    return Object.hasOwn(value, key) ? value[key] : undefined
  }, table)
}

/** Tables with nothing in them count as not there: not every way to write one can be emptied. */
function says(text: string, wanted: JsonObject): boolean {
  try {
    return isDeepStrictEqual(pruned(plain(parse(text))), pruned(plain(wanted)))
  } catch {
    // No TOML any more: this way of writing it is none.
    return false
  }
}

/** Dates as texts, objects without a past. */
function plain(value: unknown): Json {
  return value === undefined ? null : (JSON.parse(JSON.stringify(value)) as Json)
}

function pruned(value: Json): Json {
  if (!isObject(value)) return value
  const entries = Object.entries(value).map(([key, each]) => [key, pruned(each ?? null)] as const)
  const isEmpty = (each: Json) => isObject(each) && Object.keys(each).length === 0
  return Object.fromEntries(entries.filter(([, each]) => !isEmpty(each)))
}
