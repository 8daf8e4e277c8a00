import {
  isDeeperThan,
  isObject,
  type Json,
  type JsonObject,
  objectAt,
  stringAt,
} from '../base/index.ts'
import {
  parseResponseItem,
  type ResponseItem,
  type RolloutItem,
  type RolloutLine,
  type StoredEvent,
} from '../protocol/index.ts'
import {
  EVENT_DEFAULTS,
  EVENT_FIELDS,
  entryOf,
  invalidField,
  isOfKind,
  META_EXTRAS,
  META_FIELDS,
  TURN_CONTEXT_FIELDS,
} from './rollout-fields.ts'

/** Older names of the same events. */
const ALIASES: { readonly [type: string]: string } = {
  turn_started: 'task_started',
  turn_complete: 'task_complete',
}

export type DecodedLine =
  | { readonly ok: true; readonly line: RolloutLine }
  /** `reason` completes the sentence "this line …". */
  | { readonly ok: false; readonly reason: string }

/** Real Codex reads no deeper, and the stack of whoever walks or writes a value has an end. */
const MOST_LEVELS = 128

/** Walking a value costs more than parsing it: only one with that many brackets can be so deep. */
function isTooDeep(text: string, value: unknown): boolean {
  const mayBe = hasMoreThan(MOST_LEVELS / 2, '{', text) || hasMoreThan(MOST_LEVELS / 2, '[', text)
  return mayBe && isDeeperThan(MOST_LEVELS, value)
}

function hasMoreThan(most: number, character: string, text: string): boolean {
  let count = 0
  for (let at = text.indexOf(character); at !== -1; at = text.indexOf(character, at + 1)) {
    count += 1
    if (count > most) return true
  }
  return false
}

const KNOWN_TYPES = ['session_meta', 'response_item', 'event_msg', 'turn_context', 'compacted']

/**
 * One line of a rollout, leniently: unknown fields are kept, lines and events of newer versions
 * become `unknown`, and only a line that cannot be what it claims is refused.
 */
export function decodeLine(text: string): DecodedLine {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { ok: false, reason: 'is not JSON' }
  }
  if (!isObject(value)) return { ok: false, reason: 'is not a JSON object' }
  if (isTooDeep(text, value)) return { ok: false, reason: 'is nested too deeply' }
  const timestamp = stringAt(value, 'timestamp')
  const type = stringAt(value, 'type')
  if (timestamp === undefined || type === undefined) {
    return { ok: false, reason: 'has no timestamp or type' }
  }
  const payload = objectAt(value, 'payload')
  if (!payload || !KNOWN_TYPES.includes(type)) {
    if (KNOWN_TYPES.includes(type)) return { ok: false, reason: `is a ${type} without payload` }
    return { ok: true, line: { timestamp, item: { type: 'unknown', payload: value } } }
  }
  const item = decodeItem(type, payload, value)
  return typeof item === 'string'
    ? { ok: false, reason: item }
    : { ok: true, line: { timestamp, item } }
}

/** The item, or why it is none. */
function decodeItem(type: string, payload: JsonObject, line: JsonObject): RolloutItem | string {
  switch (type) {
    case 'session_meta':
      return checked(type, withoutInvalid(payload), META_FIELDS)
    case 'turn_context':
      payload.summary ??= 'auto'
      return checked(type, payload, TURN_CONTEXT_FIELDS)
    case 'compacted':
      return decodeCompacted(payload)
    case 'event_msg':
      return decodeEvent(payload, line)
    default: {
      const item = parseResponseItem(payload)
      if (!item) return `is a damaged ${stringAt(payload, 'type') ?? 'response item'}`
      if (item.type === 'other') return { type: 'unknown', payload: line }
      return { type: 'response_item', payload: item }
    }
  }
}

function checked(
  type: string,
  payload: JsonObject,
  fields: typeof META_FIELDS,
): RolloutItem | string {
  const invalid = invalidField(payload, fields)
  if (invalid !== undefined) return `is a ${type} without a valid ${invalid}`
  return { type, payload } as unknown as RolloutItem
}

function withoutInvalid(header: JsonObject): JsonObject {
  const kept = Object.entries(header).filter(([field, value]) => {
    const kind = entryOf(META_EXTRAS, field)
    return kind === undefined || isOfKind(kind, value)
  })
  const rest = Object.fromEntries(kept)
  return { ...rest, source: rest.source ?? 'vscode' }
}

function decodeEvent(payload: JsonObject, line: JsonObject): RolloutItem | string {
  const given = stringAt(payload, 'type')
  if (given === undefined) return 'is an event without type'
  const type = entryOf(ALIASES, given) ?? given
  const fields = entryOf(EVENT_FIELDS, type)
  if (!fields) return { type: 'unknown', payload: line }
  const invalid = invalidField(payload, fields)
  if (invalid !== undefined) return `is a ${type} without a valid ${invalid}`
  // The line was parsed for us alone: there is nobody to be surprised.
  payload.type = type
  const defaults = entryOf(EVENT_DEFAULTS, type)
  for (const field in defaults) {
    const value = defaults[field]
    // The lists are empty, but whoever reads a line may fill his own.
    payload[field] ??= Array.isArray(value) ? [...value] : value
  }
  return { type: 'event_msg', payload: payload as unknown as StoredEvent }
}

function decodeCompacted(payload: JsonObject): RolloutItem | string {
  const message = stringAt(payload, 'message')
  if (message === undefined) return 'is a compaction without message'
  const { replacement_history: list, ...rest } = payload
  if (!Array.isArray(list)) return { type: 'compacted', payload: { ...rest, message } }
  const replacement_history = list
    .map((each: Json) => (isObject(each) ? parseResponseItem(each) : undefined))
    .filter((each): each is ResponseItem => each !== undefined && each.type !== 'other')
  return { type: 'compacted', payload: { ...rest, message, replacement_history } }
}

/** The line of an item, with its newline. Key order as real Codex writes it. */
export function encodeLine(line: RolloutLine): string {
  const { timestamp, item } = line
  if (item.type === 'unknown') return `${JSON.stringify({ ...item.payload, timestamp })}\n`
  return `${JSON.stringify({ timestamp, type: item.type, payload: item.payload })}\n`
}
