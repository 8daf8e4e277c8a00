import type { FileSystem } from '../../base/index.ts'
import {
  contextPoint,
  countCompactions,
  foldTurnsSlice,
  type OutlinedTurn,
} from '../../history/index.ts'
import type { RolloutItem, Turn } from '../../protocol/index.ts'
import { type DamagedLine, type RolloutPart, readEntries, readHeader } from '../../rollout/index.ts'
import type { ListTurns, TurnPage } from '../store.ts'
import { decodeTurnCursor, goneTurn, pageCursors } from '../turn-cursor.ts'
import { OutlineLost, type ThreadOutline } from './thread-outline.ts'

/** A page of turns, read from the bytes that tell of them. */
export async function readTurnPage(
  files: FileSystem,
  path: string,
  outline: ThreadOutline,
  params: ListTurns,
): Promise<TurnPage> {
  try {
    return await turnPage(files, path, outline, params)
  } catch (error) {
    const again = error instanceof OutlineLost ? await outline.again() : undefined
    if (!again) throw error
    return await turnPage(files, path, again, params)
  }
}

const MOST_TURNS = 1_000_000

async function turnPage(
  files: FileSystem,
  path: string,
  outline: ThreadOutline,
  params: ListTurns,
): Promise<TurnPage> {
  const { direction } = params
  const limit = Math.min(MOST_TURNS, Math.max(1, Math.floor(params.limit)))
  const afterOrder = params.cursor === undefined ? undefined : orderOf(outline, params)
  const window = {
    direction,
    limit: limit + 1,
    ...(afterOrder === undefined ? {} : { afterOrder }),
  }
  const found = outline.page(window)
  const page = found.slice(0, limit)
  // The index may go while the file is read.
  const cursors = pageCursors(
    page.map(({ turnId, order }) =>
      outline.find(turnId)?.order === order ? { turnId } : { turnId, order },
    ),
    found.length > limit,
  )
  const turns = await readTurns(files, path, outline, page, params.isRunning === true)
  return { turns: direction === 'asc' ? turns : turns.reverse(), ...cursors }
}

function orderOf(outline: ThreadOutline, { cursor, direction }: ListTurns): number {
  const { turnId, order, includeAnchor } = decodeTurnCursor(cursor ?? '')
  const turn = outline.find(turnId, order === undefined ? undefined : order + 1)
  if (!turn || (order !== undefined && turn.order !== order)) throw goneTurn()
  if (!includeAnchor) return turn.order
  return direction === 'asc' ? turn.order - 1 : turn.order + 1
}

/** The turns of a run of them, in any order; answered oldest first. */
export async function readTurns(
  files: FileSystem,
  path: string,
  outline: ThreadOutline,
  run: readonly OutlinedTurn[],
  isRunning: boolean,
): Promise<Turn[]> {
  const inOrder = [...run].sort((a, b) => a.order - b.order)
  const [first, last] = [inOrder[0], inOrder.at(-1)]
  if (!first || !last) return []
  const part = { start: first.startOffset, end: Math.max(...run.map((each) => each.endOffset)) }
  const { entries } = await readEntries(files, path, [part])
  const [newest] = outline.page({ direction: 'desc', limit: 1 })
  return foldTurnsSlice({
    entries,
    from: first.before,
    isEarlierTurn: (turnId) => outline.find(turnId, first.order) !== undefined,
    startOffsets: new Set(inOrder.map(({ startOffset }) => startOffset)),
    isRunning: isRunning && newest?.order === last.order,
  })
}

interface ModelContext {
  readonly items: RolloutItem[]
  readonly damage: readonly DamagedLine[]
  readonly compactionCount: number
}

/** The items that the model's history hangs on; undefined when it hangs on all of them. */
export async function readModelContext(
  files: FileSystem,
  path: string,
  outline: ThreadOutline,
): Promise<ModelContext | undefined> {
  const point = contextPoint(outline.state.context)
  if (!point) return undefined
  const header = await readHeader(files, path)
  if (!header) return undefined
  const single = [point.turnContext, point.tokenCount]
    .filter((offset) => offset !== null)
    .sort((a, b) => a - b)
    .map((start) => ({ start, isOneLine: true }))
  // What comes behind the outline may take back what it names.
  const parts: RolloutPart[] = [...single, { start: point.start, end: outline.endBytes }]
  const { entries } = await readEntries(files, path, parts)
  const items = entries.map(({ item }) => item)
  return {
    items: [{ type: 'session_meta', payload: header }, ...items],
    damage: outline.damage,
    compactionCount: point.compactionCount + countCompactions(items),
  }
}
