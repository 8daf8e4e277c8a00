import type { RolloutItem } from '../protocol/index.ts'
import { Segments, type SegmentsState } from './segments.ts'

/** The entries that the model's context hangs on: these two lines, and all from `start` on. */
export interface ContextPoint {
  readonly start: number
  readonly turnContext: number | null
  readonly tokenCount: number | null
  /** Compactions before `start`, taken back or not. */
  readonly compactionCount: number
}

/** What stands where a turn begins; `context` is null while all of the log is needed. */
interface Mark extends ContextPoint {
  readonly context: ContextPoint | null
}

/** Plain JSON. */
export interface ContextOutlineState {
  /** The newest only. */
  readonly segments: SegmentsState<Mark>
  readonly olderCount: number
  readonly context: ContextPoint | null
  readonly turnContext: number | null
  readonly tokenCount: number | null
  readonly compactionCount: number
  /** The last end of a turn before the current one: read without that turn, it means another. */
  readonly strayEnd: number
}

/** Where reading for the model has to begin; null: at the start of the log. */
export function contextPoint({ context, strayEnd }: ContextOutlineState): ContextPoint | null {
  return context && context.start > strayEnd ? context : null
}

const MOST_SEGMENTS = 16

/**
 * Folds a log into the point from which `replayModelHistory` has to read: the start of the turn
 * with the newest compaction that was not taken back.
 */
export class ContextOutline {
  readonly #segments: Segments<Mark>
  readonly #olderCount: number
  #context: ContextPoint | null
  #turnContext: number | null
  #tokenCount: number | null
  #compactionCount: number
  #strayEnd: number
  #start = 0
  #isIncomplete = false

  constructor(known?: ContextOutlineState) {
    this.#segments = new Segments(() => this.#mark(), known?.segments)
    this.#olderCount = known?.olderCount ?? 0
    this.#context = known?.context ?? null
    this.#turnContext = known?.turnContext ?? null
    this.#tokenCount = known?.tokenCount ?? null
    this.#compactionCount = known?.compactionCount ?? 0
    this.#strayEnd = known?.strayEnd ?? -1
  }

  /** Turns were taken back that are no longer known. */
  get isIncomplete(): boolean {
    return this.#isIncomplete
  }

  get state(): ContextOutlineState {
    const { segments, beforeMessage } = this.#segments.state
    const extra = Math.max(0, segments.length - MOST_SEGMENTS)
    return {
      segments: { segments: segments.slice(extra), beforeMessage },
      olderCount: this.#olderCount + extra,
      context: this.#context,
      turnContext: this.#turnContext,
      tokenCount: this.#tokenCount,
      compactionCount: this.#compactionCount,
      strayEnd: this.#strayEnd,
    }
  }

  apply(item: RolloutItem, start: number): void {
    this.#start = start
    const before = this.#segments.meet(item)
    if (before) {
      this.#turnContext = before.turnContext
      this.#context = before.context
    }
    if (this.#olderCount > 0 && !this.#segments.current) this.#isIncomplete = true
    if (item.type === 'event_msg' && item.payload.type === 'task_complete') {
      this.#meetEnd(item.payload.turn_id)
    }
    if (item.type === 'turn_context') this.#turnContext = start
    else if (item.type === 'compacted') {
      // Without replacement the model's history is made of what was there before.
      const isReplaced = item.payload.replacement_history !== undefined
      this.#context = isReplaced ? this.#startOfTurn() : null
      this.#compactionCount += 1
    } else if (item.type === 'event_msg' && item.payload.type === 'token_count') {
      if (item.payload.info) this.#tokenCount = start
    }
  }

  #meetEnd(turnId: string): void {
    const named = this.#segments.state.segments.findLast((each) => each.turnId === turnId)
    if (named === undefined ? this.#olderCount > 0 : named !== this.#segments.current) {
      this.#strayEnd = this.#start
    }
  }

  #startOfTurn(): ContextPoint | null {
    const mark = this.#segments.current?.before
    if (!mark) return null
    const { start, turnContext, tokenCount, compactionCount } = mark
    return { start, turnContext, tokenCount, compactionCount }
  }

  #mark(): Mark {
    return {
      start: this.#start,
      turnContext: this.#turnContext,
      tokenCount: this.#tokenCount,
      compactionCount: this.#compactionCount,
      context: this.#context,
    }
  }
}
