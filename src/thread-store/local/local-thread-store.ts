import { dirname } from 'node:path'
import {
  type Clock,
  errorCode,
  errorText,
  type FileSystem,
  givenOf,
  nodeFileSystem,
  systemClock,
} from '../../base/index.ts'
import {
  countCompactions,
  isEmptyPatch,
  type ObservedFacts,
  type ThreadMetadataPatch,
} from '../../history/index.ts'
import type { RolloutItem, ThreadId } from '../../protocol/index.ts'
import {
  type Durability,
  findRollout,
  loadRollout,
  type RolloutFile,
  readHeader,
  removeThreadNames,
  rolloutPath,
} from '../../rollout/index.ts'
import type { CodexThreadFacts, IndexedFile } from '../../state/index.ts'
import { checkArguments } from '../arguments.ts'
import { ThreadStoreError } from '../errors.ts'
import { forkBody, forkHeader } from '../fork-thread.ts'
import { checkedPatch } from '../metadata-patch.ts'
import type {
  CreateThread,
  ForkThread,
  ItemPage,
  ListItems,
  ListThreads,
  ListTurns,
  ResumeThread,
  SearchPage,
  SearchThreads,
  StoredHistory,
  StoredThread,
  ThreadPage,
  ThreadRef,
  ThreadStore,
  TurnPage,
} from '../store.ts'
import { pageOfItems } from '../turn-pages.ts'
import { copyFork, forkCut } from './fork-rollout.ts'
import { HomeAccess } from './home-access.ts'
import { ThreadLister, toStoredThread } from './list-threads.ts'
import { LiveRollouts } from './live-rollouts.ts'
import { conflict, damaged, guard } from './local-errors.ts'
import { archiveRollout, unarchiveRollout } from './move-thread.ts'
import { Outliner, WORTH_INDEXING_BYTES } from './outliner.ts'
import { readModelContext, readTurnPage } from './read-turns.ts'
import { indexRollouts, type SearchSources, searchIndex } from './search-threads.ts'
import type { ThreadOutline } from './thread-outline.ts'
import { updateLocalMetadata } from './update-metadata.ts'

export interface LocalThreadStoreOptions {
  /** Folder that holds `sessions/`; shared with real Codex. */
  readonly home: string
  /** The system's when left out. */
  readonly files?: FileSystem
  /** The system's when left out. */
  readonly clock?: Clock
  /** `turn` when left out. */
  readonly durability?: Durability
  /** Named to whoever is refused a thread that is open here; `bobbin` when left out. */
  readonly client?: string
}

const MOST_MOVES = 3

const DEFAULTS = {
  files: nodeFileSystem,
  clock: systemClock,
  durability: 'turn',
  client: 'bobbin',
} as const

/** Threads as rollout files in a Codex home, with a SQLite index that can be thrown away. */
export class LocalThreadStore implements ThreadStore {
  readonly #options: Required<LocalThreadStoreOptions>
  readonly #home: HomeAccess
  readonly #live: LiveRollouts
  readonly #lister: ThreadLister
  readonly #outliner: Outliner
  /** What search has seen in the index. */
  readonly #indexed = new Map<string, IndexedFile>()
  /** The end of the last call that waits or works, by thread: see `#inOrder`. */
  readonly #queues = new Map<ThreadId, Promise<void>>()

  /** Throws `invalid_request` for options that make no store; touches nothing yet. */
  constructor(options: LocalThreadStoreOptions) {
    checkArguments('LocalThreadStore', options)
    this.#options = { ...DEFAULTS, ...givenOf(options) }
    const { files, home, clock, durability, client } = this.#options
    this.#home = new HomeAccess(files, home, clock)
    this.#live = new LiveRollouts({ files, home, clock, durability, client })
    this.#lister = new ThreadLister(files, home)
    this.#outliner = new Outliner(files, () => this.#home.index())
  }

  async createThread(params: CreateThread): Promise<void> {
    checkArguments('createThread', params)
    this.#live.create(params)
  }

  async resumeThread(threadId: ThreadId, options: ResumeThread = {}): Promise<void> {
    checkArguments('resumeThread', threadId, options)
    return this.#inOrder(threadId, async () => {
      this.#live.refuseLive(threadId)
      const { rolloutPath: path } = options
      const file = await (path === undefined ? this.#home.find(threadId) : this.#home.at(path))
      await this.#live.resume(file, threadId, options)
    })
  }

  async appendItems(threadId: ThreadId, items: readonly RolloutItem[]): Promise<void> {
    checkArguments('appendItems', threadId, items)
    return this.#live.append(threadId, items)
  }

  async recordObserved(threadId: ThreadId, facts: ObservedFacts): Promise<void> {
    checkArguments('recordObserved', threadId, facts)
    // The log holds them; whoever lists the thread next reads what came to it.
    this.#live.requireLive(threadId)
    if (!this.#live.writer(threadId)?.isMaterialised) {
      throw new ThreadStoreError({ code: 'thread_not_found', threadId })
    }
  }

  async persistThread(threadId: ThreadId): Promise<void> {
    checkArguments('persistThread', threadId)
    return this.#live.persist(threadId)
  }

  async flushThread(threadId: ThreadId): Promise<void> {
    checkArguments('flushThread', threadId)
    return this.#live.flush(threadId)
  }

  livePath(threadId: ThreadId): string | null {
    return this.#live.writer(threadId)?.path ?? null
  }

  async hasForeignItems(threadId: ThreadId): Promise<boolean> {
    checkArguments('hasForeignItems', threadId)
    return this.#live.hasForeignItems(threadId)
  }

  async closeThread(threadId: ThreadId): Promise<void> {
    checkArguments('closeThread', threadId)
    this.#live.requireLive(threadId)
    await this.#inOrder(threadId, () => this.#live.close(threadId))
  }

  async discardThread(threadId: ThreadId): Promise<void> {
    checkArguments('discardThread', threadId)
    this.#live.requireOpen()
    await this.#inOrder(threadId, () => this.#live.discard(threadId))
  }

  async loadHistory(thread: ThreadRef): Promise<StoredHistory> {
    checkArguments('loadHistory', thread)
    return this.#following(thread, (file) => this.#loadHistory(file))
  }

  async #loadHistory(file: RolloutFile): Promise<StoredHistory> {
    const { items, damage, summary } = await guard(() =>
      loadRollout(this.#options.files, file.path),
    )
    const facts = await this.#factsOf(file)
    const stored = toStoredThread(file, facts, summary, await this.#home.names())
    const compactionCount = countCompactions(items)
    return { thread: stored, items, compactionCount, damage: placed(file.path, damage) }
  }

  async loadModelContext(threadId: ThreadId): Promise<StoredHistory> {
    checkArguments('loadModelContext', threadId)
    return this.#following(threadId, (file) => this.#loadModelContext(file))
  }

  async #loadModelContext(file: RolloutFile): Promise<StoredHistory> {
    const { sizeBytes } = await this.#factsOf(file)
    // What is read in no time needs no outline.
    if (sizeBytes < WORTH_INDEXING_BYTES) return this.#loadHistory(file)
    const outline = await this.#outline(file)
    const context = await guard(() => readModelContext(this.#options.files, file.path, outline))
    if (!context) return this.#loadHistory(file)
    const thread = await this.#read(file)
    const { items, compactionCount } = context
    return { thread, items, compactionCount, damage: placed(file.path, context.damage) }
  }

  async readThread(thread: ThreadRef): Promise<StoredThread> {
    checkArguments('readThread', thread)
    return this.#following(thread, (file) => this.#read(file))
  }

  async listThreads(params: ListThreads): Promise<ThreadPage> {
    checkArguments('listThreads', params)
    this.#live.requireOpen()
    this.#home.requireReadable()
    const unreadable: ThreadPage['unreadable'][number][] = []
    const note = (path: string, error: unknown) => {
      unreadable.push({ path, reason: errorText(error) })
    }
    const [index, names] = await Promise.all([this.#home.index(), this.#home.names(note)])
    const page = await guard(() => this.#lister.list(params, { index, names }))
    return { ...page, unreadable: [...unreadable, ...page.unreadable] }
  }

  async searchThreads(params: SearchThreads): Promise<SearchPage> {
    checkArguments('searchThreads', params)
    this.#live.requireOpen()
    const isThere = this.#home.requireReadable()
    if (!isThere) return { hits: [], nextCursor: null, unreadable: [] }
    const index = await this.#home.indexSoon()
    if (!index) {
      const doing = `search needs the index of ${this.#options.home}, which cannot be opened`
      throw new ThreadStoreError({ code: 'internal', doing: `${doing} now` })
    }
    const names = await this.#home.names()
    const unreadable: ThreadPage['unreadable'][number][] = []
    const isArchived = params.isArchived === true
    const sources: SearchSources = {
      files: this.#options.files,
      index,
      rollouts: await this.#lister.rollouts(isArchived, index, unreadable),
      indexed: this.#indexed,
      read: (files) => this.#lister.read(files, { index, names }),
    }
    return guard(async () => {
      unreadable.push(...(await indexRollouts(sources, params)))
      return { ...(await searchIndex(sources, params)), unreadable }
    })
  }

  async listTurns(params: ListTurns): Promise<TurnPage> {
    checkArguments('listTurns', params)
    return this.#following(params.threadId, async (file) => {
      const outline = await this.#outline(file)
      return guard(() => readTurnPage(this.#options.files, file.path, outline, params))
    })
  }

  async listItems(params: ListItems): Promise<ItemPage> {
    checkArguments('listItems', params)
    return pageOfItems(params, (turns) => this.listTurns(turns))
  }

  async updateThreadMetadata(
    threadId: ThreadId,
    patch: ThreadMetadataPatch,
  ): Promise<StoredThread> {
    checkArguments('updateThreadMetadata', threadId, patch)
    return this.#inOrder(threadId, () => this.#update(threadId, patch))
  }

  async #update(threadId: ThreadId, patch: ThreadMetadataPatch): Promise<StoredThread> {
    this.#live.requireOpen()
    const { files, home, clock } = this.#options
    const isEmpty = isEmptyPatch(checkedPatch(patch))
    const writer = this.#live.writer(threadId)
    if (writer && !isEmpty) await this.persistThread(threadId)
    if (isEmpty) return this.readThread(threadId)
    await this.#locate(threadId)
    await using _ = writer ? undefined : await this.#live.takeLease(threadId)
    // Whoever had it before may have moved the file.
    const file = await this.#locate(threadId)
    const thread = await this.#read(file)
    await guard(() =>
      updateLocalMetadata({
        files,
        home,
        clock,
        threadId,
        path: file.path,
        patch,
        thread,
        append: (lines, confirm) =>
          writer ? writer.appendWhole(lines, confirm) : this.#live.appendCold(file, lines, confirm),
      }),
    )
    const changed = await this.#read(file)
    await this.#home.tellCodex(threadId, codexFacts(patch, changed))
    return changed
  }

  /** The copy has no writer: nobody knows its id before it is whole. */
  async forkThread(params: ForkThread): Promise<StoredThread> {
    checkArguments('forkThread', params)
    this.#live.refuseLive(params.threadId)
    await this.#following(params.sourceId, (source) => this.#copyFork(source, params))
    return await this.readThread(params.threadId)
  }

  async #copyFork(source: RolloutFile, params: ForkThread): Promise<void> {
    const { files, home, clock } = this.#options
    const { threadId, createdAtMs, throughTurnId } = params
    const header = await guard(() => readHeader(files, source.path))
    if (!header) throw damaged(source.path)
    const to = rolloutPath(home, threadId, createdAtMs)
    const copy = { files, home, to, header: forkHeader(params, header) }
    const outline = await this.#outline(source)
    const cut = forkCut(outline, throughTurnId)
    const nowMs = clock.nowMs()
    await guard(async () => {
      if (cut) return copyFork({ ...copy, nowMs, body: { source: source.path, ...cut } })
      const { items } = await loadRollout(files, source.path)
      return copyFork({ ...copy, nowMs, body: forkBody(params, items) })
    })
  }

  async archiveThread(threadId: ThreadId): Promise<void> {
    checkArguments('archiveThread', threadId)
    const { files, home } = this.#options
    return this.#moving(threadId, async (file) => {
      if (file.isArchived) throw conflict(`thread ${threadId} is archived already`)
      await archiveRollout(files, home, file)
    })
  }

  async unarchiveThread(threadId: ThreadId): Promise<StoredThread> {
    checkArguments('unarchiveThread', threadId)
    const { files, clock, home } = this.#options
    return this.#moving(threadId, async (file) => {
      if (!file.isArchived) throw conflict(`thread ${threadId} is not archived`)
      return this.#read(await unarchiveRollout(files, clock, home, file))
    })
  }

  /** The log goes last: as long as it is there, a delete that failed can be tried again. */
  async deleteThread(threadId: ThreadId): Promise<void> {
    checkArguments('deleteThread', threadId)
    const { files, home } = this.#options
    return this.#moving(threadId, async (first) => {
      await removeThreadNames(files, home, threadId)
      const index = await this.#home.index()
      // There may be an archived copy beside the active one.
      let file: RolloutFile | undefined = first
      while (file) {
        await files.remove(file.path)
        await files.syncDirectory(dirname(file.path))
        index?.remove([file.path])
        file = await findRollout(files, home, threadId)
      }
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#live.dispose()
    await Promise.all(this.#queues.values())
    await Promise.all(this.#live.threadIds().map((threadId) => this.#live.discard(threadId)))
    await this.#home[Symbol.asyncDispose]()
  }

  /** Works on the file of a thread that nobody has open, while nobody can open it. */
  #moving<T>(threadId: ThreadId, work: (file: RolloutFile) => Promise<T>): Promise<T> {
    return this.#inOrder(threadId, async () => {
      this.#live.refuseLive(threadId)
      await this.#home.find(threadId)
      await using _ = await this.#live.takeLease(threadId)
      const moved = async () => work(await this.#home.find(threadId))
      try {
        return await guard(moved)
      } catch (error) {
        // Programs that know no leases may have moved it in between.
        if (!(error instanceof Error) || errorCode(error.cause) !== 'ENOENT') throw error
        return await guard(moved)
      }
    })
  }

  /**
   * What decides who writes to a thread, where it lies and what people call it: one call after the
   * other, so that none acts on what another is about to change.
   */
  #inOrder<T>(threadId: ThreadId, work: () => Promise<T>): Promise<T> {
    const result = (this.#queues.get(threadId) ?? Promise.resolve()).then(work)
    const end = () => {
      if (this.#queues.get(threadId) === ended) this.#queues.delete(threadId)
    }
    const ended: Promise<void> = result.then(end, end)
    this.#queues.set(threadId, ended)
    return result
  }

  /** The file of a thread: that of its writer, wherever it lies, before all others. */
  async #locate(thread: ThreadRef): Promise<RolloutFile> {
    this.#live.requireOpen()
    if (typeof thread !== 'string') return this.#home.at(thread.rolloutPath)
    const writer = this.#live.writer(thread)
    if (writer && !writer.isMaterialised) {
      throw new ThreadStoreError({ code: 'thread_not_found', threadId: thread })
    }
    if (!writer) return this.#home.find(thread)
    // A program that knows no leases may have archived it: the writer goes on in the same file.
    const isInPlace = await guard(() => this.#options.files.facts(writer.path))
    return isInPlace ? this.#home.at(writer.path) : this.#home.find(thread)
  }

  /** Again when another process has moved the file meanwhile. */
  async #following<T>(thread: ThreadRef, work: (file: RolloutFile) => Promise<T>): Promise<T> {
    for (let left = MOST_MOVES; ; left -= 1) {
      const file = await this.#locate(thread)
      try {
        return await work(file)
      } catch (error) {
        const { files } = this.#options
        if (left === 0 || (await guard(() => files.facts(file.path)))) throw error
      }
    }
  }

  async #factsOf(file: RolloutFile) {
    const facts = await guard(() => this.#options.files.facts(file.path))
    if (facts) return facts
    throw new ThreadStoreError({ code: 'thread_not_found', threadId: file.threadId })
  }

  async #read(file: RolloutFile): Promise<StoredThread> {
    const { sizeBytes } = await this.#factsOf(file)
    const index = sizeBytes < WORTH_INDEXING_BYTES ? undefined : await this.#home.index()
    const names = await this.#home.names()
    const [thread] = await guard(() => this.#lister.read([file], { index, names }))
    if (thread) return thread
    throw new ThreadStoreError({ code: 'thread_not_found', threadId: file.threadId })
  }

  async #outline(file: RolloutFile): Promise<ThreadOutline> {
    const outline = await guard(() => this.#outliner.outline(file.path))
    if (!outline) throw damaged(file.path)
    return outline
  }
}

/** What a patch changed, as real Codex keeps it. */
function codexFacts(patch: ThreadMetadataPatch, { git }: StoredThread): CodexThreadFacts {
  const { name, memoryMode } = patch
  const facts = {
    sha: git?.commit_hash ?? null,
    branch: git?.branch ?? null,
    originUrl: git?.repository_url ?? null,
  }
  return {
    ...(name === undefined ? {} : { title: name?.trim() ?? '' }),
    ...(memoryMode === undefined ? {} : { memoryMode }),
    ...(patch.git === undefined ? {} : { git: facts }),
  }
}

function placed(
  path: string,
  damage: readonly { readonly lineNumber: number; readonly reason: string }[],
): StoredHistory['damage'] {
  return damage.map(({ lineNumber, reason }) => ({ place: `${path}:${lineNumber}`, reason }))
}
