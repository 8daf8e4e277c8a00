import type { JsonObject } from '../../base/index.ts'
import type { StoredThread } from '../../thread-store/index.ts'

/** Version of the JSON that `threads` prints; raised when a field changes its meaning. */
export const SCHEMA_VERSION = 1

function time(ms: number): string {
  return new Date(ms).toISOString()
}

/** A thread in the JSON output of the command line. Times are RFC 3339 in UTC, sizes bytes. */
export function threadJson(thread: StoredThread): JsonObject {
  return {
    id: thread.threadId,
    name: thread.name,
    preview: thread.preview,
    cwd: thread.cwd,
    source: thread.source,
    originator: thread.originator,
    modelProvider: thread.modelProvider,
    model: thread.model,
    reasoningEffort: thread.reasoningEffort,
    tokens: thread.tokenUsage && { ...thread.tokenUsage },
    createdAt: time(thread.createdAtMs),
    updatedAt: time(thread.updatedAtMs),
    archived: thread.isArchived,
    forkedFromId: thread.forkedFromId,
    historyMode: thread.historyMode,
    cliVersion: thread.cliVersion,
    git: thread.git && { ...thread.git },
    memoryMode: thread.memoryMode,
    path: thread.rolloutPath,
    sizeBytes: thread.sizeBytes,
  }
}
