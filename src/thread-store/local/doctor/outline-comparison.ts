import { isDeepStrictEqual } from 'node:util'
import { type OutlinedTurn, OutlineFold, SummaryFold } from '../../../history/index.ts'
import type {
  DamagedLine,
  RolloutEntry,
  RolloutExtent,
  RolloutVisitor,
} from '../../../rollout/index.ts'
import type { IndexRecord } from '../../../state/index.ts'

/** What is remembered at a time. */
export interface Memory {
  /** So many turns are folded before those that nothing can change any more are compared. */
  readonly turns: number
  /** Turns that are gone on from: those that still may change. */
  readonly lastTurns: number
}

/** The index itself goes on from as many last turns when a file has grown. */
const MEMORY: Memory = { turns: 1024, lastTurns: 16 }

/** Nothing is forgotten: what is found then is certain. */
export const WHOLE_MEMORY: Memory = { turns: Number.POSITIVE_INFINITY, lastTurns: 0 }

export interface DescribedOutline {
  /** The outline of the index. */
  readonly row: IndexRecord
  /** Its turns, in order. */
  readonly turns: Iterator<IndexRecord>
  /** Nothing is ever appended to the file: a last line without its end is whole. */
  readonly isFinal: boolean
}

/**
 * Compares what the index says of a file with the file, while that is read for other reasons too.
 * Turns are forgotten once they are compared, so memory does not grow with the file.
 */
export class OutlineComparison implements RolloutVisitor, Disposable {
  readonly #described: DescribedOutline
  readonly #memory: Memory
  readonly #summary = new SummaryFold()
  #fold = new OutlineFold(undefined, { hasTexts: false })
  /** Taken back, but begun behind a turn that is still to be compared. */
  #late: OutlinedTurn[] = []
  #damagedLines = 0
  #lastDamage = -1
  #windowStart = 0
  #hasSameTurns = true
  #isIncomplete = false
  #failure: unknown

  constructor(described: DescribedOutline, memory = MEMORY) {
    this.#described = described
    this.#memory = memory
  }

  readonly entry = ({ item, start, end }: RolloutEntry, isTerminated: boolean): void => {
    if (!isTerminated && !this.#described.isFinal) return
    this.#summary.apply(item)
    if (!this.#hasSameTurns || this.#isIncomplete) return
    this.#fold.apply(item, start, end)
    if (this.#fold.turnCount - this.#windowStart > this.#memory.turns) this.#forget()
  }

  readonly damage = ({ offset }: DamagedLine): void => {
    this.#damagedLines += 1
    this.#lastDamage = offset
  }

  /**
   * Whether the index is right, once the file was read as far as told; undefined when that takes a
   * reading that forgets nothing: a later entry may have changed a turn that seems to be wrong.
   * Throws what the index threw.
   */
  isRight({ bytes, lines }: RolloutExtent): boolean | undefined {
    const { row, isFinal } = this.#described
    const summary = this.#summary.finish()
    const isLastOpen = !isFinal && this.#lastDamage >= bytes
    const isSame =
      summary !== undefined &&
      isDeepStrictEqual(parsed(row.summary), plain(summary)) &&
      row.folded_bytes === bytes &&
      row.folded_lines === lines &&
      row.damaged_lines === this.#damagedLines - (isLastOpen ? 1 : 0)
    if (!isSame) return false
    if (this.#hasSameTurns && !this.#isIncomplete) this.#compareRest()
    if (this.#failure !== undefined) throw this.#failure
    if (this.#hasSameTurns && !this.#isIncomplete) return true
    return this.#windowStart > 0 ? undefined : false
  }

  [Symbol.dispose](): void {
    this.#described.turns.return?.()
  }

  #forget(): void {
    if (this.#fold.isIncomplete) {
      this.#isIncomplete = true
      return
    }
    const kept = this.#fold.turns.filter((turn) => !turn.isTakenBack)
    const lastTurns = kept.slice(-this.#memory.lastTurns)
    const first = lastTurns[0]?.order ?? this.#fold.turnCount
    this.#compare((turn) => turn.order < first)
    this.#late = this.#late.filter((turn) => turn.order > first && turn.isTakenBack)
    this.#windowStart = this.#fold.turnCount
    const known = { state: this.#fold.state, lastTurns }
    this.#fold = new OutlineFold(known, { hasTexts: false })
  }

  #compareRest(): void {
    if (this.#fold.isIncomplete) {
      this.#isIncomplete = true
      return
    }
    this.#compare(() => true)
    if (this.#hasSameTurns) this.#hasSameTurns = this.#nextRow() === undefined
  }

  /** Compares the turns that are `isSettled`, in order; the others wait, those taken back too. */
  #compare(isSettled: (turn: OutlinedTurn) => boolean): void {
    const turns = [...this.#late, ...this.#fold.turns].sort((a, b) => a.order - b.order)
    this.#late = []
    for (const turn of turns) {
      if (!isSettled(turn)) this.#late.push(turn)
      else if (this.#hasSameTurns) this.#hasSameTurns = isSameTurn(this.#nextRow(), turn)
    }
  }

  #nextRow(): IndexRecord | undefined {
    try {
      const next = this.#described.turns.next()
      return next.done ? undefined : next.value
    } catch (error) {
      this.#failure = error
      return undefined
    }
  }
}

function isSameTurn(row: IndexRecord | undefined, turn: OutlinedTurn): boolean {
  return (
    row !== undefined &&
    row.turn_order === turn.order &&
    row.turn_id === turn.turnId &&
    row.status === turn.status &&
    row.start_offset === turn.startOffset &&
    row.end_offset === turn.endOffset &&
    (row.is_taken_back === 1) === turn.isTakenBack
  )
}

export function parsed(text: unknown): unknown {
  try {
    return JSON.parse(String(text))
  } catch {
    // Not by us, so not what the file says.
    return undefined
  }
}

export function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value))
}
