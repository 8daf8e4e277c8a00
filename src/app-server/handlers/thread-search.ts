import * as z from 'zod/mini'
import type { JsonObject } from '../../base/index.ts'
import { sourceKinds as wordsFor } from '../../protocol/index.ts'
import {
  decodeListCursor,
  encodeListCursor,
  isBehind,
  type SearchHit,
} from '../../thread-store/index.ts'
import { invalid } from '../protocol/jsonrpc.ts'
import { method } from '../protocol/method.ts'
import { count, optional } from '../protocol/schema.ts'
import { type Route, route } from '../router.ts'
import type { ServerContext } from '../server-context.ts'
import { listed } from './stored-thread.ts'
import { pageSize, sortDirection, sourceKinds, sourcesOf } from './thread-list.ts'

/** Not in 0.133.0. */
const search = method('thread/search', () =>
  z.object({
    searchTerm: z.string(),
    cursor: optional(z.string()),
    limit: optional(count),
    sortKey: optional(z.enum(['created_at', 'updated_at', 'recency_at'])),
    sortDirection,
    sourceKinds,
    archived: optional(z.boolean()),
  }),
)
type SearchParams = z.output<typeof search.params>

/** Threads by what was said in them. Measured from 0.169.0. */
export function threadSearchRoutes(context: ServerContext): Route[] {
  return [route(search, (params) => searchThreads(context, params))]
}

async function searchThreads(context: ServerContext, params: SearchParams): Promise<JsonObject> {
  if (params.searchTerm.trim() === '') {
    throw invalid('thread/search requires a non-empty searchTerm')
  }
  const { cursor, sortDirection: direction = 'desc' } = params
  const after = cursor === undefined ? undefined : decodeListCursor(cursor)
  const places = (await hitsOf(context, params))
    .map((hit) => ({ hit, ...placeOf(hit, params) }))
    .sort((a, b) => (isBehind(a, b, direction) ? -1 : 1))
    .filter((place) => !after || isBehind(after, place, direction))
  const page = places.slice(0, pageSize(params.limit))
  const [first, last] = [page[0], places.length > page.length ? page.at(-1) : undefined]
  return {
    data: page.map(({ hit: { thread, snippet } }) => ({
      thread: listed(context, thread),
      snippet,
    })),
    nextCursor: last ? encodeListCursor(last) : null,
    backwardsCursor: first ? encodeListCursor({ ...first, includeAnchor: true }) : null,
  }
}

function placeOf({ thread }: SearchHit, { sortKey }: SearchParams) {
  const isByCreation = sortKey === undefined || sortKey === 'created_at'
  const atMs = Math.floor(isByCreation ? thread.createdAtMs : thread.updatedAtMs)
  return { atMs, threadId: thread.threadId }
}

const HITS_AT_ONCE = 100
/** Turns with the words, the newest, of which the threads are told. */
const MOST_HITS = 2000

/** The newest place in each thread. */
async function hitsOf(
  { store }: ServerContext,
  { searchTerm, archived, sourceKinds: kinds }: SearchParams,
): Promise<SearchHit[]> {
  const sources = sourcesOf(kinds)
  const found = new Map<string, SearchHit>()
  let cursor: string | undefined
  for (let seen = 0; seen < MOST_HITS; seen += HITS_AT_ONCE) {
    const page = await store.searchThreads({
      // Quotes are for phrases there, and words of the term here.
      query: searchTerm.replaceAll('"', ' '),
      limit: HITS_AT_ONCE,
      isArchived: archived ?? false,
      includeSubagents: true,
      ...(cursor === undefined ? {} : { cursor }),
    })
    for (const hit of page.hits) {
      const isWanted = wordsFor(hit.thread.source).some((word) => sources.includes(word))
      if (isWanted && !found.has(hit.thread.threadId)) found.set(hit.thread.threadId, hit)
    }
    if (page.nextCursor === null) break
    cursor = page.nextCursor
  }
  return [...found.values()]
}
