import { forkedItems } from '../history/index.ts'
import type { SessionMeta, ThreadId } from '../protocol/index.ts'
import { ThreadStoreError } from './errors.ts'
import type { StoredThread, ThreadStore } from './store.ts'

export interface ForkThread {
  readonly sourceId: ThreadId
  readonly threadId: ThreadId
  readonly createdAtMs: number
  /** Last turn to take over; all of them when left out. */
  readonly throughTurnId?: string
  /** Who forks: the header's fields that are not the source's. */
  readonly origin: Pick<SessionMeta, 'originator' | 'cli_version' | 'source'>
}

/**
 * A new thread that begins as another, which stays as it is. The copy is whole when this returns;
 * when it fails there is no new thread. `invalid_request` for a turn that the source does not have.
 */
export async function forkThread(store: ThreadStore, params: ForkThread): Promise<StoredThread> {
  const { sourceId, threadId, createdAtMs, throughTurnId, origin } = params
  const { items } = await store.loadHistory(sourceId)
  const source = items.find((item) => item.type === 'session_meta')?.payload
  const copy = forkedItems(items, throughTurnId)
  if (!copy || !source) {
    const reason = `thread ${sourceId} has no turn ${throughTurnId}`
    throw new ThreadStoreError({ code: 'invalid_request', reason })
  }
  if (source.history_mode === 'paginated') {
    const reason = `thread ${sourceId} has numbered lines; forking it is not built yet`
    throw new ThreadStoreError({ code: 'unsupported', reason })
  }
  const header = async (): Promise<SessionMeta> => ({
    id: threadId,
    forked_from_id: sourceId,
    timestamp: new Date(createdAtMs).toISOString(),
    cwd: source.cwd,
    ...origin,
    ...(source.model_provider ? { model_provider: source.model_provider } : {}),
    ...(source.base_instructions ? { base_instructions: source.base_instructions } : {}),
    ...(source.dynamic_tools ? { dynamic_tools: source.dynamic_tools } : {}),
    ...(source.git ? { git: source.git } : {}),
  })
  await store.createThread({ threadId, createdAtMs, header })
  try {
    await store.appendItems(threadId, copy)
    await store.closeThread(threadId)
  } catch (error) {
    await removeFailed(store, threadId)
    throw error
  }
  return store.readThread(threadId)
}

/** What there is of the copy goes; the failure that is being told says why. */
async function removeFailed(store: ThreadStore, threadId: ThreadId): Promise<void> {
  await store.discardThread(threadId)
  await store.deleteThread(threadId).catch(() => undefined)
}
