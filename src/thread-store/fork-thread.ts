import { forkedItems } from '../history/index.ts'
import type { RolloutItem, SessionMeta } from '../protocol/index.ts'
import { ThreadStoreError } from './errors.ts'
import type { ForkThread } from './store.ts'

/** The header of a fork. Throws `unsupported` for a source that cannot be copied yet. */
export function forkHeader(
  { sourceId, threadId, createdAtMs, origin }: ForkThread,
  source: SessionMeta,
): SessionMeta {
  if (source.history_mode === 'paginated') {
    const reason = `thread ${sourceId} has numbered lines; forking it is not built yet`
    throw new ThreadStoreError({ code: 'unsupported', reason })
  }
  return {
    id: threadId,
    forked_from_id: sourceId,
    timestamp: new Date(createdAtMs).toISOString(),
    cwd: source.cwd,
    ...origin,
    ...(source.model_provider ? { model_provider: source.model_provider } : {}),
    ...(source.base_instructions ? { base_instructions: source.base_instructions } : {}),
    ...(source.dynamic_tools ? { dynamic_tools: source.dynamic_tools } : {}),
    ...(source.git ? { git: source.git } : {}),
  }
}

/** What a fork's log holds behind its header. `invalid_request` for a turn that is not there. */
export function forkBody(
  { sourceId, throughTurnId }: ForkThread,
  log: readonly RolloutItem[],
): RolloutItem[] {
  const copy = forkedItems(log, throughTurnId)
  if (copy) return copy
  const reason = `thread ${sourceId} has no turn ${throughTurnId}`
  throw new ThreadStoreError({ code: 'invalid_request', reason })
}
