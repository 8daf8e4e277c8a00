import { isObject, type Json, type JsonObject, objectAt, stringAt } from '../base/index.ts'
import {
  OTHER_EVENT_TYPES,
  parseResponseItem,
  type ResponseItem,
  type RolloutItem,
  type RolloutLine,
} from '../protocol/index.ts'

type FieldKind = 'string' | 'number' | 'array' | 'object' | 'boolean' | 'present'
type Fields = { readonly [field: string]: FieldKind }

const META_FIELDS: Fields = {
  id: 'string',
  timestamp: 'string',
  cwd: 'string',
  originator: 'string',
  cli_version: 'string',
}

const TURN_CONTEXT_FIELDS: Fields = {
  cwd: 'string',
  approval_policy: 'present',
  sandbox_policy: 'object',
  model: 'string',
}

const ID_ONLY: Fields = { call_id: 'string' }

/** What an event cannot do without. Source: `reference/rollout-and-thread-store.md` B.4. */
const EVENT_FIELDS: { readonly [type: string]: Fields } = {
  task_started: { turn_id: 'string' },
  task_complete: { turn_id: 'string' },
  turn_aborted: { reason: 'string' },
  user_message: { message: 'string' },
  agent_message: { message: 'string' },
  agent_reasoning: { text: 'string' },
  agent_reasoning_raw_content: { text: 'string' },
  token_count: {},
  context_compacted: {},
  thread_rolled_back: { num_turns: 'number' },
  patch_apply_end: { ...ID_ONLY, success: 'boolean', changes: 'object' },
  exec_command_end: {
    ...ID_ONLY,
    command: 'array',
    cwd: 'string',
    exit_code: 'number',
    duration: 'object',
  },
  web_search_end: { ...ID_ONLY, query: 'string', action: 'object' },
  error: { message: 'string' },
  ...Object.fromEntries(OTHER_EVENT_TYPES.map((type) => [type, {}])),
}

const EVENT_DEFAULTS: { readonly [type: string]: JsonObject } = {
  task_started: { model_context_window: null, collaboration_mode_kind: 'default' },
  task_complete: { last_agent_message: null },
  user_message: { local_images: [], text_elements: [] },
  agent_message: { phase: null, memory_citation: null },
  token_count: { info: null, rate_limits: null },
  patch_apply_end: { turn_id: '', stdout: '', stderr: '', status: 'completed' },
  exec_command_end: { turn_id: '', aggregated_output: '', status: 'completed' },
  error: { codex_error_info: null },
}

/** Older names of the same events. */
const ALIASES: { readonly [type: string]: string } = {
  turn_started: 'task_started',
  turn_complete: 'task_complete',
}

function hasField(object: JsonObject, field: string, kind: FieldKind): boolean {
  const value = object[field]
  if (kind === 'present') return value !== undefined && value !== null
  if (kind === 'array') return Array.isArray(value)
  if (kind === 'object') return isObject(value)
  return typeof value === kind
}

function missingField(object: JsonObject, fields: Fields): string | undefined {
  return Object.keys(fields).find((field) => !hasField(object, field, fields[field] ?? 'present'))
}

export type DecodedLine =
  | { readonly ok: true; readonly line: RolloutLine }
  /** `reason` completes the sentence "this line …". */
  | { readonly ok: false; readonly reason: string }

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
      return checked(type, { source: 'vscode', ...payload }, META_FIELDS)
    case 'turn_context':
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

function checked(type: string, payload: JsonObject, fields: Fields): RolloutItem | string {
  const missing = missingField(payload, fields)
  if (missing !== undefined) return `is a ${type} without a valid ${missing}`
  return { type, payload } as unknown as RolloutItem
}

function decodeEvent(payload: JsonObject, line: JsonObject): RolloutItem | string {
  const given = stringAt(payload, 'type')
  if (given === undefined) return 'is an event without type'
  const type = ALIASES[given] ?? given
  const fields = EVENT_FIELDS[type]
  if (!fields) return { type: 'unknown', payload: line }
  const isDamaged = LISTS.some((list) => payload[list] && !isListOf(payload[list], isText))
  if (isDamaged) return `is a ${type} with damaged lists`
  if (isObject(payload.changes) && !isListOf(Object.values(payload.changes), isObject)) {
    return `is a ${type} with damaged changes`
  }
  return checked('event_msg', { ...payload, type, ...defaultsFor(type, payload) }, fields)
}

/** Lists of text in the events above. */
const LISTS = ['images', 'local_images', 'command']

function isText(value: unknown): boolean {
  return typeof value === 'string'
}

function isListOf(value: unknown, isElement: (each: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(isElement)
}

function defaultsFor(type: string, payload: JsonObject): JsonObject {
  const filled: JsonObject = {}
  for (const [field, value] of Object.entries(EVENT_DEFAULTS[type] ?? {})) {
    filled[field] = payload[field] ?? value
  }
  return filled
}

function decodeCompacted(payload: JsonObject): RolloutItem | string {
  const message = stringAt(payload, 'message')
  if (message === undefined) return 'is a compaction without message'
  const list = payload.replacement_history
  if (!Array.isArray(list)) return { type: 'compacted', payload: { message } }
  const replacement_history = list
    .map((each: Json) => (isObject(each) ? parseResponseItem(each) : undefined))
    .filter((each): each is ResponseItem => each !== undefined && each.type !== 'other')
  return { type: 'compacted', payload: { message, replacement_history } }
}

/** The line of an item, with its newline. Key order as real Codex writes it. */
export function encodeLine(line: RolloutLine): string {
  const { timestamp, item } = line
  return `${JSON.stringify({ timestamp, type: item.type, payload: item.payload })}\n`
}
