import { isPersisted } from '../history/index.ts'
import type { RolloutItem, ThreadId } from '../protocol/index.ts'
import type { CreateThread, StoredHistory, ThreadStore } from './store.ts'

/**
 * One active thread's persistence. Decides what is kept, not how. `close` is the graceful end;
 * disposing without it discards the writer.
 */
export class LiveThread implements AsyncDisposable {
  readonly threadId: ThreadId
  readonly #store: ThreadStore
  #isClosed = false

  private constructor(store: ThreadStore, threadId: ThreadId) {
    this.#store = store
    this.threadId = threadId
  }

  static async create(store: ThreadStore, params: CreateThread): Promise<LiveThread> {
    await store.createThread(params)
    return new LiveThread(store, params.threadId)
  }

  /** Takes the writer first, so that nothing can be appended between reading and writing. */
  static async resume(
    store: ThreadStore,
    threadId: ThreadId,
    onNotice: (message: string) => void,
  ): Promise<{ live: LiveThread; history: StoredHistory }> {
    await store.resumeThread(threadId, onNotice)
    const live = new LiveThread(store, threadId)
    try {
      return { live, history: await store.loadHistory(threadId) }
    } catch (error) {
      await live[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Keeps the items that belong in a log; returns once the death of the process loses none. */
  async append(items: readonly RolloutItem[]): Promise<void> {
    const kept = items.filter(isPersisted)
    if (kept.length > 0) await this.#store.appendItems(this.threadId, kept)
  }

  flush(): Promise<void> {
    return this.#store.flushThread(this.threadId)
  }

  async close(): Promise<void> {
    await this.#store.closeThread(this.threadId)
    this.#isClosed = true
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await this.#store.discardThread(this.threadId)
  }
}
