import { accessSync, constants, statSync } from 'node:fs'
import { isAbsolute, join, relative } from 'node:path'
import {
  type Clock,
  errorCode,
  errorText,
  type FileFacts,
  type FileSystem,
} from '../../base/index.ts'
import { parseThreadId, type ThreadId } from '../../protocol/index.ts'
import {
  ARCHIVE_FOLDER,
  findRollout,
  NAME_INDEX_FILE,
  parseRolloutName,
  type RolloutFile,
  readHeader,
  readThreadNames,
} from '../../rollout/index.ts'
import type { CodexThreadFacts, HomeIndex } from '../../state/index.ts'
import { ThreadStoreError } from '../errors.ts'
import { damaged, guard } from './local-errors.ts'

export const INDEX_FILE = 'bobbin_1.sqlite'

/** Of real Codex 0.133.0 and later. */
export const CODEX_STATE_FILE = 'state_5.sqlite'

/** How often one tries to open an index that others are making, or have locked. */
const INDEX_TRIES = 10
const TRY_EVERY_MS = 50

/** Where the threads of one home are, what people call them, and what the index knows. */
export class HomeAccess implements AsyncDisposable {
  readonly files: FileSystem
  readonly home: string
  readonly #clock: Clock
  #index: Promise<HomeIndex | undefined> | undefined
  #names: { readonly facts: FileFacts | undefined; readonly byId: ReadonlyMap<ThreadId, string> } =
    { facts: undefined, byId: new Map() }

  constructor(files: FileSystem, home: string, clock: Clock) {
    this.files = files
    this.home = home
    this.#clock = clock
  }

  /** Throws `thread_not_found`. */
  async find(threadId: ThreadId): Promise<RolloutFile> {
    this.requireReadable()
    const file = await guard(() => findRollout(this.files, this.home, threadId))
    if (file) return file
    throw new ThreadStoreError({ code: 'thread_not_found', threadId })
  }

  /** A log by its path, relative to the home or anywhere. `invalid_request`, `damaged`. */
  async at(rolloutPath: string): Promise<RolloutFile> {
    this.requireReadable()
    const plain = isAbsolute(rolloutPath) ? rolloutPath : join(this.home, rolloutPath)
    // Real Codex tells the plain path of a log that is there only compressed.
    const path = (await guard(() => this.files.facts(plain))) ? plain : `${plain}.zst`
    const facts = await guard(() => this.files.facts(path))
    if (facts?.kind !== 'file') {
      const reason = `failed to resolve rollout path ${rolloutPath}: no regular file is there`
      throw new ThreadStoreError({ code: 'invalid_request', reason })
    }
    const threadId = parseThreadId((await guard(() => readHeader(this.files, path)))?.id ?? '')
    if (!threadId) throw damaged(path)
    const name = parseRolloutName(path)
    const isArchived = !relative(join(this.home, ARCHIVE_FOLDER), path).startsWith('..')
    const isCompressed = path.endsWith('.zst')
    return { path, threadId, stamp: name?.stamp ?? '', isCompressed, isArchived }
  }

  /** Read again only when the file has changed. A thread is worth showing without its name. */
  async names(
    onError: (path: string, error: unknown) => void = () => undefined,
  ): Promise<ReadonlyMap<ThreadId, string>> {
    const path = join(this.home, NAME_INDEX_FILE)
    try {
      const facts = await this.files.facts(path)
      if (!facts) this.#names = { facts, byId: new Map() }
      else if (!isSame(facts, this.#names.facts)) {
        this.#names = { facts, byId: await readThreadNames(this.files, this.home) }
      }
      return this.#names.byId
    } catch (error) {
      onError(path, error)
      return new Map()
    }
  }

  /** What kept it from opening, or from going on, may have passed: each question tries again. */
  index(): Promise<HomeIndex | undefined> {
    this.#index = this.#openIndex(this.#index)
    return this.#index
  }

  /** For what cannot be done without it: another process may be making it. */
  async indexSoon(): Promise<HomeIndex | undefined> {
    let index = await this.index()
    for (let tries = 1; !index && tries < INDEX_TRIES; tries += 1) {
      await this.#clock.sleep(TRY_EVERY_MS)
      index = await this.index()
    }
    return index
  }

  /** Real Codex believes its own database more than the log: where it has one, it is told. */
  async tellCodex(threadId: ThreadId, facts: CodexThreadFacts): Promise<void> {
    const path = join(this.home, CODEX_STATE_FILE)
    if ((await guard(() => this.files.facts(path)))?.kind !== 'file') return
    const { touchCodexState } = await import('../../state/index.ts')
    touchCodexState(path, threadId, facts)
  }

  /**
   * False for a home that is not there yet: it holds no threads. Throws `home_unreadable` for one
   * that cannot be entered.
   */
  requireReadable(): boolean {
    const { home } = this
    try {
      if (!statSync(home).isDirectory()) throw new Error('it is not a folder')
      accessSync(home, constants.R_OK | constants.X_OK)
      return true
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return false
      const failure = { code: 'home_unreadable', path: home, reason: errorText(error) } as const
      throw new ThreadStoreError(failure, error)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const index = await this.#index
    index?.[Symbol.dispose]()
    this.#index = undefined
  }

  /** Loaded when it is needed first, so that nothing else pays for SQLite. */
  async #openIndex(
    before: Promise<HomeIndex | undefined> | undefined,
  ): Promise<HomeIndex | undefined> {
    const current = await before?.catch(() => undefined)
    if (current?.isUsable) return current
    const { HomeIndex } = await import('../../state/index.ts')
    return HomeIndex.open(join(this.home, INDEX_FILE), this.#clock.nowMs())
  }
}

function isSame(a: FileFacts, b: FileFacts | undefined): boolean {
  return a.sizeBytes === b?.sizeBytes && a.modifiedAtMs === b.modifiedAtMs && a.inode === b.inode
}
