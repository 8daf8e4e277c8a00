import { resolve } from 'node:path'
import * as z from 'zod/mini'
import type { Json } from '../../base/index.ts'
import type { Connection } from '../connection.ts'
import { invalid } from '../protocol/jsonrpc.ts'
import { method } from '../protocol/method.ts'
import { optional, texts } from '../protocol/schema.ts'
import { type Route, route } from '../router.ts'
import { findFiles, type ListedRoot, listRoots } from '../search/find-files.ts'
import type { ServerContext } from '../server-context.ts'

const experimental = true
const search = method('fuzzyFileSearch', () =>
  z.object({ query: z.string(), roots: texts, cancellationToken: optional(z.string()) }),
)
const sessionId = z.string()
const sessionStart = method(
  'fuzzyFileSearch/sessionStart',
  () => z.object({ sessionId, roots: texts }),
  {
    experimental,
  },
)
const sessionUpdate = method(
  'fuzzyFileSearch/sessionUpdate',
  () => z.object({ sessionId, query: z.string() }),
  { experimental },
)
const sessionStop = method('fuzzyFileSearch/sessionStop', () => z.object({ sessionId }), {
  experimental,
})

const MOST_ROOTS = 32
const MOST_SESSIONS = 32

interface SearchSession {
  readonly listed: Promise<readonly ListedRoot[]>
  readonly stop: AbortController
  /** The query that runs; the next one ends it. */
  running: AbortController | undefined
}

/** What one client searches for; it ends with the client. */
interface Searches {
  readonly sessions: Map<string, SearchSession>
  readonly byToken: Map<string, AbortController>
}

/** Files by a few of their characters. Source: `app-server.md` 18.4. */
export function fuzzySearchRoutes({ cwd }: ServerContext): Route[] {
  const searches = new WeakMap<Connection, Searches>()
  const of = (connection: Connection): Searches => {
    const known = searches.get(connection)
    if (known) return known
    const made: Searches = { sessions: new Map(), byToken: new Map() }
    searches.set(connection, made)
    connection.onClose(() => {
      for (const { stop } of made.sessions.values()) stop.abort()
      made.sessions.clear()
    })
    return made
  }
  const foldersOf = (roots: readonly string[]): string[] => {
    if (roots.length > MOST_ROOTS) throw invalid(`too many roots: limit is ${MOST_ROOTS}`)
    return roots.map((root) => resolve(cwd, root))
  }
  return [
    route(search, async ({ query, roots, cancellationToken }, { connection }) => {
      const folders = foldersOf(roots)
      const { byToken } = of(connection)
      const own = new AbortController()
      if (cancellationToken !== undefined) {
        byToken.get(cancellationToken)?.abort()
        byToken.set(cancellationToken, own)
      }
      const signal = AbortSignal.any([own.signal, connection.closed])
      try {
        return { files: query === '' ? [] : await searchOnce(query, folders, signal) }
      } finally {
        if (cancellationToken !== undefined && byToken.get(cancellationToken) === own) {
          byToken.delete(cancellationToken)
        }
      }
    }),
    route(sessionStart, async ({ sessionId, roots }, { connection }) => {
      if (sessionId === '') throw invalid('sessionId must not be empty')
      const folders = foldersOf(roots)
      const { sessions } = of(connection)
      sessions.get(sessionId)?.stop.abort()
      sessions.delete(sessionId)
      if (sessions.size >= MOST_SESSIONS) {
        throw invalid(`too many fuzzy file search sessions: limit is ${MOST_SESSIONS}`)
      }
      const stop = new AbortController()
      const listed = listRoots(folders, stop.signal)
      // Only whoever waits for the list has use for its failure.
      listed.catch(() => undefined)
      sessions.set(sessionId, { listed, stop, running: undefined })
      return {}
    }),
    route(sessionUpdate, async ({ sessionId, query }, { connection, after }) => {
      const session = of(connection).sessions.get(sessionId)
      if (!session) throw invalid(`fuzzy file search session not found: ${sessionId}`)
      session.running?.abort()
      const running = new AbortController()
      session.running = running
      const signal = AbortSignal.any([running.signal, session.stop.signal])
      after(() => void tell(connection, { sessionId, query }, session, signal))
      return {}
    }),
    route(sessionStop, async ({ sessionId }, { connection }) => {
      const { sessions } = of(connection)
      sessions.get(sessionId)?.stop.abort()
      sessions.delete(sessionId)
      return {}
    }),
  ]
}

async function searchOnce(
  query: string,
  folders: readonly string[],
  signal: AbortSignal,
): Promise<Json[]> {
  try {
    return await findFiles(query, await listRoots(folders, signal), signal)
  } catch (error) {
    // Called off: whoever did that wants no results.
    if (signal.aborted) return []
    throw error
  }
}

async function tell(
  connection: Connection,
  about: { readonly sessionId: string; readonly query: string },
  session: SearchSession,
  signal: AbortSignal,
): Promise<void> {
  try {
    const files = await findFiles(about.query, await session.listed, signal)
    if (signal.aborted) return
    connection.notify('fuzzyFileSearch/sessionUpdated', { ...about, files })
    connection.notify('fuzzyFileSearch/sessionCompleted', { sessionId: about.sessionId })
  } catch (error) {
    // A newer query, the stop or the end of the client: nobody waits for this one.
    if (!signal.aborted) throw error
  }
}
