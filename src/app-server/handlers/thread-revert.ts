import * as z from 'zod/mini'
import type { JsonObject } from '../../base/index.ts'
import type { ThreadId } from '../../protocol/index.ts'
import type { ThreadStore } from '../../thread-store/index.ts'
import { invalid } from '../protocol/jsonrpc.ts'
import { method } from '../protocol/method.ts'
import { type RequestContext, type Route, route } from '../router.ts'
import type { ServerContext } from '../server-context.ts'
import { byThread, loadedThread } from './thread-ids.ts'
import { viewOf } from './thread-view.ts'

/** Not in 0.133.0. */
const revert = method(
  'thread/revert',
  () => z.object({ threadId: z.string(), beforeTurnId: z.string() }),
  { queueKey: byThread },
)

/** Back to before a turn: a line takes turns back, nothing is removed. Measured from 0.169.0. */
export function threadRevertRoutes(context: ServerContext): Route[] {
  return [route(revert, (params, request) => revertThread(context, params, request))]
}

async function revertThread(
  context: ServerContext,
  { threadId: text, beforeTurnId }: z.output<typeof revert.params>,
  { after }: RequestContext,
): Promise<JsonObject> {
  const handle = loadedThread(context, text)
  const { threadId } = handle
  if (handle.isEphemeral) throw invalid('ephemeral threads do not support thread/revert')
  if (handle.activeTurn) throw invalid('Cannot rollback while a turn is in progress.')
  await handle.rollBack(await turnsFrom(context.store, threadId, beforeTurnId))
  const newest = { threadId, limit: 1, direction: 'desc' } as const
  const [turns, items] = [
    await context.store.listTurns(newest),
    await context.store.listItems(newest),
  ]
  after(() => context.broadcast('thread/reverted', { threadId }))
  return {
    thread: await viewOf(context, handle, { includeTurns: false }),
    turnsBackwardsCursor: turns.backwardsCursor,
    itemsBackwardsCursor: items.backwardsCursor,
  }
}

const TURNS_AT_ONCE = 100

/** How many turns there are from this one to the last. */
async function turnsFrom(store: ThreadStore, threadId: ThreadId, turnId: string): Promise<number> {
  let cursor: string | undefined
  for (let behind = 0; ; behind += TURNS_AT_ONCE) {
    const page = await store.listTurns({
      threadId,
      limit: TURNS_AT_ONCE,
      direction: 'desc',
      ...(cursor === undefined ? {} : { cursor }),
    })
    const at = page.turns.findIndex(({ id }) => id === turnId)
    if (at !== -1) return behind + at + 1
    if (page.nextCursor === null) throw invalid(`turn not found: ${turnId}`)
    cursor = page.nextCursor
  }
}
