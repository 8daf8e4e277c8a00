import type { RolloutItem, Turn, TurnItem } from '../protocol/index.ts'
import { type FoldedTurn, TurnFold, type TurnFoldOptions } from './turn-fold.ts'

/**
 * Folds a thread's log into the turns that people see, by the rules of 0.133.0, plus what only
 * our logs hold: commands, and the errors of failed turns. An unfinished turn reads `interrupted`
 * unless `isRunning` says that the last one is live.
 */
export function foldTurns(
  log: Iterable<RolloutItem>,
  options: { isRunning?: boolean } = {},
): Turn[] {
  const fold = new TurnFold({ keep: wholeItem })
  let at = 0
  for (const item of log) fold.apply(item, at, ++at)
  return toTurns(fold.finish(), options.isRunning)
}

/** Some turns of a log, from the entries that tell of them. */
export interface TurnsSlice {
  /** Entries with their bytes, from the start of a turn on. */
  readonly entries: Iterable<{
    readonly item: RolloutItem
    readonly start: number
    readonly end: number
  }>
  /** Where that turn begins, by the outline of the log. */
  readonly from: NonNullable<TurnFoldOptions<TurnItem>['from']>
  readonly isEarlierTurn: (turnId: string) => boolean
  /** Starts of the turns that are wanted. */
  readonly startOffsets: ReadonlySet<number>
  /** The last of them is running. */
  readonly isRunning: boolean
}

/** The turns that the whole log would fold into, of those that are wanted. */
export function foldTurnsSlice(slice: TurnsSlice): Turn[] {
  const { from, isEarlierTurn } = slice
  const fold = new TurnFold({ keep: wholeItem, from, isEarlierTurn })
  for (const { item, start, end } of slice.entries) fold.apply(item, start, end)
  const turns = fold.finish().filter((turn) => slice.startOffsets.has(turn.startOffset))
  return toTurns(turns, slice.isRunning)
}

/** Where a turn begins, rolled back or not. */
export interface TurnStart {
  readonly turnId: string
  /** Index into the log of the entry that opened it. */
  readonly index: number
  readonly isTakenBack: boolean
}

export function foldTurnStarts(log: Iterable<RolloutItem>): readonly TurnStart[] {
  const begun: FoldedTurn<TurnItem>[] = []
  const fold = new TurnFold({ keep: wholeItem, onBegin: (turn) => begun.push(turn) })
  let at = 0
  for (const item of log) fold.apply(item, at, ++at)
  const shown = new Set(fold.turns)
  return begun.map((turn) => ({
    turnId: turn.id,
    index: turn.startOffset,
    isTakenBack: !shown.has(turn),
  }))
}

/** A reasoning item grows with each part of it. */
function wholeItem(item: TurnItem, _turn: unknown, last: TurnItem | undefined): TurnItem {
  if (item.type !== 'reasoning' || last?.type !== 'reasoning' || last.id !== item.id) return item
  return { ...last, summary: [...last.summary, ...item.summary] }
}

function toTurns(turns: readonly FoldedTurn<TurnItem>[], isRunning = false): Turn[] {
  const last = turns.at(-1)
  return turns.map((turn) => ({
    id: turn.id,
    status:
      turn.status === 'inProgress' && !(isRunning && turn === last) ? 'interrupted' : turn.status,
    items: turn.items,
    error: turn.error,
    startedAtS: turn.startedAtS,
    completedAtS: turn.completedAtS,
    durationMs: turn.durationMs,
  }))
}
