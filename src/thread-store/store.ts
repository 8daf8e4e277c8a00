import type { ObservedFacts, ThreadMetadataPatch, ThreadSummary } from '../history/index.ts'
import type { RolloutItem, SessionMeta, ThreadId, Turn, TurnItem } from '../protocol/index.ts'

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
  /**
   * Opens a stored thread for appending. `conflict` when it has a writer, here or in another
   * process; `unsupported` for a log that cannot be appended to.
   */
  resumeThread(threadId: ThreadId, options?: ResumeThread): Promise<void>
  /**
   * Appends in order; no metadata is derived. Once it returns, the death of the process loses
   * nothing. When it throws, the items stay queued and the next call writes them first.
   */
  appendItems(threadId: ThreadId, items: readonly RolloutItem[]): Promise<void>
  /**
   * What appended items say of a live thread, for what lists show of it: a store need not look
   * into items. Adds nothing to the log. `thread_not_found` before the first items.
   */
  recordObserved(threadId: ThreadId, facts: ObservedFacts): Promise<void>
  /** What was appended is as durable as the store's level says. */
  flushThread(threadId: ThreadId): Promise<void>
  /** Flushes and gives the writer back. On failure the thread stays live. */
  closeThread(threadId: ThreadId): Promise<void>
  /** Gives the writer back without forcing queued items out. Nothing happens when none is live. */
  discardThread(threadId: ThreadId): Promise<void>
  /**
   * Whether a program that knows no leases has appended to a live thread since this was last
   * asked. What its writer appends comes behind that.
   */
  hasForeignItems(threadId: ThreadId): Promise<boolean>
  /**
   * The path of a live thread's log, also before it is there. Null for a thread that is not live,
   * and in a store without paths.
   */
  livePath(threadId: ThreadId): string | null
  /** The thread with its whole log, live or not. `thread_not_found`, `damaged`. */
  loadHistory(thread: ThreadRef): Promise<StoredHistory>
  /**
   * As much of the log as the model's history hangs on: `replayModelHistory` makes the same of it
   * as of the whole. Behind a compaction that is little.
   */
  loadModelContext(threadId: ThreadId): Promise<StoredHistory>
  /** What a list shows of one thread. `thread_not_found`, `damaged`. */
  readThread(thread: ThreadRef): Promise<StoredThread>
  /** A page of threads by time, newest first unless asked otherwise. */
  listThreads(params: ListThreads): Promise<ThreadPage>
  /** Threads in which people or agents said something, newest text first. */
  searchThreads(params: SearchThreads): Promise<SearchPage>
  /** A page of a thread's turns. `invalid_request` for a cursor whose turn is gone. */
  listTurns(params: ListTurns): Promise<TurnPage>
  /** A page of the items of a thread, or of one of its turns. */
  listItems(params: ListItems): Promise<ItemPage>
  /** Makes the log of a live thread exist though nothing was appended yet. */
  persistThread(threadId: ThreadId): Promise<void>
  /**
   * Changes what a person chose about a thread, live or not, archived or not: all of the patch or
   * nothing of it. A live thread without items gets its log by it. `invalid_request` for a blank
   * name; `unsupported` for what a paginated log cannot be told.
   */
  updateThreadMetadata(threadId: ThreadId, patch: ThreadMetadataPatch): Promise<StoredThread>
  /**
   * A new, closed thread that begins as another, which stays as it is. The copy is whole when this
   * returns; when it fails there is no new thread. `invalid_request` for a turn that the source
   * does not have.
   */
  forkThread(params: ForkThread): Promise<StoredThread>
  /** Takes a thread out of the usual list. `conflict` while it is live or archived already. */
  archiveThread(threadId: ThreadId): Promise<void>
  /** The way back. `conflict` when it is not archived. */
  unarchiveThread(threadId: ThreadId): Promise<StoredThread>
  /** Removes the thread, its name and its archived copy for good. `conflict` while it is live. */
  deleteThread(threadId: ThreadId): Promise<void>
}

/** A thread by its id or, in a store that has paths, by the path of its log. */
export type ThreadRef = ThreadId | { readonly rolloutPath: string }

export interface CreateThread {
  readonly threadId: ThreadId
  readonly createdAtMs: number
  /** Makes the first line of the log; called once, when the thread gets its first items. */
  readonly header: () => Promise<SessionMeta>
  /** Hears what the store noticed about the thread's storage. */
  readonly onNotice?: (message: string) => void
}

export interface ResumeThread {
  /** The log itself, wherever it lies, where there are paths; else the thread is looked up. */
  readonly rolloutPath?: string
  /** Hears what the store noticed about the thread's storage. */
  readonly onNotice?: (message: string) => void
}

export interface ForkThread {
  readonly sourceId: ThreadId
  readonly threadId: ThreadId
  readonly createdAtMs: number
  /** Last turn to take over; all of them when left out. */
  readonly throughTurnId?: string
  /** Who forks: the header's fields that are not the source's. */
  readonly origin: Pick<SessionMeta, 'originator' | 'cli_version' | 'source'>
}

export interface StoredHistory {
  readonly thread: StoredThread
  readonly items: readonly RolloutItem[]
  /** Of the whole log, also where `items` is a part of it; taken back or not. */
  readonly compactionCount: number
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
  /** What a page gave out; an RFC 3339 time is the place behind all threads of that time. */
  readonly cursor?: string
  readonly sortKey: 'created' | 'updated'
  /** `desc`, newest first, when left out. */
  readonly direction?: 'asc' | 'desc'
  readonly isArchived: boolean
  /** Only threads started in this folder, or in one of these. */
  readonly cwd?: string | readonly string[]
  /** Only threads started in this folder or below it. */
  readonly projectRoot?: string
  /**
   * Only threads of this kind of source, or of one of these: `cli`, `exec`, `vscode`, `subagent`,
   * `subagent:review`, …
   */
  readonly source?: string | readonly string[]
  /** Only threads of this provider, or of one of these; null is a thread that names none. */
  readonly modelProvider?: string | readonly (string | null)[]
  /** Only threads whose git branch is this one. */
  readonly branch?: string
  /** Only threads whose name or first message holds this text, whatever its case. */
  readonly text?: string
  /** Only threads whose name or preview holds this text as it is written. */
  readonly exactText?: string
  /** Only threads changed at this time or later. */
  readonly updatedSinceMs?: number
  /** Threads that agents started for themselves are left out unless asked for. */
  readonly includeSubagents: boolean
  /** Hears how many of the threads behind the cursor were looked at, where that takes time. */
  readonly onProgress?: (progress: IndexProgress) => void
}

export interface ThreadPage {
  readonly threads: readonly StoredThread[]
  /** Null at the end. */
  readonly nextCursor: string | null
  /** Asks, in the other direction, for the page's first thread and what is before it. */
  readonly backwardsCursor: string | null
  /** Logs met on the way that could not be listed. */
  readonly unreadable: readonly { readonly path: string; readonly reason: string }[]
}

export interface SearchThreads {
  /** Words that all have to be there, each as the beginning of one; `"…"` is a phrase. */
  readonly query: string
  readonly limit: number
  readonly cursor?: string
  readonly isArchived?: boolean
  readonly cwd?: string
  readonly includeSubagents: boolean
  /** Hears how far the index is, when it has to be made first. */
  readonly onProgress?: (progress: IndexProgress) => void
  readonly signal?: AbortSignal
}

export interface IndexProgress {
  readonly doneThreads: number
  readonly totalThreads: number
}

/** A turn in which the words were found. */
export interface SearchHit {
  readonly thread: StoredThread
  readonly turnId: string
  /** Text around the first word found, on one line. */
  readonly snippet: string
}

export interface SearchPage {
  readonly hits: readonly SearchHit[]
  /** Null at the end. */
  readonly nextCursor: string | null
  readonly unreadable: ThreadPage['unreadable']
}

export interface ListTurns {
  readonly threadId: ThreadId
  readonly limit: number
  readonly cursor?: string
  /** `desc` begins with the newest turn. */
  readonly direction: 'asc' | 'desc'
  /** An unfinished last turn is running, not interrupted. */
  readonly isRunning?: boolean
}

export interface TurnPage {
  readonly turns: readonly Turn[]
  /** Null at the end. */
  readonly nextCursor: string | null
  /** Asks, in the other direction, for the page's first turn and what is before it. */
  readonly backwardsCursor: string | null
}

export interface ListItems extends ListTurns {
  /** Only the items of this turn. */
  readonly turnId?: string
}

export interface ItemPage {
  readonly items: readonly { readonly turnId: string; readonly item: TurnItem }[]
  /** Null at the end. */
  readonly nextCursor: string | null
  /** Asks, in the other direction, for the page's first item and what is before it. */
  readonly backwardsCursor: string | null
}
