import type { ThreadMetadataPatch, ThreadSummary } from '../history/index.ts'
import type { RolloutItem, SessionMeta, ThreadId } from '../protocol/index.ts'

/**
 * Where threads live. Session code sees this, never a path, a row or a socket.
 * One writer per thread: `createThread` and `resumeThread` take it, `closeThread` and
 * `discardThread` give it back. Every method throws only `ThreadStoreError`, and `disposed` once
 * the store has been disposed. The rules are in `docs/spec/thread-store.md`, the suite that checks
 * them in `testing/contract.ts`.
 */
export interface ThreadStore extends AsyncDisposable {
  /** Prepares a new thread; nothing is kept before the first append. `conflict` when live. */
  createThread(params: CreateThread): Promise<void>
  /** Opens a stored thread for appending. `conflict` when live, `unsupported` when paginated. */
  resumeThread(threadId: ThreadId, onNotice?: (message: string) => void): Promise<void>
  /**
   * Appends in order; no metadata is derived. Once it returns, the death of the process loses
   * nothing. When it throws, the items stay queued and the next call writes them first.
   */
  appendItems(threadId: ThreadId, items: readonly RolloutItem[]): Promise<void>
  /** What was appended is as durable as the store's level says. */
  flushThread(threadId: ThreadId): Promise<void>
  /** Flushes and gives the writer back. On failure the thread stays live. */
  closeThread(threadId: ThreadId): Promise<void>
  /** Gives the writer back without forcing queued items out. Nothing happens when none is live. */
  discardThread(threadId: ThreadId): Promise<void>
  /** The whole log, live or not. `thread_not_found`, `damaged`. */
  loadHistory(threadId: ThreadId): Promise<StoredHistory>
  /** What a list shows of one thread. `thread_not_found`, `damaged`. */
  readThread(threadId: ThreadId): Promise<StoredThread>
  /** A page of threads, newest first. */
  listThreads(params: ListThreads): Promise<ThreadPage>
  /** Makes the log of a live thread exist though nothing was appended yet. */
  persistThread(threadId: ThreadId): Promise<void>
  /**
   * Changes what a person chose about a thread, live or not, archived or not: all of the patch or
   * nothing of it. A live thread without items gets its log by it. `invalid_request` for a blank
   * name; `unsupported` for what a paginated log cannot be told.
   */
  updateThreadMetadata(threadId: ThreadId, patch: ThreadMetadataPatch): Promise<StoredThread>
  /** Takes a thread out of the usual list. `conflict` while it is live or archived already. */
  archiveThread(threadId: ThreadId): Promise<void>
  /** The way back. `conflict` when it is not archived. */
  unarchiveThread(threadId: ThreadId): Promise<StoredThread>
  /** Removes the thread, its name and its archived copy for good. `conflict` while it is live. */
  deleteThread(threadId: ThreadId): Promise<void>
}

export interface CreateThread {
  readonly threadId: ThreadId
  readonly createdAtMs: number
  /** Makes the first line of the log; called once, when the thread gets its first items. */
  readonly header: () => Promise<SessionMeta>
  /** Hears what the store noticed about the thread's storage. */
  readonly onNotice?: (message: string) => void
}

export interface StoredHistory {
  readonly items: readonly RolloutItem[]
  /** Entries that could not be read, with their place; the others are in `items`. */
  readonly damage: readonly { readonly place: string; readonly reason: string }[]
}

export interface StoredThread extends Omit<ThreadSummary, 'loggedName'> {
  /** Null in a store without paths. */
  readonly rolloutPath: string | null
  readonly name: string | null
  readonly updatedAtMs: number
  readonly sizeBytes: number
  readonly isArchived: boolean
}

export interface ListThreads {
  readonly limit: number
  readonly cursor?: string
  readonly sortKey: 'created' | 'updated'
  readonly isArchived: boolean
  /** Only threads started in this folder. */
  readonly cwd?: string
  /** Only threads of this kind of source: `cli`, `exec`, `vscode`, `subagent`, … */
  readonly source?: string
  readonly modelProvider?: string
  /** Only threads whose git branch is this one. */
  readonly branch?: string
  /** Only threads whose name or first message holds this text, whatever its case. */
  readonly text?: string
  /** Only threads changed at this time or later. */
  readonly updatedSinceMs?: number
  /** Threads that agents started for themselves are left out unless asked for. */
  readonly includeSubagents: boolean
}

export interface ThreadPage {
  readonly threads: readonly StoredThread[]
  /** Null at the end. */
  readonly nextCursor: string | null
  /** Logs met on the way that could not be listed. */
  readonly unreadable: readonly { readonly path: string; readonly reason: string }[]
}
