import { type Clock, systemClock } from '../../base/index.ts'
import {
  countCompactions,
  foldTurns,
  isEmptyPatch,
  metadataLines,
  type ObservedFacts,
  OutlineFold,
  SummaryFold,
  type ThreadMetadataPatch,
  type ThreadSummary,
} from '../../history/index.ts'
import type { RolloutItem, SessionMeta, ThreadId } from '../../protocol/index.ts'
import { checkArguments } from '../arguments.ts'
import { decodeCursor, encodeCursor, invalidCursor } from '../cursor.ts'
import { ThreadStoreError } from '../errors.ts'
import { forkBody, forkHeader } from '../fork-thread.ts'
import { decodeListCursor, encodeListCursor, isBehind } from '../list-cursor.ts'
import { isWanted } from '../list-filter.ts'
import { LiveWriters } from '../live-writers.ts'
import { checkedPatch } from '../metadata-patch.ts'
import { holdsQuery, snippetOf } from '../snippet.ts'
import type {
  CreateThread,
  ForkThread,
  ItemPage,
  ListItems,
  ListThreads,
  ListTurns,
  ResumeThread,
  SearchHit,
  SearchPage,
  SearchThreads,
  StoredHistory,
  StoredThread,
  ThreadPage,
  ThreadRef,
  ThreadStore,
  TurnPage,
} from '../store.ts'
import { pageOfItems, pageOfTurns } from '../turn-pages.ts'

/** Items as they were given, and what was told of them: nothing is made of one for the other. */
interface KeptThread {
  readonly items: RolloutItem[]
  facts: ThreadSummary
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

  /** `clock`: the system's when left out. */
  constructor(clock: Clock = systemClock) {
    checkArguments('InMemoryThreadStore', clock)
    this.#clock = clock
  }

  async createThread(params: CreateThread): Promise<void> {
    checkArguments('createThread', params)
    const { threadId, header } = params
    this.#writers.refuseLive(threadId)
    this.#writers.take(threadId, { header, begun: undefined })
  }

  async resumeThread(threadId: ThreadId, options: ResumeThread = {}): Promise<void> {
    checkArguments('resumeThread', threadId, options)
    this.#writers.refuseLive(threadId)
    if (options.rolloutPath !== undefined) throw noPaths()
    const begun = Promise.resolve(this.#thread(threadId))
    this.#writers.take(threadId, { header: undefined, begun })
  }

  async appendItems(threadId: ThreadId, items: readonly RolloutItem[]): Promise<void> {
    checkArguments('appendItems', threadId, items)
    const writer = this.#writers.require(threadId)
    if (items.length === 0) return
    const copy = structuredClone(items as RolloutItem[])
    const thread = await this.#begun(threadId, writer)
    thread.items.push(...copy)
    thread.updatedAtMs = this.#clock.nowMs()
  }

  async recordObserved(threadId: ThreadId, observed: ObservedFacts): Promise<void> {
    checkArguments('recordObserved', threadId, observed)
    this.#writers.require(threadId)
    const thread = this.#thread(threadId)
    const { updatedAtMs = thread.updatedAtMs, ...facts } = structuredClone(observed)
    thread.facts = { ...thread.facts, ...facts }
    thread.updatedAtMs = updatedAtMs
  }

  livePath(_threadId: ThreadId): string | null {
    return null
  }

  async hasForeignItems(threadId: ThreadId): Promise<boolean> {
    checkArguments('hasForeignItems', threadId)
    this.#writers.require(threadId)
    return false
  }

  async persistThread(threadId: ThreadId): Promise<void> {
    checkArguments('persistThread', threadId)
    await this.#begun(threadId, this.#writers.require(threadId))
  }

  async flushThread(threadId: ThreadId): Promise<void> {
    checkArguments('flushThread', threadId)
    this.#writers.require(threadId)
  }

  async closeThread(threadId: ThreadId): Promise<void> {
    checkArguments('closeThread', threadId)
    this.#writers.giveBack(threadId, this.#writers.require(threadId))
  }

  async discardThread(threadId: ThreadId): Promise<void> {
    checkArguments('discardThread', threadId)
    this.#writers.requireOpen()
    const writer = this.#writers.get(threadId)
    if (writer) this.#writers.giveBack(threadId, writer)
  }

  async loadHistory(ref: ThreadRef): Promise<StoredHistory> {
    checkArguments('loadHistory', ref)
    const thread = this.#thread(ref)
    const items = structuredClone(thread.items)
    const compactionCount = countCompactions(items)
    return { thread: toStored(thread), items, compactionCount, damage: [] }
  }

  async loadModelContext(threadId: ThreadId): Promise<StoredHistory> {
    checkArguments('loadModelContext', threadId)
    return this.loadHistory(threadId)
  }

  async readThread(ref: ThreadRef): Promise<StoredThread> {
    checkArguments('readThread', ref)
    return toStored(this.#thread(ref))
  }

  async listTurns(params: ListTurns): Promise<TurnPage> {
    checkArguments('listTurns', params)
    const { items } = this.#thread(params.threadId)
    const isRunning = params.isRunning === true
    return pageOfTurns(foldTurns(structuredClone(items), { isRunning }), params)
  }

  async listItems(params: ListItems): Promise<ItemPage> {
    checkArguments('listItems', params)
    return pageOfItems(params, (turns) => this.listTurns(turns))
  }

  async searchThreads(params: SearchThreads): Promise<SearchPage> {
    checkArguments('searchThreads', params)
    this.#writers.requireOpen()
    const { cursor, limit, query } = params
    const start = cursor === undefined ? 0 : Number(decodeCursor(cursor).position)
    if (!Number.isInteger(start)) throw invalidCursor(cursor ?? '')
    const found = [...this.#threads.values()]
      .filter((thread) => isSearched(thread, params))
      .sort((a, b) => b.updatedAtMs - a.updatedAtMs)
      .flatMap((thread) => hitsIn(thread, query))
    const end = start + Math.max(1, limit)
    const nextCursor = end < found.length ? encodeCursor({ position: end, threadId: '' }) : null
    return { hits: found.slice(start, end), nextCursor, unreadable: [] }
  }

  async listThreads(params: ListThreads): Promise<ThreadPage> {
    checkArguments('listThreads', params)
    this.#writers.requireOpen()
    const { cursor, direction = 'desc', limit } = params
    const after = cursor === undefined ? undefined : decodeListCursor(cursor)
    const wanted = [...this.#threads.values()]
      .filter((thread) => thread.isArchived === params.isArchived)
      .map((thread) => toStored(thread))
      .filter((stored) => isWanted(stored, params))
      .map((stored) => placed(stored, params))
      .sort((a, b) => (isBehind(a, b, direction) ? -1 : 1))
      .filter((each) => !after || isBehind(after, each, direction))
    const page = wanted.slice(0, Math.max(1, limit))
    const [first, last] = [page[0], wanted.length > page.length ? page.at(-1) : undefined]
    return {
      threads: page.map(({ stored }) => stored),
      nextCursor: last ? encodeListCursor(last) : null,
      backwardsCursor: first ? encodeListCursor({ ...first, includeAnchor: true }) : null,
      unreadable: [],
    }
  }

  async updateThreadMetadata(
    threadId: ThreadId,
    given: ThreadMetadataPatch,
  ): Promise<StoredThread> {
    checkArguments('updateThreadMetadata', threadId, given)
    this.#writers.requireOpen()
    const patch = checkedPatch(given)
    const writer = this.#writers.get(threadId)
    if (writer && !isEmptyPatch(patch)) await this.#begun(threadId, writer)
    const thread = this.#thread(threadId)
    const header = thread.items.find((item) => item.type === 'session_meta')?.payload
    if (header && !isEmptyPatch(patch)) {
      const { git, memoryMode, goal = null } = thread.facts
      const lines = metadataLines(threadId, patch, { header, git, memoryMode, goal })
      thread.items.push(...lines)
      thread.facts = folded(lines, thread.facts)
      thread.updatedAtMs = this.#clock.nowMs()
    }
    return toStored(thread)
  }

  async forkThread(params: ForkThread): Promise<StoredThread> {
    checkArguments('forkThread', params)
    this.#writers.refuseLive(params.threadId)
    const source = this.#thread(params.sourceId)
    if (this.#threads.has(params.threadId)) {
      throw conflict(`there is a thread ${params.threadId} already`)
    }
    const header = source.items.find((item) => item.type === 'session_meta')?.payload
    if (!header) throw noHeader()
    const payload = forkHeader(params, header)
    const body = forkBody(params, source.items)
    const items = structuredClone([{ type: 'session_meta' as const, payload }, ...body])
    const thread = this.#kept(items)
    this.#threads.set(params.threadId, thread)
    return toStored(thread)
  }

  async archiveThread(threadId: ThreadId): Promise<void> {
    checkArguments('archiveThread', threadId)
    this.#writers.refuseLive(threadId)
    const thread = this.#thread(threadId)
    if (thread.isArchived) throw conflict(`thread ${threadId} is archived already`)
    thread.isArchived = true
  }

  async unarchiveThread(threadId: ThreadId): Promise<StoredThread> {
    checkArguments('unarchiveThread', threadId)
    this.#writers.refuseLive(threadId)
    const thread = this.#thread(threadId)
    if (!thread.isArchived) throw conflict(`thread ${threadId} is not archived`)
    thread.isArchived = false
    thread.updatedAtMs = this.#clock.nowMs()
    return toStored(thread)
  }

  async deleteThread(threadId: ThreadId): Promise<void> {
    checkArguments('deleteThread', threadId)
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
    const payload = structuredClone(await makeHeader())
    const thread = this.#kept([{ type: 'session_meta', payload }])
    this.#threads.set(threadId, thread)
    return thread
  }

  #kept(items: RolloutItem[]): KeptThread {
    const updatedAtMs = this.#clock.nowMs()
    return { items, facts: folded(items), updatedAtMs, isArchived: false }
  }

  #thread(ref: ThreadRef): KeptThread {
    this.#writers.requireOpen()
    if (typeof ref !== 'string') throw noPaths()
    const thread = this.#threads.get(ref)
    if (thread) return thread
    throw new ThreadStoreError({ code: 'thread_not_found', threadId: ref })
  }
}

function conflict(reason: string): ThreadStoreError {
  return new ThreadStoreError({ code: 'conflict', reason })
}

function placed(stored: StoredThread, { sortKey }: ListThreads) {
  const atMs = sortKey === 'created' ? stored.createdAtMs : stored.updatedAtMs
  return { stored, threadId: stored.threadId, atMs }
}

function toStored(thread: KeptThread): StoredThread {
  const { loggedName, ...known } = thread.facts
  return {
    ...structuredClone(known),
    rolloutPath: null,
    name: loggedName || null,
    updatedAtMs: thread.updatedAtMs,
    sizeBytes: JSON.stringify(thread.items).length,
    isArchived: thread.isArchived,
  }
}

function folded(items: readonly RolloutItem[], known?: ThreadSummary): ThreadSummary {
  const fold = new SummaryFold(known)
  for (const item of items) fold.apply(item)
  const summary = fold.finish()
  if (summary) return summary
  throw noHeader()
}

function isSearched(thread: KeptThread, params: SearchThreads): boolean {
  const isArchived = params.isArchived === true
  if (thread.isArchived !== isArchived) return false
  const { cwd, includeSubagents } = params
  const filter = { limit: 1, sortKey: 'created', isArchived, includeSubagents } as const
  return isWanted(toStored(thread), { ...filter, ...(cwd === undefined ? {} : { cwd }) })
}

/** The turns of a thread that hold all words of a query, newest first. */
function hitsIn(thread: KeptThread, query: string): SearchHit[] {
  const fold = new OutlineFold()
  for (const [at, item] of thread.items.entries()) fold.apply(item, at, at + 1)
  const said = Map.groupBy(fold.takeTexts(), ({ order }) => order)
  const shown = fold.turns.filter(({ isTakenBack }) => !isTakenBack).reverse()
  return shown.flatMap(({ order, turnId }) => {
    const texts = (said.get(order) ?? []).map(({ text }) => text)
    if (!holdsQuery(texts.join('\n'), query)) return []
    return [{ thread: toStored(thread), turnId, snippet: snippetOf(texts, query) }]
  })
}

function noHeader(): ThreadStoreError {
  return new ThreadStoreError({ code: 'internal', doing: 'the thread has no valid header' })
}

function noPaths(): ThreadStoreError {
  const reason = 'this store keeps threads in memory: they have no paths'
  return new ThreadStoreError({ code: 'unsupported', reason })
}
