import { isObject } from '../base/index.ts'
import { invalidCursor } from './cursor.ts'
import { ThreadStoreError } from './errors.ts'

/** A turn of a page. */
export interface TurnAnchor {
  readonly turnId: string
  /** Its place, when a later turn has the same id: else the last of that id is meant. */
  readonly order?: number
}

/** A turn to go on from. The JSON text is what real Codex gives out, too. */
export interface TurnCursor extends TurnAnchor {
  /** The turn itself belongs to the page. */
  readonly includeAnchor: boolean
}

export function encodeTurnCursor({ turnId, order, includeAnchor }: TurnCursor): string {
  return JSON.stringify({ turnId, includeAnchor, ...(order === undefined ? {} : { order }) })
}

/** Throws `invalid_request` for text that no page has given out. */
export function decodeTurnCursor(text: string): TurnCursor {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw invalidCursor(text)
  }
  if (!isObject(value)) throw invalidCursor(text)
  const { turnId, order, includeAnchor } = value
  if (typeof turnId !== 'string' || typeof includeAnchor !== 'boolean') throw invalidCursor(text)
  const place = typeof order === 'number' && Number.isSafeInteger(order) ? { order } : {}
  return { turnId, includeAnchor, ...place }
}

/** In the words of real Codex, which clients may know. */
export function goneTurn(): ThreadStoreError {
  const reason = 'invalid cursor: anchor turn is no longer present'
  return new ThreadStoreError({ code: 'invalid_request', reason })
}

/** The cursors of a page of turns, in its order. */
export function pageCursors(
  page: readonly TurnAnchor[],
  hasMore: boolean,
): { nextCursor: string | null; backwardsCursor: string | null } {
  const cursor = (anchor: TurnAnchor | undefined, includeAnchor: boolean) =>
    anchor === undefined ? null : encodeTurnCursor({ ...anchor, includeAnchor })
  return {
    nextCursor: hasMore ? cursor(page.at(-1), false) : null,
    backwardsCursor: cursor(page[0], true),
  }
}
