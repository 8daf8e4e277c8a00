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
import { LiveWriters } from '../live-writers.ts'
import { checkedPatch } from '../metadata-patch.ts'
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
  updatedAtMs: number
  isArchived: boolean
}

/** A live thread. */
interface Writer {
  /** Makes the header of a log that has not begun. */
  readonly header: (() => Promise<SessionMeta>) | undefined
  /** The log, or its being begun. All wait for this one promise, which keeps them in order. */
  begun: Promise<KeptThread> | undefined
}

/** Threads in the memory of the process: no files, the same rules. For tests and for embedders. */
export class InMemoryThreadStore implements ThreadStore {
  readonly #clock: Clock
  readonly #threads = new Map<ThreadId, KeptThread>()
  readonly #writers = new LiveWriters<Writer>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  async createThread({ threadId, header }: CreateThread): Promise<void> {
    this.#writers.refuseLive(threadId)
    this.#writers.take(threadId, { header, begun: undefined })
  }

  async resumeThread(threadId: ThreadId): Promise<void> {
    this.#writers.refuseLive(threadId)
    const begun = Promise.resolve(this.#thread(threadId))
    this.#writers.take(threadId, { header: undefined, begun })
  }

  async appendItems(threadId: ThreadId, items: readonly RolloutItem[]): Promise<void> {
    const writer = this.#writers.require(threadId)
    if (items.length === 0) return
    const copy = structuredClone(items as RolloutItem[])
    const thread = await this.#begun(threadId, writer)
    thread.items.push(...copy)
    thread.updatedAtMs = this.#clock.nowMs()
  }

  async persistThread(threadId: ThreadId): Promise<void> {
    await this.#begun(threadId, this.#writers.require(threadId))
  }

  async flushThread(threadId: ThreadId): Promise<void> {
    this.#writers.require(threadId)
  }

  async closeThread(threadId: ThreadId): Promise<void> {
    this.#writers.giveBack(threadId, this.#writers.require(threadId))
  }

  async discardThread(threadId: ThreadId): Promise<void> {
    this.#writers.requireOpen()
    const writer = this.#writers.get(threadId)
    if (writer) this.#writers.giveBack(threadId, writer)
  }

  async loadHistory(threadId: ThreadId): Promise<StoredHistory> {
    return { items: structuredClone(this.#thread(threadId).items), damage: [] }
  }

  async readThread(threadId: ThreadId): Promise<StoredThread> {
    return toStored(this.#thread(threadId))
  }

  async listThreads(params: ListThreads): Promise<ThreadPage> {
    this.#writers.requireOpen()
    const after = params.cursor === undefined ? undefined : decodeCursor(params.cursor)
    if (after && typeof after.position !== 'number') throw invalidCursor(params.cursor ?? '')
    const wanted = [...this.#threads.values()]
      .filter((thread) => thread.isArchived === params.isArchived)
      .map((thread) => toStored(thread))
      .map((stored) => ({ stored, position: positionOf(stored, params) }))
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
    this.#writers.requireOpen()
    const patch = checkedPatch(given)
    const writer = this.#writers.get(threadId)
    if (writer && !isEmptyPatch(patch)) await this.#begun(threadId, writer)
    const thread = this.#thread(threadId)
    const header = thread.items.find((item) => item.type === 'session_meta')?.payload
    if (header && !isEmptyPatch(patch)) {
      const { git, memoryMode } = toStored(thread)
      thread.items.push(...metadataLines(threadId, patch, { header, git, memoryMode }))
      thread.updatedAtMs = this.#clock.nowMs()
    }
    return toStored(thread)
  }

  async archiveThread(threadId: ThreadId): Promise<void> {
    this.#writers.refuseLive(threadId)
    const thread = this.#thread(threadId)
    if (thread.isArchived) throw conflict(`thread ${threadId} is archived already`)
    thread.isArchived = true
  }

  async unarchiveThread(threadId: ThreadId): Promise<StoredThread> {
    this.#writers.refuseLive(threadId)
    const thread = this.#thread(threadId)
    if (!thread.isArchived) throw conflict(`thread ${threadId} is not archived`)
    thread.isArchived = false
    thread.updatedAtMs = this.#clock.nowMs()
    return toStored(thread)
  }

  async deleteThread(threadId: ThreadId): Promise<void> {
    this.#writers.refuseLive(threadId)
    this.#thread(threadId)
    this.#threads.delete(threadId)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#writers.dispose()
  }

  /** The thread's log, begun with its header if it had none yet. */
  #begun(threadId: ThreadId, writer: Writer): Promise<KeptThread> {
    writer.begun ??= this.#begin(threadId, writer.header)
    writer.begun.catch(() => {
      writer.begun = undefined
    })
    return writer.begun
  }

  async #begin(
    threadId: ThreadId,
    makeHeader: (() => Promise<SessionMeta>) | undefined,
  ): Promise<KeptThread> {
    const known = this.#threads.get(threadId)
    if (known || !makeHeader) return known ?? this.#thread(threadId)
    const thread: KeptThread = {
      items: [{ type: 'session_meta', payload: structuredClone(await makeHeader()) }],
      updatedAtMs: this.#clock.nowMs(),
      isArchived: false,
    }
    this.#threads.set(threadId, thread)
    return thread
  }

  #thread(threadId: ThreadId): KeptThread {
    this.#writers.requireOpen()
    const thread = this.#threads.get(threadId)
    if (thread) return thread
    throw new ThreadStoreError({ code: 'thread_not_found', threadId })
  }
}

function conflict(reason: string): ThreadStoreError {
  return new ThreadStoreError({ code: 'conflict', reason })
}

function positionOf(thread: StoredThread, { sortKey }: ListThreads): number {
  return sortKey === 'created' ? thread.createdAtMs : thread.updatedAtMs
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
