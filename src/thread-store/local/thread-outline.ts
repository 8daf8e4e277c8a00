import type { OutlinedTurn, OutlineState, ThreadSummary } from '../../history/index.ts'
import type { DamagedLine } from '../../rollout/index.ts'
import type { OutlineIndex, TurnsWindow } from '../../state/index.ts'

/** Where the turns of a log are, as it was at one moment: up to `endBytes`. */
export interface ThreadOutline {
  readonly summary: ThreadSummary
  readonly state: OutlineState
  readonly endBytes: number
  /** The last entry has no line end yet. */
  readonly isEndOpen: boolean
  /** Of whole lines. */
  readonly damagedLines: number
  /** The first of them, and a line that was cut off at the end. */
  readonly damage: readonly DamagedLine[]
  /** Turns that are not taken back, in the order that is asked for. */
  page(window: TurnsWindow): OutlinedTurn[]
  /** The last turn of that id that is not taken back, of those before `beforeOrder` if given. */
  find(turnId: string, beforeOrder?: number): OutlinedTurn | undefined
  /** The turn that began next, taken back or not. */
  next(order: number): OutlinedTurn | undefined
  /** The same from the log itself, for when the index fails with `OutlineLost`. */
  again(): Promise<ThreadOutline | undefined>
}

/** The index, or the outline in it, went away while it was asked. */
export class OutlineLost extends Error {
  override readonly name = 'OutlineLost'
}

export type OutlineFacts = Omit<ThreadOutline, 'page' | 'find' | 'next'>

/** An outline whose turns are in the index. */
export function indexedOutline(
  facts: OutlineFacts,
  { turns }: OutlineIndex,
  outlineId: number,
): ThreadOutline {
  const { turnCount } = facts.state
  return {
    ...facts,
    page: (window) => found(turns.page(outlineId, turnCount, window)),
    find: (turnId, beforeOrder) => found(turns.find(outlineId, turnId, beforeOrder))[0],
    next: (order) => found(turns.next(outlineId, turnCount, order))[0],
  }
}

function found<T>(answer: T | undefined): T {
  if (answer === undefined) throw new OutlineLost('the index of turns cannot be read')
  return answer
}

/** An outline that was made just now. */
export function foldedOutline(facts: OutlineFacts, all: readonly OutlinedTurn[]): ThreadOutline {
  const shown = all.filter((turn) => !turn.isTakenBack)
  return {
    ...facts,
    page: (window) => windowOf(shown, window),
    find: (turnId, beforeOrder = Number.POSITIVE_INFINITY) =>
      shown.findLast((turn) => turn.turnId === turnId && turn.order < beforeOrder),
    next: (order) => all.find((turn) => turn.order > order),
  }
}

/** An outline as a base has it, but for its newest turns. */
export function changedOutline(
  facts: OutlineFacts,
  base: ThreadOutline,
  newest: readonly OutlinedTurn[],
): ThreadOutline {
  const first = newest[0]?.order ?? Number.POSITIVE_INFINITY
  const own = foldedOutline(facts, newest)
  return {
    ...own,
    page: (window) => {
      const older = base
        .page({ ...window, limit: window.limit + newest.length })
        .filter((turn) => turn.order < first)
      return windowOf([...older, ...own.page(window)].sort(byOrder), window)
    },
    find: (turnId, beforeOrder = Number.POSITIVE_INFINITY) =>
      own.find(turnId, beforeOrder) ?? base.find(turnId, Math.min(beforeOrder, first)),
    next: (order) =>
      [base.next(order), own.next(order)].filter((turn) => turn !== undefined).sort(byOrder)[0],
  }
}

function byOrder(a: OutlinedTurn, b: OutlinedTurn): number {
  return a.order - b.order
}

/** Of turns that are oldest first. */
function windowOf(
  turns: readonly OutlinedTurn[],
  { direction, limit, afterOrder }: TurnsWindow,
): OutlinedTurn[] {
  const isBeyond = ({ order }: OutlinedTurn) => {
    if (afterOrder === undefined) return true
    return direction === 'asc' ? order > afterOrder : order < afterOrder
  }
  const inOrder = direction === 'asc' ? turns : turns.toReversed()
  return inOrder.filter(isBeyond).slice(0, limit)
}
