import type { JsonObject } from '../../base/index.ts'
import type { ThreadId } from '../../protocol/index.ts'
import type { StoredThread, ThreadMetadataPatch } from '../../thread-store/index.ts'
import { wireThread } from '../projection/thread.ts'
import { invalid, type RpcError } from '../protocol/jsonrpc.ts'
import type { ServerContext } from '../server-context.ts'
import { notFound } from './thread-ids.ts'
import { readStored } from './thread-view.ts'

/** What clients see of a thread that is not loaded. */
const NOT_LOADED: JsonObject = { type: 'notLoaded' }

export function statusOf({ feed }: ServerContext, threadId: ThreadId): JsonObject {
  return feed(threadId)?.status ?? NOT_LOADED
}

/** A thread of a list, without its turns. */
export function listed(context: ServerContext, stored: StoredThread): JsonObject {
  return wireThread(stored, { status: statusOf(context, stored.threadId) })
}

export function noRollout(threadId: ThreadId): RpcError {
  return invalid(`no rollout found for thread id ${threadId}`)
}

/** Changes a thread, loaded or not; `thread not found` when it is neither loaded nor stored. */
export async function updateMetadata(
  { manager, store }: ServerContext,
  threadId: ThreadId,
  patch: ThreadMetadataPatch,
): Promise<StoredThread> {
  const handle = manager.get(threadId)
  return handle ? handle.updateMetadata(patch) : store.updateThreadMetadata(threadId, patch)
}

/**
 * Throws when nothing of a thread can be changed: it is ephemeral, or there is none. Answers what
 * is stored; undefined for a loaded thread that has no log yet.
 */
export async function changeable(
  context: ServerContext,
  threadId: ThreadId,
  isEphemeral = 'does not support metadata updates',
): Promise<StoredThread | undefined> {
  const handle = context.manager.get(threadId)
  if (handle?.isEphemeral) throw invalid(`ephemeral thread ${isEphemeral}: ${threadId}`)
  const stored = await readStored(context, threadId)
  if (!stored && !handle) throw notFound(threadId)
  return stored
}
