import { invalid } from './jsonrpc.ts'

export interface PageParams {
  readonly cursor?: string | undefined
  readonly limit?: number | undefined
}

/**
 * A page of a list that is at hand; its cursor is a position. `things` is what 0.133.0 calls the
 * entries to whoever asks past the end.
 */
export function pageOf<T>(
  all: readonly T[],
  { cursor, limit }: PageParams,
  things: string,
): { data: T[]; nextCursor: string | null } {
  const start = cursor === undefined ? 0 : positionOf(cursor)
  if (start > all.length) throw invalid(`cursor ${start} exceeds total ${things} ${all.length}`)
  const end = Math.min(all.length, start + Math.max(1, limit ?? all.length))
  return { data: all.slice(start, end), nextCursor: end < all.length ? String(end) : null }
}

function positionOf(cursor: string): number {
  const position = /^\+?\d{1,15}$/.test(cursor) ? Number(cursor) : Number.NaN
  if (Number.isSafeInteger(position)) return position
  throw invalid(`invalid cursor: ${cursor}`)
}
