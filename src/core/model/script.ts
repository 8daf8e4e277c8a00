import type { JsonObject } from '../../base/index.ts'

/** How a scripted model may misbehave. */
export type ModelFault =
  | {
      readonly kind: 'status'
      readonly status: number
      readonly body: string
      readonly headers?: { readonly [name: string]: string }
    }
  /** The connection breaks after so many events. */
  | { readonly kind: 'cut'; readonly afterEvents: number }
  /** The stream ends cleanly, but before `response.completed`. */
  | { readonly kind: 'close'; readonly afterEvents: number }
  /** Nothing more arrives. */
  | { readonly kind: 'stall'; readonly afterEvents: number }
  | {
      readonly kind: 'failed'
      readonly error: { readonly code?: string; readonly message?: string }
    }
  | { readonly kind: 'incomplete'; readonly reason: string }
  /** This text instead of events. */
  | { readonly kind: 'garbage'; readonly text: string }
  /** These bytes after so many events: on a WebSocket as a binary frame. */
  | { readonly kind: 'binary'; readonly afterEvents: number; readonly bytes: readonly number[] }
  /** One event of so many bytes. */
  | { readonly kind: 'oversized'; readonly afterEvents: number; readonly sizeBytes: number }
  /** This object instead of all events: `{ type: 'error', … }` for instance. */
  | { readonly kind: 'errorFrame'; readonly frame: JsonObject }

/** One answer of a scripted model. */
export interface ScriptedResponse {
  /** Output items as a provider sends them, with ids. */
  readonly items: readonly JsonObject[]
  /** Null leaves the usage out of `response.completed`. */
  readonly usage?: ScriptedUsage | null
  /** How many deltas the text of a message is streamed in; 1 unless told. */
  readonly deltas?: number
  /** Pause before the first event and between deltas. */
  readonly delayMs?: number
  readonly endTurn?: boolean
  readonly headers?: { readonly [name: string]: string }
  readonly fault?: ModelFault
}

export interface ScriptedUsage {
  readonly input_tokens: number
  readonly cached_input_tokens?: number
  readonly output_tokens: number
  readonly reasoning_output_tokens?: number
}

/** The events of one answer, in the order and shape of the Responses API's stream. */
export function responseEvents(response: ScriptedResponse, responseId: string): JsonObject[] {
  const events: JsonObject[] = [{ type: 'response.created', response: { id: responseId } }]
  for (const item of response.items) {
    events.push(...itemEvents(item, response.deltas ?? 1))
  }
  const usage =
    response.usage === undefined ? { input_tokens: 100, output_tokens: 20 } : response.usage
  events.push({
    type: 'response.completed',
    response: {
      id: responseId,
      ...(usage ? { usage: wireUsage(usage) } : {}),
      ...(response.endTurn === undefined ? {} : { end_turn: response.endTurn }),
    },
  })
  return events
}

function itemEvents(item: JsonObject, deltas: number): JsonObject[] {
  if (item.type !== 'message') {
    return [
      { type: 'response.output_item.added', item },
      { type: 'response.output_item.done', item },
    ]
  }
  const content = Array.isArray(item.content) ? item.content : []
  const text = content
    .map((part) => (part && typeof part === 'object' && 'text' in part ? String(part.text) : ''))
    .join('')
  const size = Math.max(1, Math.ceil(text.length / deltas))
  const events: JsonObject[] = [
    { type: 'response.output_item.added', item: { ...item, content: [] } },
  ]
  for (let at = 0; at < text.length; at += size) {
    const delta = text.slice(at, at + size)
    events.push({ type: 'response.output_text.delta', item_id: item.id, delta })
  }
  events.push({ type: 'response.output_item.done', item })
  return events
}

function wireUsage(usage: ScriptedUsage): JsonObject {
  return {
    input_tokens: usage.input_tokens,
    input_tokens_details: { cached_tokens: usage.cached_input_tokens ?? 0 },
    output_tokens: usage.output_tokens,
    output_tokens_details: { reasoning_tokens: usage.reasoning_output_tokens ?? 0 },
    total_tokens: usage.input_tokens + usage.output_tokens,
  }
}

let minted = 0

function mint(prefix: string): string {
  minted += 1
  return `${prefix}_${minted}`
}

export function assistantMessage(
  text: string,
  options: { id?: string; phase?: 'commentary' | 'final_answer' } = {},
): JsonObject {
  return {
    type: 'message',
    role: 'assistant',
    id: options.id ?? mint('msg'),
    content: [{ type: 'output_text', text }],
    ...(options.phase ? { phase: options.phase } : {}),
  }
}

export function functionCall(name: string, args: JsonObject | string, callId: string): JsonObject {
  return {
    type: 'function_call',
    id: mint('fc'),
    call_id: callId,
    name,
    arguments: typeof args === 'string' ? args : JSON.stringify(args),
  }
}

export function customToolCall(name: string, input: string, callId: string): JsonObject {
  return { type: 'custom_tool_call', id: mint('ctc'), call_id: callId, name, input }
}

export function reasoning(text: string): JsonObject {
  return {
    type: 'reasoning',
    id: mint('rs'),
    summary: [{ type: 'summary_text', text }],
    encrypted_content: null,
  }
}
