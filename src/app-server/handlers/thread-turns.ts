import * as z from 'zod/mini'
import type { JsonObject } from '../../base/index.ts'
import type { ThreadId } from '../../protocol/index.ts'
import { type ItemPage, type ListItems, ThreadStoreError } from '../../thread-store/index.ts'
import { itemOf } from '../projection/notifications.ts'
import { wireTurn } from '../projection/thread.ts'
import { invalid, RpcError } from '../protocol/jsonrpc.ts'
import { method } from '../protocol/method.ts'
import { count, optional } from '../protocol/schema.ts'
import { type Route, route } from '../router.ts'
import type { ServerContext } from '../server-context.ts'
import { threadIdOf } from './thread-ids.ts'
import { pageSize, sortDirection } from './thread-list.ts'
import { readStored } from './thread-view.ts'

const page = { cursor: optional(z.string()), limit: optional(count), sortDirection }

const turnsList = method(
  'thread/turns/list',
  () =>
    z.object({
      threadId: z.string(),
      ...page,
      itemsView: optional(z.enum(['notLoaded', 'summary', 'full'])),
    }),
  { experimental: true },
)

/** 0.133.0 has the method and refuses every call of it. */
const turnItemsList = method(
  'thread/turns/items/list',
  () => z.object({ threadId: z.string(), turnId: z.string(), ...page }),
  { experimental: true },
)

/** An item of the turn that is asked for: what comes is behind it. */
const itemAnchor = z.object({ type: z.literal('item'), itemId: z.string() })

/** Not in 0.133.0. */
const itemsList = method('thread/items/list', () =>
  z.object({
    threadId: z.string(),
    turnId: optional(z.string()),
    ...page,
    cursor: optional(z.union([z.string(), itemAnchor])),
  }),
)

/** Pages of turns and items. Source: `reference/app-server.md` 6.5. */
export function threadTurnsRoutes(context: ServerContext): Route[] {
  return [
    route(turnsList, (params) => listTurns(context, params)),
    route(turnItemsList, async (params) => {
      const threadId = await storedId(context, params.threadId, 'thread/turns/items/list')
      const items = await itemsOf(context, { ...wish(context, threadId, params) })
      return { ...items, data: items.data.map(({ item }) => item) }
    }),
    route(itemsList, (params) => listItems(context, params)),
  ]
}

async function listTurns(
  context: ServerContext,
  params: z.output<typeof turnsList.params>,
): Promise<JsonObject> {
  const { cursor, limit, itemsView = 'summary' } = params
  const threadId = await storedId(context, params.threadId, 'thread/turns/list')
  const { turns, nextCursor, backwardsCursor } = await context.store.listTurns({
    threadId,
    limit: pageSize(limit),
    direction: params.sortDirection ?? 'desc',
    isRunning: isRunning(context, threadId),
    ...(cursor === undefined ? {} : { cursor }),
  })
  return { data: turns.map((turn) => wireTurn(turn, itemsView)), nextCursor, backwardsCursor }
}

/** The times of items are not kept. Source: `reference/app-server.md` 17, and 0.169.0 itself. */
async function listItems(
  context: ServerContext,
  { cursor, ...params }: z.output<typeof itemsList.params>,
): Promise<JsonObject> {
  const threadId = await storedId(context, params.threadId, 'thread/items/list')
  const wanted = wish(context, threadId, params)
  if (typeof cursor === 'string') return entries(await itemsOf(context, { ...wanted, cursor }))
  if (!cursor) return entries(await itemsOf(context, wanted))
  if (!params.turnId) {
    throw new RpcError('invalidParams', 'turnId is required when cursor is an item anchor')
  }
  return entries(await behindItem(context, wanted, cursor.itemId))
}

interface Items {
  readonly data: { readonly turnId: string; readonly item: ReturnType<typeof itemOf> }[]
  readonly nextCursor: string | null
  readonly backwardsCursor: string | null
}

function entries({ data, ...cursors }: Items): JsonObject {
  const times = { startedAtMs: null, completedAtMs: null }
  return { data: data.map((entry) => ({ ...entry, ...times })), ...cursors }
}

async function itemsOf({ store }: ServerContext, wanted: ListItems): Promise<Items> {
  try {
    return shown(await store.listItems(wanted))
  } catch (error) {
    const isGone = error instanceof ThreadStoreError && error.failure.code === 'invalid_request'
    // A turn that is not there has no items.
    if (isGone && wanted.turnId !== undefined && wanted.cursor === undefined) {
      return { data: [], nextCursor: null, backwardsCursor: null }
    }
    throw error
  }
}

function shown({ items, ...cursors }: ItemPage): Items {
  return { data: items.map(({ turnId, item }) => ({ turnId, item: itemOf(item) })), ...cursors }
}

/** More items than one turn has. */
const WHOLE_TURN = 100_000

async function behindItem(
  context: ServerContext,
  wanted: ListItems,
  itemId: string,
): Promise<Items> {
  const whole = await itemsOf(context, { ...wanted, limit: WHOLE_TURN })
  const at = whole.data.findIndex(({ item }) => idOf(item) === itemId)
  if (at === -1) {
    const reason = 'cursor.itemId does not identify an item in the requested history scope'
    throw new RpcError('invalidParams', reason)
  }
  const upToIt = await itemsOf(context, { ...wanted, limit: at + 1 })
  if (upToIt.nextCursor === null) return { data: [], nextCursor: null, backwardsCursor: null }
  return await itemsOf(context, { ...wanted, cursor: upToIt.nextCursor })
}

function idOf(item: ReturnType<typeof itemOf>): unknown {
  return typeof item === 'object' && item !== null && 'id' in item ? item.id : undefined
}

interface ItemsWish {
  readonly turnId?: string | undefined
  readonly cursor?: string | undefined
  readonly limit?: number | undefined
  readonly sortDirection?: 'asc' | 'desc' | undefined
}

function wish(
  context: ServerContext,
  threadId: ThreadId,
  { turnId, cursor, limit, sortDirection: direction = 'asc' }: ItemsWish,
): ListItems {
  return {
    threadId,
    limit: pageSize(limit),
    direction,
    isRunning: isRunning(context, threadId),
    ...(turnId ? { turnId } : {}),
    ...(cursor === undefined ? {} : { cursor }),
  }
}

function isRunning({ manager }: ServerContext, threadId: ThreadId): boolean {
  return manager.get(threadId)?.activeTurn !== undefined
}

/** The id of a thread that has a log; else throws why it has none. */
async function storedId(context: ServerContext, text: string, name: string): Promise<ThreadId> {
  const threadId = threadIdOf(text)
  const handle = context.manager.get(threadId)
  if (handle?.isEphemeral) throw invalid(`ephemeral threads do not support ${name}`)
  if (await readStored(context, threadId)) return threadId
  if (!handle) throw invalid(`thread not loaded: ${threadId}`)
  const reason = `${name} is unavailable before first user message`
  throw invalid(`thread ${threadId} is not materialized yet; ${reason}`)
}
