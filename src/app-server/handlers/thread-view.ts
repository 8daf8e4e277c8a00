import type { JsonObject } from '../../base/index.ts'
import type { ThreadHandle } from '../../core/index.ts'
import type { ThreadId } from '../../protocol/index.ts'
import { ThreadStoreError } from '../../thread-store/index.ts'
import { wireNewThread, wireThread, wireTurn } from '../projection/thread.ts'
import type { ServerContext } from '../server-context.ts'

const PAGE = 1000

/** A loaded thread as its results show it, with all of its turns where they are wanted. */
export async function viewOf(
  context: ServerContext,
  handle: ThreadHandle,
  { includeTurns }: { readonly includeTurns: boolean },
): Promise<JsonObject> {
  const { threadId, isEphemeral } = handle
  const { status } = context.feedOf(handle)
  const stored = isEphemeral ? undefined : await readStored(context, threadId)
  if (!stored) return wireNewThread(handle, { status, version: context.version })
  const turns = includeTurns ? await allTurns(context, threadId) : []
  return wireThread(stored, { status, turns })
}

/** Every turn, oldest first; the last may be running. */
export async function allTurns(context: ServerContext, threadId: ThreadId): Promise<JsonObject[]> {
  const isRunning = context.manager.get(threadId)?.activeTurn !== undefined
  const found: JsonObject[] = []
  let cursor: string | undefined
  do {
    const page = await context.store.listTurns({
      threadId,
      limit: PAGE,
      direction: 'asc',
      isRunning,
      ...(cursor === undefined ? {} : { cursor }),
    })
    found.push(...page.turns.map((turn) => wireTurn(turn, 'full')))
    cursor = page.nextCursor ?? undefined
  } while (cursor !== undefined)
  return found
}

/** Undefined for a thread in which nothing was said or changed yet. */
export async function readStored(context: ServerContext, threadId: ThreadId) {
  if (context.manager.get(threadId)?.hasItems === false) return undefined
  try {
    return await context.store.readThread(threadId)
  } catch (error) {
    const isNew = error instanceof ThreadStoreError && error.failure.code === 'thread_not_found'
    if (isNew) return undefined
    throw error
  }
}
