import type { ThreadId } from '../protocol/index.ts'
import { ThreadStoreError } from './errors.ts'

/** The live threads of one store in this process: each has one writer, until the store is gone. */
export class LiveWriters<W> {
  readonly #writers = new Map<ThreadId, W>()
  #isDisposed = false

  get(threadId: ThreadId): W | undefined {
    return this.#writers.get(threadId)
  }

  /** Throws `disposed`, and `thread_not_found` when the thread is not live. */
  require(threadId: ThreadId): W {
    this.requireOpen()
    const writer = this.#writers.get(threadId)
    if (writer !== undefined) return writer
    throw new ThreadStoreError({ code: 'thread_not_found', threadId })
  }

  /** Throws `disposed`, and `conflict` when the thread is live. */
  refuseLive(threadId: ThreadId): void {
    this.requireOpen()
    if (!this.#writers.has(threadId)) return
    const reason = `thread ${threadId} already has a live writer in this process`
    throw new ThreadStoreError({ code: 'conflict', reason })
  }

  /** Throws `disposed`. */
  requireOpen(): void {
    if (this.#isDisposed) throw new ThreadStoreError({ code: 'disposed' })
  }

  take(threadId: ThreadId, writer: W): void {
    this.#writers.set(threadId, writer)
  }

  /** Does nothing when another writer has taken the thread since. */
  giveBack(threadId: ThreadId, writer: W): void {
    if (this.#writers.get(threadId) === writer) this.#writers.delete(threadId)
  }

  threadIds(): ThreadId[] {
    return [...this.#writers.keys()]
  }

  /** From now on every method of the store answers `disposed`. */
  dispose(): void {
    this.#isDisposed = true
  }
}
