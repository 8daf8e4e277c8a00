import { parseThreadId } from '../protocol/index.ts'
import { invalidCursor } from './cursor.ts'

export type Direction = 'asc' | 'desc'

/** A place in a list of threads by time. */
export interface ListPlace {
  readonly atMs: number
  /** Without one the place is behind all threads of that time. */
  readonly threadId?: string
  /** The thread itself belongs to what comes. */
  readonly includeAnchor?: boolean
}

const PLACE = /^(.+?)(?:([/|@])([0-9a-fA-F-]{36}))?$/
const RFC_3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/
const STAMP = /^(\d{4}-\d\d-\d\dT\d\d)-(\d\d)-(\d\d)$/

/** A time, and which of the threads of that time: `/` is behind it, `@` begins with it. */
export function encodeListCursor({ atMs, threadId, includeAnchor }: ListPlace): string {
  const time = new Date(atMs).toISOString()
  return threadId === undefined ? time : `${time}${includeAnchor ? '@' : '/'}${threadId}`
}

/**
 * Reads what other programs give out too: a plain RFC 3339 time, the time of a file name, and
 * `time|id`. Throws `invalid_request` for anything else.
 */
export function decodeListCursor(text: string): ListPlace {
  const [, time = '', mark, id] = PLACE.exec(text) ?? []
  const atMs = timeOf(time)
  if (atMs === undefined) throw invalidCursor(text)
  if (id === undefined) return { atMs }
  const threadId = parseThreadId(id)
  if (!threadId) throw invalidCursor(text)
  return { atMs, threadId, includeAnchor: mark === '@' }
}

/** The time that a file name tells, read as UTC. */
export function stampMs(stamp: string): number {
  return timeOf(stamp) ?? 0
}

function timeOf(text: string): number | undefined {
  const stamp = STAMP.exec(text)
  const plain = stamp ? `${stamp[1]}:${stamp[2]}:${stamp[3]}Z` : text
  const atMs = RFC_3339.test(plain) ? Date.parse(plain.toUpperCase()) : Number.NaN
  return Number.isNaN(atMs) ? undefined : atMs
}

/** Whether a thread comes behind a place, in a list of this direction. */
export function isBehind(
  place: ListPlace,
  { atMs, threadId }: { readonly atMs: number; readonly threadId: string },
  direction: Direction,
): boolean {
  const sign = direction === 'asc' ? 1 : -1
  if (atMs !== place.atMs) return sign * (atMs - place.atMs) > 0
  if (place.threadId === undefined) return false
  if (threadId === place.threadId) return place.includeAnchor === true
  return direction === 'asc' ? threadId > place.threadId : threadId < place.threadId
}
