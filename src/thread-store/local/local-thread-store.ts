import { access, constants, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type Clock, errorCode, errorText, type FileSystem } from '../../base/index.ts'
import { isEmptyPatch, type ThreadMetadataPatch } from '../../history/index.ts'
import { parseThreadId, type RolloutItem, type ThreadId } from '../../protocol/index.ts'
import {
  type Durability,
  findRollout,
  loadRollout,
  NAME_INDEX_FILE,
  RolloutError,
  type RolloutFile,
  type RolloutNotice,
  RolloutWriter,
  type RolloutWriterOptions,
  readHeader,
  readSummary,
  readThreadNames,
  removeThreadNames,
  rolloutPath,
} from '../../rollout/index.ts'
import type { ThreadIndex } from '../../state/index.ts'
import { ThreadStoreError } from '../errors.ts'
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
import { listLocalThreads, toStoredThread } from './list-threads.ts'
import { archiveRollout, unarchiveRollout } from './move-thread.ts'
import { updateLocalMetadata } from './update-metadata.ts'

export interface LocalThreadStoreOptions {
  /** Folder that holds `sessions/`; shared with real Codex. */
  readonly home: string
  readonly files: FileSystem
  readonly clock: Clock
  readonly durability: Durability
}

export const INDEX_FILE = 'bobbin_1.sqlite'

/** Threads as rollout files in a Codex home, with a SQLite index that can be thrown away. */
export class LocalThreadStore implements ThreadStore {
  readonly #options: LocalThreadStoreOptions
  readonly #writers = new LiveWriters<RolloutWriter>()
  /** The end of the last call that waits or works, by thread: see `#inOrder`. */
  readonly #queues = new Map<ThreadId, Promise<void>>()
  #index: Promise<ThreadIndex | undefined> | undefined

  constructor(options: LocalThreadStoreOptions) {
    this.#options = options
  }

  async createThread({ threadId, createdAtMs, header, onNotice }: CreateThread): Promise<void> {
    this.#writers.refuseLive(threadId)
    const path = rolloutPath(this.#options.home, threadId, createdAtMs)
    const options = this.#writerOptions(path, onNotice)
    const firstLine = async (): Promise<RolloutItem> => ({
      type: 'session_meta',
      payload: await header(),
    })
    this.#writers.take(threadId, RolloutWriter.create(options, firstLine))
  }

  resumeThread(threadId: ThreadId, onNotice?: (message: string) => void): Promise<void> {
    return this.#inOrder(threadId, () => this.#resume(threadId, onNotice))
  }

  async #resume(threadId: ThreadId, onNotice?: (message: string) => void): Promise<void> {
    this.#writers.refuseLive(threadId)
    const file = await this.#find(threadId)
    const header = await this.#guard(() => readHeader(this.#options.files, file.path))
    if (!header) throw damaged(file.path)
    if (parseThreadId(header.id) !== threadId) {
      throw invalid(`${file.path} holds thread ${header.id}, not ${threadId}`)
    }
    if (header.history_mode === 'paginated') {
      const reason = `thread ${threadId} has numbered lines, as newer versions of Codex write them`
      const remedy = 'Bobbin can read it, but cannot append to it yet'
      throw new ThreadStoreError({ code: 'unsupported', reason: `${reason}: ${remedy}` })
    }
    const writer = await this.#guard(() =>
      RolloutWriter.resume(this.#writerOptions(file.path, onNotice)),
    )
    try {
      this.#writers.refuseLive(threadId)
    } catch (error) {
      // Another took the thread while we were opening it.
      await writer[Symbol.asyncDispose]()
      throw error
    }
    this.#writers.take(threadId, writer)
  }

  appendItems(threadId: ThreadId, items: readonly RolloutItem[]): Promise<void> {
    return this.#guard(() => this.#writers.require(threadId).append(items))
  }

  persistThread(threadId: ThreadId): Promise<void> {
    return this.#guard(() => this.#writers.require(threadId).persist())
  }

  flushThread(threadId: ThreadId): Promise<void> {
    return this.#guard(() => this.#writers.require(threadId).flush())
  }

  async closeThread(threadId: ThreadId): Promise<void> {
    const writer = this.#writers.require(threadId)
    await this.#inOrder(threadId, async () => {
      await this.#guard(() => writer.close())
      this.#writers.giveBack(threadId, writer)
    })
  }

  async discardThread(threadId: ThreadId): Promise<void> {
    this.#writers.requireOpen()
    await this.#inOrder(threadId, () => this.#discard(threadId))
  }

  async #discard(threadId: ThreadId): Promise<void> {
    const writer = this.#writers.get(threadId)
    if (!writer) return
    await writer[Symbol.asyncDispose]()
    this.#writers.giveBack(threadId, writer)
  }

  async loadHistory(threadId: ThreadId): Promise<StoredHistory> {
    const live = this.#writers.get(threadId)
    const path = live?.isMaterialised ? live.path : (await this.#find(threadId)).path
    const { lines, damage } = await this.#guard(() => loadRollout(this.#options.files, path))
    return {
      items: lines.map((line) => line.item),
      damage: damage.map(({ lineNumber, reason }) => ({ place: `${path}:${lineNumber}`, reason })),
    }
  }

  async readThread(threadId: ThreadId): Promise<StoredThread> {
    return this.#read(await this.#find(threadId))
  }

  updateThreadMetadata(threadId: ThreadId, patch: ThreadMetadataPatch): Promise<StoredThread> {
    return this.#inOrder(threadId, () => this.#update(threadId, patch))
  }

  async #update(threadId: ThreadId, patch: ThreadMetadataPatch): Promise<StoredThread> {
    this.#writers.requireOpen()
    const { files, home, clock } = this.#options
    const live = this.#writers.get(threadId)
    if (live && !isEmptyPatch(checkedPatch(patch))) await this.persistThread(threadId)
    const file = await this.#find(threadId)
    const path = live?.path ?? file.path
    await this.#guard(() =>
      updateLocalMetadata({
        files,
        home,
        clock,
        threadId,
        path,
        patch,
        append: (lines, confirm) =>
          live ? live.appendWhole(lines, confirm) : this.#appendCold(path, lines, confirm),
      }),
    )
    return this.#read(file)
  }

  archiveThread(threadId: ThreadId): Promise<void> {
    return this.#inOrder(threadId, () => this.#archive(threadId))
  }

  async #archive(threadId: ThreadId): Promise<void> {
    this.#writers.refuseLive(threadId)
    const file = await this.#find(threadId)
    if (file.isArchived) throw conflict(`thread ${threadId} is archived already`)
    await this.#guard(() => archiveRollout(this.#options.files, this.#options.home, file))
  }

  unarchiveThread(threadId: ThreadId): Promise<StoredThread> {
    return this.#inOrder(threadId, () => this.#unarchive(threadId))
  }

  async #unarchive(threadId: ThreadId): Promise<StoredThread> {
    const { files, clock, home } = this.#options
    this.#writers.refuseLive(threadId)
    const file = await this.#find(threadId)
    if (!file.isArchived) throw conflict(`thread ${threadId} is not archived`)
    return this.#read(await this.#guard(() => unarchiveRollout(files, clock, home, file)))
  }

  deleteThread(threadId: ThreadId): Promise<void> {
    return this.#inOrder(threadId, () => this.#delete(threadId))
  }

  /** The log goes last: as long as it is there, a delete that failed can be tried again. */
  async #delete(threadId: ThreadId): Promise<void> {
    const { files, home } = this.#options
    this.#writers.refuseLive(threadId)
    let file: RolloutFile | undefined = await this.#find(threadId)
    await this.#guard(async () => {
      await removeThreadNames(files, home, threadId)
      const index = await this.#usableIndex()
      // There may be an archived copy beside the active one.
      while (file) {
        await files.remove(file.path)
        await files.syncDirectory(dirname(file.path))
        index?.remove([file.path])
        file = await findRollout(files, home, threadId)
      }
    })
  }

  async listThreads(params: ListThreads): Promise<ThreadPage> {
    const { files, home } = this.#options
    await this.#requireReadableHome()
    const unreadable: ThreadPage['unreadable'][number][] = []
    const note = (error: unknown) => {
      unreadable.push({ path: join(home, NAME_INDEX_FILE), reason: errorText(error) })
    }
    const [index, names] = await Promise.all([this.#usableIndex(), this.#readNames(note)])
    const page = await this.#guard(() => listLocalThreads({ files, home, index, names }, params))
    return { ...page, unreadable: [...unreadable, ...page.unreadable] }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#writers.dispose()
    await Promise.all(this.#queues.values())
    await Promise.all(this.#writers.threadIds().map((threadId) => this.#discard(threadId)))
    const index = await this.#index
    index?.[Symbol.dispose]()
    this.#index = undefined
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

  /** A thread is worth showing without its name. */
  async #readNames(
    onError: (error: unknown) => void = () => undefined,
  ): Promise<ReadonlyMap<ThreadId, string>> {
    try {
      return await readThreadNames(this.#options.files, this.#options.home)
    } catch (error) {
      onError(error)
      return new Map()
    }
  }

  /** What kept it from opening, or from going on, may have passed: each list tries again. */
  #usableIndex(): Promise<ThreadIndex | undefined> {
    this.#index = this.#openIndex(this.#index)
    return this.#index
  }

  /** Loaded on the first list, so that nothing else pays for SQLite. */
  async #openIndex(
    before: Promise<ThreadIndex | undefined> | undefined,
  ): Promise<ThreadIndex | undefined> {
    const current = await before
    if (current?.isUsable) return current
    const { ThreadIndex } = await import('../../state/index.ts')
    return ThreadIndex.open(join(this.#options.home, INDEX_FILE), this.#options.clock.nowMs())
  }

  #writerOptions(path: string, onNotice?: (message: string) => void): RolloutWriterOptions {
    const { files, clock, durability } = this.#options
    const notify = (notice: RolloutNotice) => onNotice?.(noticeText(notice))
    return { path, files, clock, durability, onNotice: notify }
  }

  async #read(file: RolloutFile): Promise<StoredThread> {
    const { files } = this.#options
    const [folded, facts, names] = await this.#guard(() =>
      Promise.all([readSummary(files, file.path), files.facts(file.path), this.#readNames()]),
    )
    if (!facts) throw new ThreadStoreError({ code: 'thread_not_found', threadId: file.threadId })
    if (!folded) throw damaged(file.path)
    return toStoredThread(file, facts, folded.summary, names)
  }

  /** A thread that nobody has open here: a writer for one write. */
  async #appendCold(
    path: string,
    lines: readonly RolloutItem[],
    confirm: () => Promise<void>,
  ): Promise<void> {
    await using writer = await RolloutWriter.resume(this.#writerOptions(path))
    await writer.appendWhole(lines, confirm)
  }

  async #find(threadId: ThreadId): Promise<RolloutFile> {
    const { files, home } = this.#options
    await this.#requireReadableHome()
    const file = await this.#guard(() => findRollout(files, home, threadId))
    if (file) return file
    throw new ThreadStoreError({ code: 'thread_not_found', threadId })
  }

  /** A home that is not there yet holds no threads; one that cannot be entered is an error. */
  async #requireReadableHome(): Promise<void> {
    this.#writers.requireOpen()
    const { home } = this.#options
    try {
      const facts = await stat(home)
      if (!facts.isDirectory()) throw new Error('it is not a folder')
      await access(home, constants.R_OK | constants.X_OK)
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return
      const failure = { code: 'home_unreadable', path: home, reason: errorText(error) } as const
      throw new ThreadStoreError(failure, error)
    }
  }

  async #guard<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw error instanceof ThreadStoreError ? error : wrapped(error)
    }
  }
}

function invalid(reason: string): ThreadStoreError {
  return new ThreadStoreError({ code: 'invalid_request', reason })
}

function conflict(reason: string): ThreadStoreError {
  return new ThreadStoreError({ code: 'conflict', reason })
}

function damaged(path: string): ThreadStoreError {
  const reason = 'the rollout has no readable session_meta line'
  return new ThreadStoreError({ code: 'damaged', path, reason })
}

function wrapped(error: unknown): ThreadStoreError {
  if (error instanceof RolloutError && error.code !== 'io') {
    const reason =
      error.code === 'no_header'
        ? 'the rollout has no readable session_meta line'
        : 'not a rollout file'
    return new ThreadStoreError({ code: 'damaged', path: error.path, reason }, error)
  }
  return new ThreadStoreError({ code: 'internal', doing: errorText(error) }, error)
}

function noticeText(notice: RolloutNotice): string {
  if (notice.kind === 'torn_tail') {
    return `the last line of ${notice.path} was cut off; the thread goes on after it`
  }
  return `${notice.path} was changed by another program while this thread was open`
}
