import { isObject, type JsonObject } from '../base/index.ts'
import { NO_TOKENS, OTHER_EVENT_TYPES } from '../protocol/index.ts'

/** A `?` at the end: may be missing or null. */
type FieldKind = Kind | `${Kind}?`
type Fields = { readonly [field: string]: FieldKind }

const KINDS = {
  string: (value: unknown) => typeof value === 'string',
  number: (value: unknown) => typeof value === 'number',
  count: (value: unknown) => Number.isSafeInteger(value) && Number(value) >= 0,
  boolean: (value: unknown) => typeof value === 'boolean',
  array: (value: unknown) => Array.isArray(value),
  object: (value: unknown) => isObject(value),
  texts: (value: unknown) => Array.isArray(value) && value.every((each) => KINDS.string(each)),
  policy: (value: unknown) => typeof value === 'string' || isObject(value),
  git: (value: unknown) =>
    isObject(value) && Object.values(value).every((each) => isOfKind('string?', each)),
  instructions: (value: unknown) => isObject(value) && KINDS.string(value.text),
  duration: (value: unknown) =>
    isObject(value) && KINDS.number(value.secs) && KINDS.number(value.nanos),
  changes: (value: unknown) => isObject(value) && Object.values(value).every(isChange),
  contents: (value: unknown) => Array.isArray(value) && value.every(isContent),
  usage: (value: unknown) =>
    isObject(value) && Object.keys(NO_TOKENS).every((count) => KINDS.number(value[count])),
  tokens: (value: unknown) =>
    isObject(value) &&
    KINDS.usage(value.total_token_usage) &&
    KINDS.usage(value.last_token_usage) &&
    isOfKind('number?', value.model_context_window),
} as const
type Kind = keyof typeof KINDS

function isChange(value: unknown): boolean {
  if (!isObject(value)) return false
  if (value.type === 'update') {
    return KINDS.string(value.unified_diff) && isOfKind('string?', value.move_path)
  }
  return (value.type === 'add' || value.type === 'delete') && KINDS.string(value.content)
}

/** A part of what a client's tool answered. */
function isContent(value: unknown): boolean {
  if (!isObject(value)) return false
  if (value.type === 'inputText') return KINDS.string(value.text)
  return value.type === 'inputImage' && KINDS.string(value.imageUrl)
}

export function isOfKind(kind: FieldKind, value: unknown): boolean {
  if (!kind.endsWith('?')) return KINDS[kind as Kind](value)
  return value === undefined || value === null || KINDS[kind.slice(0, -1) as Kind](value)
}

/** What a header cannot do without. */
export const META_FIELDS: Fields = {
  id: 'string',
  timestamp: 'string',
  cwd: 'string',
  originator: 'string',
  cli_version: 'string',
}

/** The rest of a header: a damaged one of these is left out, for a thread needs its header. */
export const META_EXTRAS: Fields = {
  forked_from_id: 'string?',
  source: 'policy?',
  thread_source: 'string?',
  agent_nickname: 'string?',
  agent_role: 'string?',
  agent_path: 'string?',
  model_provider: 'string?',
  base_instructions: 'instructions?',
  dynamic_tools: 'array?',
  memory_mode: 'string?',
  git: 'git?',
  history_mode: 'string?',
}

export const TURN_CONTEXT_FIELDS: Fields = {
  turn_id: 'string?',
  cwd: 'string',
  current_date: 'string?',
  timezone: 'string?',
  approval_policy: 'policy',
  sandbox_policy: 'object',
  permission_profile: 'object?',
  model: 'string',
  personality: 'string?',
  collaboration_mode: 'object?',
  realtime_active: 'boolean?',
  effort: 'string?',
  summary: 'string?',
}

const TIMES: Fields = { completed_at: 'number?', duration_ms: 'number?' }
const CALL: Fields = { call_id: 'string', turn_id: 'string?', status: 'string?' }

/** The fields of events that we read. Source: `reference/rollout-and-thread-store.md` B.4. */
export const EVENT_FIELDS: { readonly [type: string]: Fields } = {
  task_started: {
    turn_id: 'string',
    started_at: 'number?',
    model_context_window: 'number?',
    collaboration_mode_kind: 'string?',
  },
  task_complete: { turn_id: 'string', last_agent_message: 'string?', ...TIMES },
  turn_aborted: { turn_id: 'string?', reason: 'string', ...TIMES },
  user_message: {
    message: 'string',
    images: 'texts?',
    local_images: 'texts?',
    text_elements: 'array?',
  },
  agent_message: { message: 'string', phase: 'string?' },
  agent_reasoning: { text: 'string' },
  agent_reasoning_raw_content: { text: 'string' },
  token_count: { info: 'tokens?' },
  context_compacted: {},
  thread_rolled_back: { num_turns: 'count' },
  patch_apply_end: {
    ...CALL,
    stdout: 'string?',
    stderr: 'string?',
    success: 'boolean',
    changes: 'changes',
  },
  exec_command_end: {
    ...CALL,
    command: 'texts',
    cwd: 'string',
    aggregated_output: 'string?',
    exit_code: 'number',
    duration: 'duration',
  },
  web_search_end: { call_id: 'string', query: 'string', action: 'object' },
  view_image_tool_call: { call_id: 'string', path: 'string' },
  dynamic_tool_call_response: {
    call_id: 'string',
    turn_id: 'string?',
    namespace: 'string?',
    tool: 'string',
    content_items: 'contents',
    success: 'boolean',
    error: 'string?',
    duration: 'duration',
  },
  error: { message: 'string' },
  ...Object.fromEntries(OTHER_EVENT_TYPES.map((type) => [type, {}])),
}

export const EVENT_DEFAULTS: { readonly [type: string]: JsonObject } = {
  task_started: { model_context_window: null, collaboration_mode_kind: 'default' },
  task_complete: { last_agent_message: null },
  user_message: { local_images: [], text_elements: [] },
  agent_message: { phase: null, memory_citation: null },
  token_count: { info: null, rate_limits: null },
  patch_apply_end: { turn_id: '', stdout: '', stderr: '', status: 'completed' },
  exec_command_end: { turn_id: '', aggregated_output: '', status: 'completed' },
  dynamic_tool_call_response: { turn_id: '', namespace: null, arguments: null, error: null },
  error: { codex_error_info: null },
}

/** A table's own entry: names come from files, and a file may say `constructor`. */
export function entryOf<T>(table: { readonly [name: string]: T }, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined
}

/** The first field that is missing or of the wrong kind. */
export function invalidField(object: JsonObject, fields: Fields): string | undefined {
  for (const { field, isOptional, isValid } of checksOf(fields)) {
    const value = object[field]
    const isMissing = value === undefined || value === null
    if (isMissing ? !isOptional : !isValid(value)) return field
  }
  return undefined
}

interface Check {
  readonly field: string
  readonly isOptional: boolean
  readonly isValid: (value: unknown) => boolean
}

const checks = new WeakMap<Fields, readonly Check[]>()

/** Made once a table: every line of a log is checked. */
function checksOf(fields: Fields): readonly Check[] {
  const known = checks.get(fields)
  if (known) return known
  const made = Object.entries(fields).map(([field, kind]) => {
    const isOptional = kind.endsWith('?')
    const isValid = KINDS[(isOptional ? kind.slice(0, -1) : kind) as Kind]
    return { field, isOptional, isValid }
  })
  checks.set(fields, made)
  return made
}
