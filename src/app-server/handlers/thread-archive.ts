import * as z from 'zod/mini'
import type { JsonObject } from '../../base/index.ts'
import type { ThreadId } from '../../protocol/index.ts'
import { invalid } from '../protocol/jsonrpc.ts'
import { method } from '../protocol/method.ts'
import { type RequestContext, type Route, route } from '../router.ts'
import type { ServerContext } from '../server-context.ts'
import { listed, noRollout } from './stored-thread.ts'
import { byThread, threadIdOf } from './thread-ids.ts'
import { readStored } from './thread-view.ts'

const oneThread = z.object({ threadId: z.string() })
const inOrder = { queueKey: byThread } as const
const archive = method('thread/archive', () => oneThread, inOrder)
const unarchive = method('thread/unarchive', () => oneThread, inOrder)
/** Not in 0.133.0. */
const remove = method('thread/delete', () => oneThread, inOrder)

/** Out of the list, back into it, and away for good. Source: `reference/app-server.md` 4, 6.6. */
export function threadArchiveRoutes(context: ServerContext): Route[] {
  return [
    route(archive, ({ threadId }, request) => archiveThread(context, threadId, request)),
    route(unarchive, ({ threadId }, request) => unarchiveThread(context, threadId, request)),
    route(remove, ({ threadId }, request) => deleteThread(context, threadId, request)),
  ]
}

async function archiveThread(
  context: ServerContext,
  text: string,
  { after }: RequestContext,
): Promise<JsonObject> {
  const threadId = threadIdOf(text)
  const stored = await keptOf(context, threadId)
  if (!stored || stored.isArchived) throw noRollout(threadId)
  await unload(context, threadId)
  await context.store.archiveThread(threadId)
  after(() => context.broadcast('thread/archived', { threadId }))
  return {}
}

async function unarchiveThread(
  context: ServerContext,
  text: string,
  { after }: RequestContext,
): Promise<JsonObject> {
  const threadId = threadIdOf(text)
  const stored = await keptOf(context, threadId)
  if (!stored?.isArchived) throw invalid(`no archived rollout found for thread id ${threadId}`)
  // It was resumed in the archive: whoever writes to it has to let the file go first.
  await unload(context, threadId)
  const thread = listed(context, await context.store.unarchiveThread(threadId))
  after(() => context.broadcast('thread/unarchived', { threadId }))
  return { thread }
}

async function deleteThread(
  context: ServerContext,
  text: string,
  { after }: RequestContext,
): Promise<JsonObject> {
  const threadId = threadIdOf(text)
  const isLoaded = context.manager.get(threadId) !== undefined
  if (!(await keptOf(context, threadId))) {
    if (!isLoaded) throw noRollout(threadId)
    throw invalid(`thread is not persisted and cannot be deleted: ${threadId}`)
  }
  await unload(context, threadId)
  await context.store.deleteThread(threadId)
  after(() => context.broadcast('thread/deleted', { threadId }))
  return {}
}

/** What is kept of a thread: nothing of an ephemeral one. */
async function keptOf(context: ServerContext, threadId: ThreadId) {
  const isEphemeral = context.manager.get(threadId)?.isEphemeral === true
  return isEphemeral ? undefined : await readStored(context, threadId)
}

/** Interrupts what runs and lets the thread go, if it is loaded. */
async function unload({ manager }: ServerContext, threadId: ThreadId): Promise<void> {
  await manager.get(threadId)?.close()
}
