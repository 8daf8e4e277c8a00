import { isObject } from '../base/index.ts'
import type { Turn, TurnItem } from '../protocol/index.ts'
import { invalidCursor } from './cursor.ts'
import type { ItemPage, ListItems, ListTurns, TurnPage } from './store.ts'
import { decodeTurnCursor, encodeTurnCursor, goneTurn, pageCursors } from './turn-cursor.ts'

/** A page of turns of which all are at hand. */
export function pageOfTurns(turns: readonly Turn[], params: ListTurns): TurnPage {
  const isUpwards = params.direction === 'asc'
  const places = turns.map((_turn, index) => index)
  const inOrder = isUpwards ? places : places.reverse()
  const anchor = params.cursor === undefined ? undefined : placeOf(turns, params, params.cursor)
  const start = anchor === undefined ? 0 : isUpwards ? anchor : turns.length - 1 - anchor
  const page = inOrder.slice(start, start + Math.max(1, Math.floor(params.limit)))
  const found = page.map((place) => turns[place]).filter((turn) => turn !== undefined)
  const anchors = page.map((order, index) => {
    const turnId = found[index]?.id ?? ''
    return lastPlace(turns, turnId) === order ? { turnId } : { turnId, order }
  })
  return { turns: found, ...pageCursors(anchors, start + page.length < inOrder.length) }
}

function lastPlace(turns: readonly Turn[], turnId: string): number {
  return turns.findLastIndex(({ id }) => id === turnId)
}

/** Where the page begins. */
function placeOf(turns: readonly Turn[], { direction }: ListTurns, text: string): number {
  const { turnId, order, includeAnchor } = decodeTurnCursor(text)
  const at = order ?? lastPlace(turns, turnId)
  if (turns[at]?.id !== turnId) throw goneTurn()
  if (includeAnchor) return at
  return direction === 'asc' ? at + 1 : at - 1
}

/** Where a page of items ends. */
interface ItemCursor {
  /** Cursor of the item's turn. */
  readonly turn: string
  /** Place in its turn, which does not change. */
  readonly index: number
  /** The item itself belongs to the page. */
  readonly includeAnchor: boolean
}

interface PlacedItem {
  readonly turnId: string
  readonly item: TurnItem
  readonly index: number
  /** The page of turns it was in, and its turn's place there. */
  readonly page: TurnPage
  readonly turnIndex: number
}

type ReadTurns = (params: ListTurns) => Promise<TurnPage>

/** A page of items, from pages of turns. */
export async function pageOfItems(params: ListItems, listTurns: ReadTurns): Promise<ItemPage> {
  const limit = Math.max(1, Math.floor(params.limit))
  const items: ItemPage['items'][number][] = []
  let first: PlacedItem | undefined
  let last: PlacedItem | undefined
  const cursorAt = async (placed: PlacedItem | undefined, includeAnchor: boolean) =>
    placed ? await cursorOf(placed, includeAnchor, params, listTurns) : null
  for await (const placed of itemsInOrder(params, listTurns)) {
    if (items.length === limit) {
      const nextCursor = await cursorAt(last, false)
      return { items, nextCursor, backwardsCursor: await cursorAt(first, true) }
    }
    first ??= placed
    const { turnId, item } = placed
    items.push({ turnId, item })
    last = placed
  }
  return { items, nextCursor: null, backwardsCursor: await cursorAt(first, true) }
}

const TURNS_AT_ONCE = 10

async function* itemsInOrder(
  { turnId, cursor, ...params }: ListItems,
  listTurns: ReadTurns,
): AsyncGenerator<PlacedItem> {
  const isUpwards = params.direction === 'asc'
  let after = cursor === undefined ? undefined : decodeItemCursor(cursor)
  let next = after?.turn
  if (turnId !== undefined) next ??= encodeTurnCursor({ turnId, includeAnchor: true })
  const limit = turnId === undefined ? TURNS_AT_ONCE : 1
  for (;;) {
    const from = next === undefined ? {} : { cursor: next }
    const page = await listTurns({ ...params, limit, ...from })
    const isOther = turnId !== undefined && page.turns[0]?.id !== turnId
    if (isOther && cursor !== undefined) throw invalidCursor(cursor)
    for (const [turnIndex, turn] of page.turns.entries()) {
      const all = turn.items.map((item, index) => ({ turnId: turn.id, item, index }))
      const known = after
      after = undefined
      for (const placed of isUpwards ? all : all.reverse()) {
        if (!known || isBehindItem(known, placed.index, isUpwards))
          yield { ...placed, page, turnIndex }
      }
    }
    if (page.nextCursor === null || turnId !== undefined) return
    next = page.nextCursor
  }
}

function isBehindItem(known: ItemCursor, index: number, isUpwards: boolean): boolean {
  if (index === known.index) return known.includeAnchor
  return isUpwards ? index > known.index : index < known.index
}

/** Ids of turns can repeat, cursors of them do not: the store is asked for that of the turn. */
async function cursorOf(
  { page, turnIndex, index }: PlacedItem,
  includeAnchor: boolean,
  { direction, threadId }: ListItems,
  listTurns: ReadTurns,
): Promise<string> {
  let turn = page.backwardsCursor ?? ''
  if (turnIndex > 0) {
    const ask = { threadId, direction, cursor: turn, limit: turnIndex }
    const before = await listTurns(ask)
    const own = before.nextCursor ?? turn
    // What is asked in the other direction begins with the turn itself.
    const page = includeAnchor ? await listTurns({ ...ask, cursor: own, limit: 1 }) : undefined
    turn = page?.backwardsCursor ?? own
  }
  return JSON.stringify({ turn, index, includeAnchor } satisfies ItemCursor)
}

/** Throws `invalid_request` for text that no page has given out. */
function decodeItemCursor(text: string): ItemCursor {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw invalidCursor(text)
  }
  const { turn, index, includeAnchor } = isObject(value) ? value : {}
  if (typeof turn !== 'string' || typeof index !== 'number') throw invalidCursor(text)
  return { turn, index, includeAnchor: includeAnchor === true }
}
