import { resolve } from 'node:path'
import * as z from 'zod/mini'
import type { JsonObject } from '../../base/index.ts'
import { parseThreadId } from '../../protocol/index.ts'
import type { ListThreads } from '../../thread-store/index.ts'
import { invalid } from '../protocol/jsonrpc.ts'
import { method } from '../protocol/method.ts'
import { count, optional, texts } from '../protocol/schema.ts'
import { type Route, route } from '../router.ts'
import type { ServerContext } from '../server-context.ts'
import { listed } from './stored-thread.ts'

/** What clients call the sources of threads, and what the store calls them. */
const SOURCES = {
  cli: 'cli',
  vscode: 'vscode',
  exec: 'exec',
  appServer: 'mcp',
  subAgent: 'subagent',
  subAgentReview: 'subagent:review',
  subAgentCompact: 'subagent:compact',
  subAgentThreadSpawn: 'subagent:thread_spawn',
  subAgentOther: 'subagent:other',
  unknown: 'unknown',
} as const
type SourceKind = keyof typeof SOURCES

export const sourceKinds = optional(z.array(z.enum(Object.keys(SOURCES) as SourceKind[])))
export const sortDirection = optional(z.enum(['asc', 'desc']))

const folders = z.custom<string | string[]>(
  (value) => typeof value === 'string' || texts.safeParse(value).success,
  'data did not match any variant of untagged enum ThreadListCwdFilter',
)

const list = method('thread/list', () =>
  z.object({
    cursor: optional(z.string()),
    limit: optional(count),
    sortKey: optional(z.enum(['created_at', 'updated_at'])),
    sortDirection,
    modelProviders: optional(texts),
    sourceKinds,
    archived: optional(z.boolean()),
    cwd: optional(folders),
    useStateDbOnly: optional(z.boolean()),
    searchTerm: optional(z.string()),
  }),
)

const loadedList = method('thread/loaded/list', () =>
  z.object({ cursor: optional(z.string()), limit: optional(count) }),
)

const PAGE = 25
const MOST_A_PAGE = 100

/** Left out it is 25; never none, and never more than 100. */
export function pageSize(limit: number | undefined): number {
  return Math.min(MOST_A_PAGE, Math.max(1, limit ?? PAGE))
}

/** The kinds that people start, unless others are asked for. */
export function sourcesOf(kinds: readonly SourceKind[] | undefined): string[] {
  const wanted = kinds === undefined || kinds.length === 0 ? (['cli', 'vscode'] as const) : kinds
  return wanted.map((kind) => SOURCES[kind])
}

/** Lists of threads. Source: `reference/app-server.md` 6.5. */
export function threadListRoutes(context: ServerContext): Route[] {
  return [
    route(list, (params) => listThreads(context, params)),
    route(loadedList, (params) => listLoaded(context, params)),
  ]
}

async function listThreads(
  context: ServerContext,
  params: z.output<typeof list.params>,
): Promise<JsonObject> {
  const page = await context.store.listThreads(wishOf(context, params))
  return {
    data: page.threads.map((stored) => listed(context, stored)),
    nextCursor: page.nextCursor,
    backwardsCursor: page.backwardsCursor,
  }
}

function wishOf(
  { cwd: base, loadConfig }: ServerContext,
  params: z.output<typeof list.params>,
): ListThreads {
  const { cursor, modelProviders, cwd, searchTerm } = params
  const configured = loadConfig([]).modelProvider
  const providers = modelProviders ?? [configured]
  const folders = cwd === undefined ? undefined : [cwd].flat()
  return {
    limit: pageSize(params.limit),
    sortKey: params.sortKey === 'updated_at' ? 'updated' : 'created',
    direction: params.sortDirection ?? 'desc',
    isArchived: params.archived ?? false,
    includeSubagents: false,
    source: sourcesOf(params.sourceKinds),
    ...(cursor === undefined ? {} : { cursor }),
    ...(folders ? { cwd: folders.map((folder) => resolve(base, folder)) } : {}),
    ...(searchTerm ? { exactText: searchTerm } : {}),
    // A thread that names no provider is of the configured one.
    ...(providers.length === 0
      ? {}
      : { modelProvider: providers.includes(configured) ? [...providers, null] : providers }),
  }
}

async function listLoaded(
  { manager }: ServerContext,
  { cursor, limit }: z.output<typeof loadedList.params>,
): Promise<JsonObject> {
  const all = manager.list().map(({ threadId }) => threadId)
  const after = cursor === undefined ? undefined : parseThreadId(cursor)
  // 0.133.0 does not look at the cursor of a list without threads.
  if (cursor !== undefined && !after && all.length > 0) throw invalid(`invalid cursor: ${cursor}`)
  const left = all.sort().filter((threadId) => after === undefined || threadId > after)
  const data = left.slice(0, limit === undefined ? left.length : Math.max(1, limit))
  return { data, nextCursor: data.length < left.length ? (data.at(-1) ?? null) : null }
}
