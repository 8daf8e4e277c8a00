import type { Clock, FileSystem } from '../../base/index.ts'
import { isEmptyPatch, metadataLines, type ThreadMetadataPatch } from '../../history/index.ts'
import type { RolloutItem, ThreadId } from '../../protocol/index.ts'
import { appendThreadName, readHeader } from '../../rollout/index.ts'
import { ThreadStoreError } from '../errors.ts'
import { checkedPatch } from '../metadata-patch.ts'
import type { StoredThread } from '../store.ts'

export interface MetadataUpdate {
  readonly files: FileSystem
  readonly clock: Clock
  readonly home: string
  readonly threadId: ThreadId
  /** The thread's log, wherever it lies. */
  readonly path: string
  readonly patch: ThreadMetadataPatch
  /** What the log says now. */
  readonly thread: StoredThread
  /** Appends all of the lines, if `confirm` succeeds then, or none of them. */
  append(lines: readonly RolloutItem[], confirm: () => Promise<void>): Promise<void>
}

/**
 * Routes a patch: git and memory mode become header lines, a name becomes an event and an entry of
 * the shared name index. All of it is there when this returns, and nothing when it throws.
 */
export async function updateLocalMetadata(update: MetadataUpdate): Promise<void> {
  const { files, home, threadId, path, clock, thread } = update
  const { git, memoryMode, goal = null } = thread
  const patch = checkedPatch(update.patch)
  if (isEmptyPatch(patch)) return
  const header = await readHeader(files, path)
  if (!header || thread.threadId !== threadId) {
    const reason = `metadata id mismatch: expected ${threadId}, found ${thread.threadId}`
    throw new ThreadStoreError({ code: 'conflict', reason })
  }
  const tellName = async () => {
    if (patch.name === undefined) return
    await appendThreadName(files, home, { threadId, name: patch.name, atMs: clock.nowMs() })
  }
  if (header.history_mode !== 'paginated') {
    await update.append(metadataLines(threadId, patch, { header, git, memoryMode, goal }), tellName)
    return
  }
  refuseLines(threadId, patch)
  await tellName()
}

/** A log with numbered lines takes none of ours; its name lives in the shared index alone. */
function refuseLines(threadId: ThreadId, patch: ThreadMetadataPatch): void {
  const isNameOnly = [patch.git, patch.memoryMode, patch.goal].every((each) => each === undefined)
  if (isNameOnly) return
  const reason = `thread ${threadId} has numbered lines: only its name can be changed yet`
  throw new ThreadStoreError({ code: 'unsupported', reason })
}
