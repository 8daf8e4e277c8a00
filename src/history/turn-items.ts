import {
  isObject,
  type Json,
  type JsonObject,
  numberAt,
  objectAt,
  shellQuote,
  stringAt,
} from '../base/index.ts'
import {
  durationMs,
  type FileChangeRecord,
  type FileUpdateChange,
  type StoredEvent,
  type TurnItem,
  type UserContent,
} from '../protocol/index.ts'

type StoredCommand = Extract<StoredEvent, { type: 'exec_command_end' }>
type StoredUserMessage = Extract<StoredEvent, { type: 'user_message' }>
type CommandItem = Extract<TurnItem, { type: 'commandExecution' }>
type StoredDynamicCall = Extract<StoredEvent, { type: 'dynamic_tool_call_response' }>
type DynamicCallItem = Extract<TurnItem, { type: 'dynamicToolCall' }>
type McpToolCallItem = Extract<TurnItem, { type: 'mcpToolCall' }>

/** The item of an event that carries the item's own id; undefined for other events. */
export function toolItem(event: StoredEvent): TurnItem | undefined {
  switch (event.type) {
    case 'exec_command_end':
      return commandItem(event)
    case 'patch_apply_end':
      return {
        type: 'fileChange',
        id: event.call_id,
        changes: toFileUpdateChanges(event.changes),
        status: event.status,
      }
    case 'web_search_end':
      return { type: 'webSearch', id: event.call_id, query: event.query, action: event.action }
    case 'mcp_tool_call_end':
      return mcpToolCallItem(event)
    case 'dynamic_tool_call_response':
      return dynamicItem(event)
    case 'view_image_tool_call':
      return { type: 'imageView', id: event.call_id, path: event.path }
    case 'image_generation_end':
      return {
        type: 'imageGeneration',
        id: stringAt(event, 'call_id') ?? '',
        status: stringAt(event, 'status') ?? '',
      }
    case 'item_completed':
      return storedTurnItem(event)
    default:
      return undefined
  }
}

export function commandItem(event: StoredCommand): CommandItem {
  return {
    type: 'commandExecution',
    id: event.call_id,
    command: shellQuote(event.command),
    cwd: event.cwd,
    status: event.status,
    ...(event.source === 'user_shell' ? { source: 'userShell' } : {}),
    commandActions: [{ type: 'unknown', command: event.command.at(-1) ?? '' }],
    aggregatedOutput: event.aggregated_output || null,
    exitCode: event.status === 'declined' ? null : event.exit_code,
    durationMs: durationMs(event.duration),
  }
}

/** An answer that says itself that it is an error is a failed call, without an error of its own. */
export function mcpToolCallItem(event: JsonObject): McpToolCallItem {
  const invocation = objectAt(event, 'invocation') ?? {}
  const result = objectAt(event, 'result') ?? {}
  const answer = objectAt(result, 'Ok')
  const failure = stringAt(result, 'Err')
  const duration = objectAt(event, 'duration') ?? {}
  return {
    type: 'mcpToolCall',
    id: stringAt(event, 'call_id') ?? '',
    server: stringAt(invocation, 'server') ?? '',
    tool: stringAt(invocation, 'tool') ?? '',
    arguments: invocation.arguments ?? null,
    status: failure !== undefined || answer?.isError === true ? 'failed' : 'completed',
    result: answer ? shownAnswer(answer) : null,
    error: failure === undefined ? null : { message: failure },
    durationMs: durationMs({
      secs: numberAt(duration, 'secs') ?? 0,
      nanos: numberAt(duration, 'nanos') ?? 0,
    }),
  }
}

function shownAnswer({ content, structuredContent, _meta }: JsonObject): JsonObject {
  return {
    content: content ?? [],
    structuredContent: structuredContent ?? null,
    _meta: _meta ?? null,
  }
}

export function dynamicItem(event: StoredDynamicCall): DynamicCallItem {
  const { content_items: contents, success } = event
  return {
    type: 'dynamicToolCall',
    id: event.call_id,
    namespace: event.namespace,
    tool: event.tool,
    arguments: event.arguments,
    status: success ? 'completed' : 'failed',
    // Without an answer there are none: the turn ended first.
    contentItems: event.error !== null && contents.length === 0 ? null : contents,
    success,
    durationMs: durationMs(event.duration),
  }
}

/** Plans of 0.133.0, and the messages of later versions, which are stored as whole items. */
function storedTurnItem(event: JsonObject): TurnItem | undefined {
  const item = objectAt(event, 'item')
  if (!item) return undefined
  const id = stringAt(item, 'id') ?? ''
  const text = stringAt(item, 'text') ?? joinedText(item.content)
  if (item.type === 'Plan') return { type: 'plan', id, text }
  if (item.type === 'UserMessage') return { type: 'userMessage', id, content: [textContent(text)] }
  if (item.type !== 'AgentMessage') return undefined
  return { type: 'agentMessage', id, text, phase: phaseOf(item.phase), memoryCitation: null }
}

function joinedText(content: Json | undefined): string {
  if (!Array.isArray(content)) return ''
  return content.map((part) => (isObject(part) ? (stringAt(part, 'text') ?? '') : '')).join('')
}

/** The item of an event whose item has no id of its own; undefined for other events. */
export function messageItem(event: StoredEvent, id: string): TurnItem | undefined {
  switch (event.type) {
    case 'agent_message':
      if (event.message === '') return undefined
      return {
        type: 'agentMessage',
        id,
        text: event.message,
        phase: phaseOf(event.phase),
        memoryCitation: null,
      }
    case 'context_compacted':
      return { type: 'contextCompaction', id }
    case 'entered_review_mode': {
      const review = stringAt(event, 'user_facing_hint') ?? 'Review started'
      return { type: 'enteredReviewMode', id, review }
    }
    case 'exited_review_mode': {
      const output = objectAt(event, 'review_output')
      const text = output ? stringAt(output, 'overall_explanation')?.trim() : undefined
      const review = text || 'Reviewer failed to output a response.'
      return { type: 'exitedReviewMode', id, review }
    }
    default:
      return undefined
  }
}

function phaseOf(value: Json | undefined): 'commentary' | 'final_answer' | null {
  return value === 'commentary' || value === 'final_answer' ? value : null
}

function textContent(text: string, text_elements: readonly Json[] = []): UserContent {
  return { type: 'text', text, text_elements }
}

/** A person's message; a blank text leaves only the pictures. */
export function userContent(event: StoredUserMessage): UserContent[] {
  const { message, images, local_images, text_elements } = event
  return [
    ...(message.trim() === '' ? [] : [textContent(message, text_elements)]),
    ...(images ?? []).map((url): UserContent => ({ type: 'image', detail: null, url })),
    ...local_images.map((path): UserContent => ({ type: 'localImage', detail: null, path })),
  ]
}

/** Changes in the order of their paths, as clients show them. */
export function toFileUpdateChanges(changes: {
  readonly [path: string]: FileChangeRecord
}): FileUpdateChange[] {
  return Object.entries(changes)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, change]) => {
      if (change.type !== 'update') {
        return { path, kind: { type: change.type }, diff: change.content }
      }
      const { move_path, unified_diff } = change
      const diff = move_path ? `${unified_diff}\n\nMoved to: ${move_path}` : unified_diff
      return { path, kind: { type: 'update', move_path: move_path ?? null }, diff }
    })
}
