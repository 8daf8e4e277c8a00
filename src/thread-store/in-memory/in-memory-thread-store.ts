import type { Clock } from '../../base/index.ts'
import {
  isEmptyPatch,
  metadataLines,
  SummaryFold,
  type ThreadMetadataPatch,
} from '../../history/index.ts'
import type { RolloutItem, SessionMeta, ThreadId } from '../../protocol/index.ts'
import { type Cursor, decodeCursor, encodeCursor, invalidCursor } from '../cursor.ts'
import { ThreadStoreError } from '../errors.ts'
import { isWanted } from '../list-filter.ts'
import { checkedPatch, currentOf } from '../metadata-patch.ts'
import type {
  CreateThread,
  ListThreads,
  StoredHistory,
  StoredThread,
  ThreadPage,
  ThreadStore,
} from '../store.ts'

interface KeptThread {
  readonly items: RolloutItem[]
  readonly sequence: number
  updatedAtMs: number
  isArchived: boolean
}

/** A live thread: what it needs to begin its log, until it has begun. */
interface Writer {
  readonly header: (() => Promise<SessionMeta>) | undefined
}

/** Threads in the memory of the process: no files, the same rules. For tests and for embedders. */
export class InMemoryThreadStore implements ThreadStore {
  readonly #clock: Clock
  readonly #threads = new Map<ThreadId, KeptThread>()
  readonly #writers = new Map<ThreadId, Writer>()
  #created = 0
  #isDisposed = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  async createThread({ threadId, header }: CreateThread): Promise<void> {
    this.#refuseLive(threadId)
    this.#writers.set(threadId, { header })
  }

  async resumeThread(threadId: ThreadId): Promise<void> {
    this.#refuseLive(threadId)
    this.#thread(threadId)
    this.#writers.set(threadId, { header: undefined })
  }

  async appendItems(threadId: ThreadId, items: readonly RolloutItem[]): Promise<void> {
    this.#requireLive(threadId)
    if (items.length === 0) return
    const thread = await this.#begun(threadId)
    thread.items.push(...structuredClone(items as RolloutItem[]))
    thread.updatedAtMs = this.#clock.nowMs()
  }

  async persistThread(threadId: ThreadId): Promise<void> {
    this.#requireLive(threadId)
    await this.#begun(threadId)
  }

  async flushThread(threadId: ThreadId): Promise<void> {
    this.#requireLive(threadId)
  }

  async closeThread(threadId: ThreadId): Promise<void> {
    this.#requireLive(threadId)
    this.#writers.delete(threadId)
  }

  async discardThread(threadId: ThreadId): Promise<void> {
    this.#requireOpen()
    this.#writers.delete(threadId)
  }

  async loadHistory(threadId: ThreadId): Promise<StoredHistory> {
    return { items: structuredClone(this.#thread(threadId).items), damage: [] }
  }

  async readThread(threadId: ThreadId): Promise<StoredThread> {
    return toStored(this.#thread(threadId))
  }

  async listThreads(params: ListThreads): Promise<ThreadPage> {
    this.#requireOpen()
    const after = params.cursor === undefined ? undefined : decodeCursor(params.cursor)
    if (after && typeof after.position !== 'number') throw invalidCursor(params.cursor ?? '')
    const wanted = [...this.#threads.values()]
      .filter((thread) => thread.isArchived === params.isArchived)
      .map((thread) => ({ stored: toStored(thread), position: positionOf(thread, params) }))
      .filter(({ stored }) => isWanted(stored, params))
      .sort((a, b) => (isBefore(a.position, a.stored, b.position, b.stored) ? -1 : 1))
      .filter(({ position, stored }) => !after || isBeyond(position, stored, after))
    const page = wanted.slice(0, Math.max(1, params.limit))
    const last = page.at(-1)
    const nextCursor =
      last && wanted.length > page.length
        ? encodeCursor({ position: last.position, threadId: last.stored.threadId })
        : null
    return { threads: page.map(({ stored }) => stored), nextCursor, unreadable: [] }
  }

  async updateThreadMetadata(
    threadId: ThreadId,
    given: ThreadMetadataPatch,
  ): Promise<StoredThread> {
    this.#requireOpen()
    const patch = checkedPatch(given)
    if (this.#writers.has(threadId) && !isEmptyPatch(patch)) await this.#begun(threadId)
    const thread = this.#thread(threadId)
    const headers = thread.items.flatMap((item) =>
      item.type === 'session_meta' ? [item.payload] : [],
    )
    const header = headers[0]
    if (header && !isEmptyPatch(patch)) {
      const current = { header, ...currentOf(headers, header.id) }
      thread.items.push(...metadataLines(threadId, patch, current))
      thread.updatedAtMs = this.#clock.nowMs()
    }
    return toStored(thread)
  }

  async archiveThread(threadId: ThreadId): Promise<void> {
    this.#refuseLive(threadId)
    const thread = this.#thread(threadId)
    if (thread.isArchived) throw conflict(`thread ${threadId} is archived already`)
    thread.isArchived = true
  }

  async unarchiveThread(threadId: ThreadId): Promise<StoredThread> {
    this.#refuseLive(threadId)
    const thread = this.#thread(threadId)
    if (!thread.isArchived) throw conflict(`thread ${threadId} is not archived`)
    thread.isArchived = false
    thread.updatedAtMs = this.#clock.nowMs()
    return toStored(thread)
  }

  async deleteThread(threadId: ThreadId): Promise<void> {
    this.#refuseLive(threadId)
    this.#thread(threadId)
    this.#threads.delete(threadId)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#writers.clear()
    this.#isDisposed = true
  }

  /** The thread's log, begun with its header if it had none yet. */
  async #begun(threadId: ThreadId): Promise<KeptThread> {
    const known = this.#threads.get(threadId)
    if (known) return known
    const header = await this.#writers.get(threadId)?.header?.()
    // Another append may have been first while the header was made.
    const begun = this.#threads.get(threadId)
    if (begun || !header) return begun ?? this.#thread(threadId)
    this.#created += 1
    const thread: KeptThread = {
      items: [{ type: 'session_meta', payload: structuredClone(header) }],
      sequence: this.#created,
      updatedAtMs: this.#clock.nowMs(),
      isArchived: false,
    }
    this.#threads.set(threadId, thread)
    return thread
  }

  #thread(threadId: ThreadId): KeptThread {
    this.#requireOpen()
    const thread = this.#threads.get(threadId)
    if (thread) return thread
    throw new ThreadStoreError({ code: 'thread_not_found', threadId })
  }

  #requireLive(threadId: ThreadId): void {
    this.#requireOpen()
    if (this.#writers.has(threadId)) return
    throw new ThreadStoreError({ code: 'thread_not_found', threadId })
  }

  #refuseLive(threadId: ThreadId): void {
    this.#requireOpen()
    if (!this.#writers.has(threadId)) return
    throw conflict(`thread ${threadId} already has a live writer in this process`)
  }

  #requireOpen(): void {
    if (this.#isDisposed) throw new ThreadStoreError({ code: 'disposed' })
  }
}

function conflict(reason: string): ThreadStoreError {
  return new ThreadStoreError({ code: 'conflict', reason })
}

function positionOf(thread: KeptThread, { sortKey }: ListThreads): number {
  return sortKey === 'created' ? thread.sequence : thread.updatedAtMs
}

function isBefore(a: number, first: StoredThread, b: number, second: StoredThread): boolean {
  return a === b ? first.threadId > second.threadId : a > b
}

function isBeyond(position: number, { threadId }: StoredThread, after: Cursor): boolean {
  if (position === after.position) return threadId < after.threadId
  return position < Number(after.position)
}

function toStored(thread: KeptThread): StoredThread {
  const fold = new SummaryFold()
  for (const item of thread.items) fold.apply(item)
  const summary = fold.finish()
  if (!summary) {
    throw new ThreadStoreError({ code: 'internal', doing: 'the thread has no valid header' })
  }
  const { loggedName, ...known } = summary
  return {
    ...known,
    rolloutPath: null,
    name: loggedName || null,
    updatedAtMs: thread.updatedAtMs,
    sizeBytes: JSON.stringify(thread.items).length,
    isArchived: thread.isArchived,
  }
}
