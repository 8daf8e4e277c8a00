import type {
  GitInfo,
  MemoryMode,
  RolloutItem,
  SessionMeta,
  ThreadGoal,
  ThreadId,
} from '../protocol/index.ts'
import type { ThreadSummary } from './thread-summary.ts'

/** What a person changes about a thread. Absent: left as it is. Null: cleared. */
export interface ThreadMetadataPatch {
  readonly name?: string | null
  readonly memoryMode?: MemoryMode
  readonly goal?: ThreadGoal | null
  readonly git?: {
    readonly sha?: string | null
    readonly branch?: string | null
    readonly originUrl?: string | null
  }
}

/** What appended items say of a thread. Absent: nothing new. */
export type ObservedFacts = Partial<Omit<ThreadSummary, 'threadId' | 'loggedName'>> & {
  readonly updatedAtMs?: number
}

/** What the log says now of what a patch may change. */
export interface CurrentMetadata {
  /** The first header of the log. */
  readonly header: SessionMeta
  readonly git: GitInfo | null
  readonly memoryMode: MemoryMode
  readonly goal?: ThreadGoal | null
}

export function isEmptyPatch(patch: ThreadMetadataPatch): boolean {
  return [patch.name, patch.memoryMode, patch.git, patch.goal].every((each) => each === undefined)
}

/**
 * The lines that say a patch in the log. Updates of git and memory mode are copies of the first
 * header, as real Codex writes and reads them; a name is an event that it passes over, so that the
 * log carries its own name. Source: `reference/rollout-and-thread-store.md` D.4.
 */
export function metadataLines(
  threadId: ThreadId,
  patch: ThreadMetadataPatch,
  current: CurrentMetadata,
): RolloutItem[] {
  const lines: RolloutItem[] = []
  const { git: _git, ...header } = current.header
  const memory_mode = patch.memoryMode ?? current.memoryMode
  if (patch.memoryMode !== undefined) {
    lines.push({ type: 'session_meta', payload: { ...header, memory_mode } })
  }
  if (patch.git !== undefined) {
    const git = patchedGit(current.git ?? {}, patch.git)
    lines.push({ type: 'session_meta', payload: { ...header, memory_mode, git } })
  }
  if (patch.name !== undefined) {
    const thread_name = patch.name
    const payload = { type: 'thread_name_updated', thread_id: threadId, thread_name } as const
    lines.push({ type: 'event_msg', payload })
  }
  const goal = patch.goal ?? (patch.goal === null ? current.goal : undefined)
  if (goal) {
    // 0.133.0 knows the kind, and drops a line without the whole goal; it passes over `cleared`.
    const told = { type: 'thread_goal_updated', threadId, goal: { ...goal } } as const
    const payload = patch.goal === null ? { ...told, cleared: true } : told
    lines.push({ type: 'event_msg', payload })
  }
  return lines
}

/** An empty object means "explicitly cleared" to every reader. */
function patchedGit(current: GitInfo, patch: NonNullable<ThreadMetadataPatch['git']>): GitInfo {
  const pick = (given: string | null | undefined, kept: string | undefined) =>
    given === undefined ? kept : (given ?? undefined)
  const commit_hash = pick(patch.sha, current.commit_hash)
  const branch = pick(patch.branch, current.branch)
  const repository_url = pick(patch.originUrl, current.repository_url)
  return {
    ...(commit_hash === undefined ? {} : { commit_hash }),
    ...(branch === undefined ? {} : { branch }),
    ...(repository_url === undefined ? {} : { repository_url }),
  }
}
