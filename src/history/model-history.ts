import {
  messageText,
  type ResponseItem,
  type RolloutItem,
  type TokenInfo,
  type TurnContextRecord,
  userText,
} from '../protocol/index.ts'
import { isUserBoundary } from './contextual.ts'

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

interface Segment {
  readonly before: Snapshot
  /** Undefined when a message opened it, because no `task_started` did: the next opens another. */
  readonly turnId: string | undefined
  hasUserMessage: boolean
  hasUserEvent: boolean
  /** `task_complete` was met: the next message is of another turn. */
  isComplete: boolean
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
  #segments: Segment[] = []
  /** Before a message between two turns, until its event tells whether it opens one. */
  #beforeMessage: Snapshot | undefined
  /** Texts that compactions wrote in the person's name. */
  readonly #summaries = new Set<string>()

  apply(item: RolloutItem): void {
    switch (item.type) {
      case 'response_item':
        if (isUserBoundary(item.payload)) this.#meetUserMessage('item')
        this.#append(item.payload)
        return
      case 'turn_context':
        this.baseline = item.payload
        this.last = item.payload
        return
      case 'compacted':
        this.#summaries.add(item.payload.message)
        this.items =
          item.payload.replacement_history?.slice() ?? this.#rebuilt(item.payload.message)
        this.baseline = undefined
        return
      case 'event_msg':
        if (item.payload.type === 'task_started') this.#open(item.payload.turn_id)
        else if (item.payload.type === 'task_complete') this.#complete(item.payload.turn_id)
        else if (item.payload.type === 'user_message') this.#meetUserMessage('event')
        else if (item.payload.type === 'token_count')
          this.tokenInfo = item.payload.info ?? this.tokenInfo
        else if (item.payload.type === 'thread_rolled_back') this.#rollBack(item.payload.num_turns)
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

  #open(turnId: string | undefined, before = this.#snapshot()): Segment {
    const met = { hasUserMessage: false, hasUserEvent: false, isComplete: false }
    const segment = { before, turnId, ...met }
    this.#segments.push(segment)
    this.#beforeMessage = undefined
    return segment
  }

  /** Ends the turn of that id; without one, the open turn, as real Codex does. */
  #complete(turnId: string): void {
    const named = this.#segments.findLast((segment) => segment.turnId === turnId)
    const segment = named ?? this.#segments.at(-1)
    if (segment) segment.isComplete = true
  }

  #meetUserMessage(form: 'item' | 'event'): void {
    let segment = this.#segments.at(-1)
    const isOfOneMessage = form === 'event' && segment?.hasUserEvent === false
    const isOver = segment?.turnId === undefined && segment?.hasUserMessage && !isOfOneMessage
    if (segment?.isComplete) {
      // Between turns only the event makes a turn of a message: items alone were injected.
      if (form === 'item') this.#beforeMessage = this.#snapshot()
      else segment = this.#open(undefined, this.#beforeMessage)
    } else if (!segment || isOver) segment = this.#open(undefined)
    segment.hasUserMessage = true
    if (form === 'event') segment.hasUserEvent = true
  }

  #rebuilt(summary: string): ResponseItem[] {
    return [...this.items.filter((item) => this.#isOfPerson(item)), userText(summary)]
  }

  #isOfPerson(item: ResponseItem): boolean {
    return isUserBoundary(item) && !this.#summaries.has(messageText(item))
  }

  #rollBack(turnCount: number): void {
    let left = turnCount
    while (left > 0) {
      const segment = this.#segments.pop()
      if (!segment) return
      const { before } = segment
      this.items = before.items.slice(0, before.length)
      this.baseline = before.baseline
      this.last = before.last
      this.#beforeMessage = undefined
      if (segment.hasUserMessage) left -= 1
    }
  }
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
