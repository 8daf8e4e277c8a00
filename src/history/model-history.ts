import {
  messageText,
  type ResponseItem,
  type RolloutItem,
  type TokenInfo,
  type TurnContextRecord,
  userText,
} from '../protocol/index.ts'
import { isUserBoundary } from './contextual.ts'
import { Segments } from './segments.ts'

/** What a session goes on from: the items the model sees again, and what was last in force. */
export interface ModelHistory {
  readonly items: readonly ResponseItem[]
  /** The context that later turns are compared with; undefined: send the whole context again. */
  readonly contextBaseline: TurnContextRecord | undefined
  /** The last user turn's settings, also where a compaction has cleared the baseline. */
  readonly lastTurnContext: TurnContextRecord | undefined
  readonly tokenInfo: TokenInfo | null
}

interface Snapshot {
  readonly items: readonly ResponseItem[]
  readonly length: number
  readonly baseline: TurnContextRecord | undefined
  readonly last: TurnContextRecord | undefined
}

/**
 * Replays a thread's log into what the model sees. Compaction swaps the list, so a snapshot before
 * each turn is a reference and a length: rolling back works across a compaction too.
 */
class Replay {
  items: ResponseItem[] = []
  baseline: TurnContextRecord | undefined
  last: TurnContextRecord | undefined
  tokenInfo: TokenInfo | null = null
  readonly #segments = new Segments(() => this.#snapshot())
  /** Texts that compactions wrote in the person's name. */
  readonly #summaries = new Set<string>()

  apply(item: RolloutItem): void {
    const rolledBack = this.#segments.meet(item)
    if (rolledBack) this.#restore(rolledBack)
    switch (item.type) {
      case 'response_item':
        this.#append(item.payload)
        return
      case 'turn_context':
        // Settings that no turn had yet were not told to the model.
        if (item.payload.turn_id !== undefined) this.baseline = item.payload
        this.last = item.payload
        return
      case 'compacted':
        this.#summaries.add(item.payload.message)
        this.items =
          item.payload.replacement_history?.slice() ?? this.#rebuilt(item.payload.message)
        this.baseline = undefined
        return
      case 'event_msg':
        if (item.payload.type === 'token_count')
          this.tokenInfo = item.payload.info ?? this.tokenInfo
        return
      default:
        return
    }
  }

  #append(item: ResponseItem): void {
    if (item.type !== 'other' && item.type !== 'compaction_trigger') this.items.push(item)
  }

  #snapshot(): Snapshot {
    const { items, baseline, last } = this
    return { items, length: items.length, baseline, last }
  }

  #restore(before: Snapshot): void {
    this.items = before.items.slice(0, before.length)
    this.baseline = before.baseline
    this.last = before.last
  }

  #rebuilt(summary: string): ResponseItem[] {
    return [...this.items.filter((item) => this.#isOfPerson(item)), userText(summary)]
  }

  #isOfPerson(item: ResponseItem): boolean {
    return isUserBoundary(item) && !this.#summaries.has(messageText(item))
  }
}

/** How often a log says that it was condensed, taken back or not. */
export function countCompactions(log: readonly RolloutItem[]): number {
  return log.filter(({ type }) => type === 'compacted').length
}

/** Folds a whole log. Old and foreign forms included; nothing is dropped but unknown kinds. */
export function replayModelHistory(log: Iterable<RolloutItem>): ModelHistory {
  const replay = new Replay()
  for (const item of log) replay.apply(item)
  return {
    items: replay.items,
    contextBaseline: replay.baseline,
    lastTurnContext: replay.last,
    tokenInfo: replay.tokenInfo,
  }
}

const ABORTED = 'aborted'

/**
 * The list as the API takes it: every call has an output right behind it (`aborted` where none was
 * kept), and no output stands without its call. The stored history stays as it is.
 */
export function toModelInput(items: readonly ResponseItem[]): ResponseItem[] {
  const calls = new Set<string>()
  const answered = new Set<string>()
  for (const item of items) {
    const callId = 'call_id' in item ? item.call_id : null
    if (callId === null) continue
    if (isOutput(item)) answered.add(callId)
    else calls.add(callId)
  }
  const input: ResponseItem[] = []
  for (const item of items) {
    if (item.type === 'other' || item.type === 'compaction_trigger') continue
    const callId = 'call_id' in item ? item.call_id : null
    if (isOutput(item)) {
      // The provider's own tools have no ids: their calls and outputs are not matched.
      if (callId === null || calls.has(callId)) input.push(item)
      continue
    }
    input.push(item)
    if (callId !== null && !answered.has(callId)) {
      const output = abortedOutput(item, callId)
      if (output) input.push(output)
    }
  }
  return input
}

function isOutput(item: ResponseItem): boolean {
  return (
    item.type === 'function_call_output' ||
    item.type === 'custom_tool_call_output' ||
    item.type === 'tool_search_output'
  )
}

function abortedOutput(item: ResponseItem, call_id: string): ResponseItem | undefined {
  switch (item.type) {
    case 'function_call':
    case 'local_shell_call':
      return { type: 'function_call_output', call_id, output: ABORTED }
    case 'custom_tool_call':
      return { type: 'custom_tool_call_output', call_id, output: ABORTED }
    case 'tool_search_call':
      return {
        type: 'tool_search_output',
        call_id,
        status: 'completed',
        execution: 'client',
        tools: [],
      }
    default:
      return undefined
  }
}
