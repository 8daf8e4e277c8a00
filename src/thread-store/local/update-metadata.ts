import type { Clock, FileSystem } from '../../base/index.ts'
import {
  type CurrentMetadata,
  isEmptyPatch,
  metadataLines,
  type ThreadMetadataPatch,
} from '../../history/index.ts'
import type { RolloutItem, ThreadId } from '../../protocol/index.ts'
import { appendThreadName, loadRollout } from '../../rollout/index.ts'
import { ThreadStoreError } from '../errors.ts'
import { checkedPatch, currentOf } from '../metadata-patch.ts'

export interface MetadataUpdate {
  readonly files: FileSystem
  readonly clock: Clock
  readonly home: string
  readonly threadId: ThreadId
  /** The thread's log, wherever it lies. */
  readonly path: string
  readonly patch: ThreadMetadataPatch
  /** Appends to the log in one write, by the live writer or one of its own. */
  append(lines: readonly RolloutItem[]): Promise<void>
}

/**
 * Routes a patch: git and memory mode become header lines, a name becomes an event and an entry of
 * the shared name index. The lines are one write, so that all of them are there or none.
 */
export async function updateLocalMetadata(update: MetadataUpdate): Promise<void> {
  const { files, home, threadId, path, clock } = update
  const patch = checkedPatch(update.patch)
  if (isEmptyPatch(patch)) return
  const current = await readCurrent(files, path, threadId)
  if (current.header.history_mode === 'paginated') refuseLines(threadId, patch)
  else await update.append(metadataLines(threadId, patch, current))
  if (patch.name === undefined) return
  await appendThreadName(files, home, { threadId, name: patch.name, atMs: clock.nowMs() })
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
  const headers = lines.flatMap(({ item }) => (item.type === 'session_meta' ? [item.payload] : []))
  const header = headers[0]
  if (header?.id.toLowerCase() !== threadId) {
    const reason = `metadata id mismatch: expected ${threadId}, found ${header?.id}`
    throw new ThreadStoreError({ code: 'conflict', reason })
  }
  return { header, ...currentOf(headers, header.id) }
}
