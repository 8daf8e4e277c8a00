import { isObject, type JsonObject } from '../../base/index.ts'
import {
  NO_TOKENS,
  type PlanStep,
  type SessionEvent,
  type TokenUsage,
  type TurnError,
  type TurnItem,
} from '../../protocol/index.ts'

const ITEM_STATUS = {
  inProgress: 'in_progress',
  completed: 'completed',
  failed: 'failed',
  declined: 'declined',
} as const

/**
 * Session events as the lines of `codex exec --json`, which `@openai/codex-sdk` reads.
 * Ids `item_0`, `item_1`, … count in the order of first appearance.
 * Source: `reference/app-server.md` 15.2.
 */
export class ExecEventWriter {
  readonly #write: (line: string) => void
  readonly #ids = new Map<string, string>()
  #plan: { readonly id: string; readonly steps: readonly PlanStep[] } | undefined
  #usage: TokenUsage = NO_TOKENS

  constructor(write: (line: string) => void) {
    this.#write = write
  }

  threadStarted(threadId: string): void {
    this.#event({ type: 'thread.started', thread_id: threadId })
  }

  accept(event: SessionEvent): void {
    switch (event.type) {
      case 'turnStarted':
        this.#event({ type: 'turn.started' })
        break
      case 'itemStarted':
        if (hasStart(event.item)) this.#item('item.started', event.item)
        break
      case 'itemCompleted':
        this.#item('item.completed', event.item)
        break
      case 'planUpdated':
        this.#planUpdated(event.plan)
        break
      case 'tokenCount':
        this.#usage = event.info?.total_token_usage ?? this.#usage
        break
      case 'warning':
        this.#notice(event.message)
        break
      case 'error':
        this.#event({ type: 'error', message: wholeMessage(event.error) })
        break
      case 'turnCompleted':
        this.#turnCompleted(event)
        break
      default:
        break
    }
  }

  #planUpdated(steps: readonly PlanStep[]): void {
    const type = this.#plan ? 'item.updated' : 'item.started'
    this.#plan = { id: this.#plan?.id ?? this.#nextId(), steps }
    this.#event({ type, item: todoList(this.#plan) })
  }

  #turnCompleted(event: Extract<SessionEvent, { type: 'turnCompleted' }>): void {
    if (this.#plan) this.#event({ type: 'item.completed', item: todoList(this.#plan) })
    this.#plan = undefined
    if (event.status === 'failed') {
      const message = event.error ? wholeMessage(event.error) : 'the turn failed'
      this.#event({ type: 'turn.failed', error: { message } })
    } else if (event.status === 'completed') {
      const { total_tokens: _, ...usage } = this.#usage
      this.#event({ type: 'turn.completed', usage })
    }
  }

  #notice(message: string): void {
    this.#event({ type: 'item.completed', item: { id: this.#nextId(), type: 'error', message } })
  }

  #item(type: string, item: TurnItem): void {
    const fields = itemFields(item)
    if (fields) this.#event({ type, item: { id: this.#idOf(item), ...fields } })
  }

  #idOf(item: TurnItem): string {
    const key = `${item.type} ${item.id}`
    const known = this.#ids.get(key)
    if (known !== undefined) return known
    const id = this.#nextId()
    this.#ids.set(key, id)
    return id
  }

  #nextCount = 0

  #nextId(): string {
    this.#nextCount += 1
    return `item_${this.#nextCount - 1}`
  }

  #event(event: JsonObject): void {
    this.#write(`${JSON.stringify(event)}\n`)
  }
}

/** As Codex prints it, so without the cause, which goes to standard error. */
function wholeMessage(error: TurnError): string {
  return error.additionalDetails === null
    ? error.message
    : `${error.message} (${error.additionalDetails})`
}

/** Messages and reasoning are told once, when they are whole. */
function hasStart(item: TurnItem): boolean {
  return (
    item.type === 'commandExecution' ||
    item.type === 'fileChange' ||
    item.type === 'mcpToolCall' ||
    item.type === 'webSearch'
  )
}

function todoList({ id, steps }: { id: string; steps: readonly PlanStep[] }): JsonObject {
  const items = steps.map(({ step, status }) => ({ text: step, completed: status === 'completed' }))
  return { id, type: 'todo_list', items }
}

/** Undefined for items that `exec --json` does not tell. */
function itemFields(item: TurnItem): JsonObject | undefined {
  switch (item.type) {
    case 'agentMessage':
      return { type: 'agent_message', text: item.text }
    case 'reasoning':
      return { type: 'reasoning', text: item.summary.join('\n') }
    case 'commandExecution':
      return {
        type: 'command_execution',
        command: item.command,
        aggregated_output: item.aggregatedOutput ?? '',
        exit_code: item.exitCode,
        status: ITEM_STATUS[item.status],
      }
    case 'fileChange': {
      const changes = item.changes.map(({ path, kind }) => ({ path, kind: kind.type }))
      return { type: 'file_change', changes, status: ITEM_STATUS[item.status] }
    }
    case 'webSearch':
      return { type: 'web_search', query: item.query, action: item.action }
    case 'mcpToolCall':
      return {
        type: 'mcp_tool_call',
        server: item.server,
        tool: item.tool,
        arguments: item.arguments,
        result: isObject(item.result) ? mcpResult(item.result) : null,
        error: item.error && { ...item.error },
        status: ITEM_STATUS[item.status],
      }
    default:
      return undefined
  }
}

function mcpResult({ content, structuredContent, _meta }: JsonObject): JsonObject {
  return {
    content,
    ...(_meta === undefined || _meta === null ? {} : { _meta }),
    structured_content: structuredContent ?? null,
  }
}
