import { type Clock, errorText, type FileSystem } from '../../base/index.ts'
import { turnActivity } from '../../history/index.ts'
import { parseThreadId, type RolloutItem, type ThreadId } from '../../protocol/index.ts'
import {
  type Durability,
  findRollout,
  type RolloutFile,
  type RolloutNotice,
  RolloutWriter,
  type RolloutWriterOptions,
  readHeader,
  rolloutPath,
} from '../../rollout/index.ts'
import { ThreadStoreError } from '../errors.ts'
import { LiveWriters } from '../live-writers.ts'
import type { CreateThread, ResumeThread } from '../store.ts'
import { damaged, guard, invalid, noticeText } from './local-errors.ts'
import { WriterLease } from './writer-lease.ts'

export interface LiveRolloutsOptions {
  readonly files: FileSystem
  readonly clock: Clock
  readonly home: string
  readonly durability: Durability
  /** Who holds the threads, for those who are refused: the name of the program. */
  readonly client: string
}

/** A thread that is open for appending here, and the right to it. */
interface LiveRollout {
  readonly writer: RolloutWriter
  readonly onNotice: ((message: string) => void) | undefined
  /** Of a new thread there is none before it has a file. */
  lease: Promise<WriterLease | undefined> | undefined
}

/** The rollouts that this process writes to, each with its lease against all others. */
export class LiveRollouts {
  readonly #options: LiveRolloutsOptions
  readonly #live = new LiveWriters<LiveRollout>()

  constructor(options: LiveRolloutsOptions) {
    this.#options = options
  }

  /** Throws `disposed`. */
  requireOpen(): void {
    this.#live.requireOpen()
  }

  /** Throws `disposed`, and `conflict` when the thread is live here. */
  refuseLive(threadId: ThreadId): void {
    this.#live.refuseLive(threadId)
  }

  /** Throws `disposed`, and `thread_not_found` when the thread is not live here. */
  requireLive(threadId: ThreadId): void {
    this.#live.require(threadId)
  }

  /** Undefined when the thread is not live here. */
  writer(threadId: ThreadId): RolloutWriter | undefined {
    return this.#live.get(threadId)?.writer
  }

  threadIds(): ThreadId[] {
    return this.#live.threadIds()
  }

  create({ threadId, createdAtMs, header, onNotice }: CreateThread): void {
    this.#live.refuseLive(threadId)
    const path = rolloutPath(this.#options.home, threadId, createdAtMs)
    const firstLine = async (): Promise<RolloutItem> => {
      // Whoever lists the home finds the thread as soon as it has a file: it is ours by then.
      const [payload] = await Promise.all([header(), this.#leaseOf(threadId, live)])
      return { type: 'session_meta', payload }
    }
    const writer = RolloutWriter.create(this.#writerOptions(path, onNotice), firstLine)
    const live: LiveRollout = { writer, onNotice, lease: undefined }
    this.#live.take(threadId, live)
  }

  async resume(file: RolloutFile, threadId: ThreadId, { onNotice }: ResumeThread): Promise<void> {
    this.#live.refuseLive(threadId)
    await using opening = new AsyncDisposableStack()
    const lease = opening.use(await this.takeLease(threadId))
    const current = await this.#whereNow(file, threadId)
    await this.#requireAppendable(current, threadId)
    const options = this.#writerOptions(current.path, onNotice)
    const writer = opening.use(await guard(() => RolloutWriter.resume(options)))
    // Another may have taken the thread while we were opening it.
    this.#live.refuseLive(threadId)
    this.#live.take(threadId, { writer, onNotice, lease: Promise.resolve(lease) })
    opening.move()
  }

  async append(threadId: ThreadId, items: readonly RolloutItem[]): Promise<void> {
    const live = this.#live.require(threadId)
    if (items.length === 0) return
    await guard(() => live.writer.append(items))
    const activity = turnActivity(items)
    if (activity) (await live.lease)?.noteActivity(activity)
  }

  async persist(threadId: ThreadId): Promise<void> {
    const live = this.#live.require(threadId)
    await guard(() => live.writer.persist())
  }

  flush(threadId: ThreadId): Promise<void> {
    return guard(() => this.#live.require(threadId).writer.flush())
  }

  hasForeignItems(threadId: ThreadId): Promise<boolean> {
    return guard(() => this.#live.require(threadId).writer.takeForeign())
  }

  async close(threadId: ThreadId): Promise<void> {
    const live = this.#live.require(threadId)
    await guard(() => live.writer.close())
    await this.#release(threadId, live)
  }

  async discard(threadId: ThreadId): Promise<void> {
    const live = this.#live.get(threadId)
    if (!live) return
    await live.writer[Symbol.asyncDispose]()
    await this.#release(threadId, live)
  }

  /** For one change of a thread that nobody has open here: a writer for one write. */
  async appendCold(
    file: RolloutFile,
    lines: readonly RolloutItem[],
    confirm: () => Promise<void>,
  ): Promise<void> {
    if (file.isCompressed) throw compressed(file.threadId)
    await using writer = await RolloutWriter.resume(this.#writerOptions(file.path))
    await writer.appendWhole(lines, confirm)
  }

  /** Throws `conflict`, with the holder, while another process has the thread. */
  takeLease(threadId: ThreadId): Promise<WriterLease> {
    const { home, client, clock } = this.#options
    return guard(() => WriterLease.take(home, threadId, { client, nowMs: clock.nowMs() }))
  }

  /** From now on every call answers `disposed`. */
  dispose(): void {
    this.#live.dispose()
  }

  /** Of a new thread, which is kept in any case. */
  #leaseOf(threadId: ThreadId, live: LiveRollout): Promise<WriterLease | undefined> {
    live.lease ??= this.takeLease(threadId).catch((error: unknown) => {
      live.onNotice?.(`other programs are not kept out of this thread: ${errorText(error)}`)
      return undefined
    })
    return live.lease
  }

  /** Another process may have moved the file before the lease was ours; now nobody does. */
  async #whereNow(file: RolloutFile, threadId: ThreadId): Promise<RolloutFile> {
    const { files, home } = this.#options
    return guard(async () => {
      if (await files.facts(file.path)) return file
      return (await findRollout(files, home, threadId)) ?? file
    })
  }

  async #release(threadId: ThreadId, live: LiveRollout): Promise<void> {
    const lease = await live.lease
    await lease?.[Symbol.asyncDispose]()
    this.#live.giveBack(threadId, live)
  }

  async #requireAppendable(file: RolloutFile, threadId: ThreadId): Promise<void> {
    const header = await guard(() => readHeader(this.#options.files, file.path))
    if (!header) throw damaged(file.path)
    if (parseThreadId(header.id) !== threadId) {
      throw invalid(`${file.path} holds thread ${header.id}, not ${threadId}`)
    }
    if (file.isCompressed) throw compressed(threadId)
    if (header.history_mode !== 'paginated') return
    const reason = `thread ${threadId} has numbered lines, as newer versions of Codex write them`
    throw unsupported(`${reason}: Bobbin can read it, but cannot append to it yet`)
  }

  #writerOptions(path: string, onNotice?: (message: string) => void): RolloutWriterOptions {
    const { files, clock, durability } = this.#options
    const notify = (notice: RolloutNotice) => onNotice?.(noticeText(notice))
    return { path, files, clock, durability, onNotice: notify }
  }
}

function unsupported(reason: string): ThreadStoreError {
  return new ThreadStoreError({ code: 'unsupported', reason })
}

function compressed(threadId: ThreadId): ThreadStoreError {
  const reason = `the log of thread ${threadId} is compressed: Bobbin can read it, but not append`
  return unsupported(`${reason}; Codex 0.169 or later unpacks it when it resumes the thread`)
}
