import type { RolloutItem } from '../protocol/index.ts'
import { isUserBoundary } from './contextual.ts'

/** A part of the log that a rollback takes back whole; `before` is what stood at its start. */
export interface Segment<S> {
  readonly before: S
  /** Null when a message opened it, because no `task_started` did: the next opens another. */
  readonly turnId: string | null
  hasUserMessage: boolean
  hasUserEvent: boolean
  /** `task_complete` was met: the next message is of another turn. */
  isComplete: boolean
}

export interface SegmentsState<S> {
  readonly segments: readonly Segment<S>[]
  /** Before a message between two turns, until its event tells whether it opens one. */
  readonly beforeMessage: S | null
}

/**
 * Cuts a log into the turns that the model's history counts: as rollback does, by messages of the
 * person. `snapshot` is asked what stands now, before an entry is taken in.
 */
export class Segments<S> {
  readonly #snapshot: () => S
  readonly #segments: Segment<S>[]
  #beforeMessage: S | null

  constructor(snapshot: () => S, known?: SegmentsState<S>) {
    this.#snapshot = snapshot
    this.#segments = known?.segments.map((segment) => ({ ...segment })) ?? []
    this.#beforeMessage = known?.beforeMessage ?? null
  }

  get state(): SegmentsState<S> {
    return { segments: this.#segments, beforeMessage: this.#beforeMessage }
  }

  get current(): Segment<S> | undefined {
    return this.#segments.at(-1)
  }

  /** Takes an entry in; answers what to go back to when it takes turns back. */
  meet(item: RolloutItem): S | undefined {
    if (item.type === 'response_item') {
      if (isUserBoundary(item.payload)) this.#meetUserMessage('item')
      return undefined
    }
    if (item.type !== 'event_msg') return undefined
    switch (item.payload.type) {
      case 'task_started':
        this.#open(item.payload.turn_id, this.#snapshot())
        return undefined
      case 'task_complete':
        this.#complete(item.payload.turn_id)
        return undefined
      case 'user_message':
        this.#meetUserMessage('event')
        return undefined
      case 'thread_rolled_back':
        return this.#rollBack(item.payload.num_turns)
      default:
        return undefined
    }
  }

  #open(turnId: string | null, before: S): Segment<S> {
    const met = { hasUserMessage: false, hasUserEvent: false, isComplete: false }
    const segment = { before, turnId, ...met }
    this.#segments.push(segment)
    this.#beforeMessage = null
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
    const isOver = segment?.turnId === null && segment.hasUserMessage && !isOfOneMessage
    if (segment?.isComplete) {
      // Between turns only the event makes a turn of a message: items alone were injected.
      if (form === 'item') this.#beforeMessage = this.#snapshot()
      else segment = this.#open(null, this.#beforeMessage ?? this.#snapshot())
    } else if (!segment || isOver) segment = this.#open(null, this.#snapshot())
    segment.hasUserMessage = true
    if (form === 'event') segment.hasUserEvent = true
  }

  #rollBack(turnCount: number): S | undefined {
    let before: S | undefined
    for (let left = turnCount; left > 0; ) {
      const segment = this.#segments.pop()
      if (!segment) break
      before = segment.before
      this.#beforeMessage = null
      if (segment.hasUserMessage) left -= 1
    }
    return before
  }
}
