import { isObject, type Json, type JsonObject } from '../base/index.ts'

export type ContentPart =
  | { type: 'input_text' | 'output_text'; text: string }
  | { type: 'input_image'; image_url: string; detail?: string }

export interface MessageItem {
  type: 'message'
  role: string
  content: ContentPart[]
  phase?: 'commentary' | 'final_answer'
}

/** Plain text, or parts when the output holds images. */
export type ToolOutput = string | JsonObject[]

/**
 * One item of what the model reads and writes, as the Responses API and rollouts spell it.
 * `other` is any kind this version does not know: shown live, never stored, never sent.
 * Source: codex-rs/protocol/src/models.rs, `ResponseItem`.
 */
export type ResponseItem =
  | MessageItem
  | {
      type: 'reasoning'
      summary: { type: string; text: string }[]
      content?: { type: string; text: string }[] | null
      encrypted_content?: string | null
    }
  | {
      type: 'function_call'
      name: string
      namespace?: string
      arguments: string
      call_id: string
    }
  | { type: 'function_call_output'; call_id: string; output: ToolOutput }
  | { type: 'custom_tool_call'; status?: string; call_id: string; name: string; input: string }
  | { type: 'custom_tool_call_output'; call_id: string; name?: string; output: ToolOutput }
  | { type: 'local_shell_call'; call_id: string | null; status: string; action: JsonObject }
  | {
      type: 'tool_search_call'
      call_id: string | null
      status?: string
      execution: string
      arguments: Json
    }
  | {
      type: 'tool_search_output'
      call_id: string | null
      status: string
      execution: string
      tools: Json[]
    }
  | { type: 'web_search_call'; status?: string; action?: JsonObject }
  | {
      type: 'image_generation_call'
      id: string
      status: string
      revised_prompt?: string
      result: string
    }
  | { type: 'compaction'; encrypted_content: string }
  | { type: 'context_compaction'; encrypted_content?: string }
  | { type: 'compaction_trigger' }
  | { type: 'other' }

/** Field order of stored items; what is not named here is not stored. */
const STORED_FIELDS: { readonly [type: string]: readonly string[] } = {
  message: ['role', 'content', 'phase'],
  reasoning: ['summary', 'content', 'encrypted_content'],
  local_shell_call: ['call_id', 'status', 'action'],
  function_call: ['name', 'namespace', 'arguments', 'call_id'],
  function_call_output: ['call_id', 'output'],
  custom_tool_call: ['status', 'call_id', 'name', 'input'],
  custom_tool_call_output: ['call_id', 'name', 'output'],
  tool_search_call: ['call_id', 'status', 'execution', 'arguments'],
  tool_search_output: ['call_id', 'status', 'execution', 'tools'],
  web_search_call: ['status', 'action'],
  image_generation_call: ['id', 'status', 'revised_prompt', 'result'],
  compaction: ['encrypted_content'],
  context_compaction: ['encrypted_content'],
  compaction_trigger: [],
}

const REQUIRED: { readonly [type: string]: { readonly [field: string]: Kind } } = {
  message: { role: 'string', content: 'parts' },
  reasoning: { summary: 'texts' },
  function_call: { name: 'string', arguments: 'string', call_id: 'string' },
  function_call_output: { call_id: 'string', output: 'output' },
  custom_tool_call: { call_id: 'string', name: 'string', input: 'string' },
  custom_tool_call_output: { call_id: 'string', output: 'output' },
  local_shell_call: { call_id: 'id', status: 'string', action: 'object' },
  tool_search_call: { call_id: 'id', execution: 'string' },
  tool_search_output: { call_id: 'id', status: 'string', execution: 'string', tools: 'array' },
  image_generation_call: { id: 'string', status: 'string', result: 'string' },
  compaction: { encrypted_content: 'string' },
}

const KINDS = {
  string: (value: unknown) => typeof value === 'string',
  array: (value: unknown) => Array.isArray(value),
  object: (value: unknown) => isObject(value),
  id: (value: unknown) => typeof value === 'string' || value === null || value === undefined,
  texts: (value: unknown) => Array.isArray(value) && value.every(isTextPart),
  parts: (value: unknown) => Array.isArray(value) && value.every(isContentPart),
  output: (value: unknown) =>
    typeof value === 'string' || (Array.isArray(value) && value.every((each) => isObject(each))),
} as const
type Kind = keyof typeof KINDS

function isTextPart(part: unknown): boolean {
  return isObject(part) && typeof part.type === 'string' && typeof part.text === 'string'
}

/** Parts of kinds that only later versions know are carried as they are. */
function isContentPart(part: unknown): boolean {
  if (!isObject(part) || typeof part.type !== 'string') return false
  if (part.type === 'input_image') return typeof part.image_url === 'string'
  const hasText = part.type === 'input_text' || part.type === 'output_text' || 'text' in part
  return !hasText || typeof part.text === 'string'
}

/**
 * The stored form of an item that came from the model or a file: known fields only, in the
 * canonical order, without the provider's id (image generation keeps its own). Unknown kinds
 * become `other`; undefined when a known kind lacks a field it cannot do without.
 */
export function parseResponseItem(value: JsonObject): ResponseItem | undefined {
  const type = value.type
  if (typeof type !== 'string') return undefined
  const shape = SHAPES.get(type)
  if (!shape) return { type: 'other' }
  for (const { field, isValid } of shape.required) if (!isValid(value[field])) return undefined
  const item: JsonObject = { type }
  for (const field of shape.fields) {
    const present = value[field]
    if (shape.alwaysWritten.has(field)) item[field] = present ?? null
    else if (present !== undefined && !(present === null && DROPPED_NULLS.has(field))) {
      item[field] = present
    }
  }
  if (type === 'message') item.content = (value.content as JsonObject[]).map(storedPart)
  return item as ResponseItem
}

/** Written as null when they are missing. */
const ALWAYS_WRITTEN: { readonly [type: string]: readonly string[] } = {
  reasoning: ['summary', 'content', 'encrypted_content'],
  local_shell_call: ['call_id'],
  tool_search_call: ['call_id'],
  tool_search_output: ['call_id'],
}

const DROPPED_NULLS = new Set([
  'phase',
  'namespace',
  'status',
  'name',
  'action',
  'revised_prompt',
  'encrypted_content',
])

/** Made once: every item of a log is looked at. */
const SHAPES = new Map(
  Object.entries(STORED_FIELDS).map(([type, fields]) => {
    const required = Object.entries(REQUIRED[type] ?? {}).map(([field, kind]) => {
      const isValid: (value: unknown) => boolean = KINDS[kind]
      return { field, isValid }
    })
    return [type, { fields, required, alwaysWritten: new Set(ALWAYS_WRITTEN[type]) }]
  }),
)

/** Parts lose what providers add on the wire (`annotations`, `logprobs`, …). */
function storedPart(part: JsonObject): JsonObject {
  if (part.type === 'input_text' || part.type === 'output_text') {
    return { type: part.type, text: part.text }
  }
  return part
}

export function messageText(item: MessageItem): string {
  return item.content.map((part) => ('text' in part ? part.text : '')).join('')
}

export function userText(text: string): MessageItem {
  return { type: 'message', role: 'user', content: [{ type: 'input_text', text }] }
}
