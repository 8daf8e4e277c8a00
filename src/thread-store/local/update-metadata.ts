import type { Clock, FileSystem } from '../../base/index.ts'
import {
  type CurrentMetadata,
  isEmptyPatch,
  metadataLines,
  SummaryFold,
  type ThreadMetadataPatch,
} from '../../history/index.ts'
import type { RolloutItem, ThreadId } from '../../protocol/index.ts'
import { appendThreadName, loadRollout } from '../../rollout/index.ts'
import { ThreadStoreError } from '../errors.ts'
import { checkedPatch } from '../metadata-patch.ts'

export interface MetadataUpdate {
  readonly files: FileSystem
  readonly clock: Clock
  readonly home: string
  readonly threadId: ThreadId
  /** The thread's log, wherever it lies. */
  readonly path: string
  readonly patch: ThreadMetadataPatch
  /** Appends all of the lines, if `confirm` succeeds then, or none of them. */
  append(lines: readonly RolloutItem[], confirm: () => Promise<void>): Promise<void>
}

/**
 * Routes a patch: git and memory mode become header lines, a name becomes an event and an entry of
 * the shared name index. All of it is there when this returns, and nothing when it throws.
 */
export async function updateLocalMetadata(update: MetadataUpdate): Promise<void> {
  const { files, home, threadId, path, clock } = update
  const patch = checkedPatch(update.patch)
  if (isEmptyPatch(patch)) return
  const current = await readCurrent(files, path, threadId)
  const tellName = async () => {
    if (patch.name === undefined) return
    await appendThreadName(files, home, { threadId, name: patch.name, atMs: clock.nowMs() })
  }
  if (current.header.history_mode !== 'paginated') {
    await update.append(metadataLines(threadId, patch, current), tellName)
    return
  }
  refuseLines(threadId, patch)
  await tellName()
}

/** A log with numbered lines takes none of ours; its name lives in the shared index alone. */
function refuseLines(threadId: ThreadId, patch: ThreadMetadataPatch): void {
  if (patch.git === undefined && patch.memoryMode === undefined) return
  const reason = `thread ${threadId} has numbered lines: only its name can be changed yet`
  throw new ThreadStoreError({ code: 'unsupported', reason })
}

async function readCurrent(
  files: FileSystem,
  path: string,
  threadId: ThreadId,
): Promise<CurrentMetadata> {
  const { lines } = await loadRollout(files, path)
  const fold = new SummaryFold()
  for (const { item } of lines) fold.apply(item)
  const summary = fold.finish()
  const header = lines.map(({ item }) => item).find((item) => item.type === 'session_meta')?.payload
  if (!header || summary?.threadId !== threadId) {
    const reason = `metadata id mismatch: expected ${threadId}, found ${header?.id}`
    throw new ThreadStoreError({ code: 'conflict', reason })
  }
  return { header, git: summary.git, memoryMode: summary.memoryMode }
}
