import { type Clock, errorText, systemClock } from '../base/index.ts'
import {
  isPersisted,
  SummaryFold,
  type ThreadMetadataPatch,
  type ThreadSummary,
} from '../history/index.ts'
import type { RolloutItem, ThreadId } from '../protocol/index.ts'
import { checkRollBack } from './roll-back-thread.ts'
import type { CreateThread, StoredHistory, StoredThread, ThreadStore } from './store.ts'
import { ThreadMetadataSync } from './thread-metadata-sync.ts'

export interface LiveThreadOptions {
  /** Hears what the store noticed about the thread's storage. */
  readonly onNotice?: (message: string) => void
  readonly clock?: Pick<Clock, 'nowMs'>
  /** The log itself, where it is not in its usual place. */
  readonly rolloutPath?: string
}

/**
 * One active thread's persistence. Decides what is kept, not how; what the kept items say of the
 * thread goes to the store by itself. `close` is the graceful end; disposing without it discards
 * the writer.
 */
export class LiveThread implements AsyncDisposable {
  readonly threadId: ThreadId
  readonly #store: ThreadStore
  readonly #sync: ThreadMetadataSync
  readonly #onNotice: ((message: string) => void) | undefined
  /** Another program has appended what nobody here has read yet. */
  #isBehind = false
  #isClosed = false
  #hasItems: boolean

  private constructor(
    store: ThreadStore,
    threadId: ThreadId,
    sync: ThreadMetadataSync,
    onNotice: ((message: string) => void) | undefined,
    hasItems: boolean,
  ) {
    this.#hasItems = hasItems
    this.#store = store
    this.threadId = threadId
    this.#sync = sync
    this.#onNotice = onNotice
  }

  static async create(
    store: ThreadStore,
    params: CreateThread,
    clock: Pick<Clock, 'nowMs'> = systemClock,
  ): Promise<LiveThread> {
    const sync = new ThreadMetadataSync(clock)
    const header = async () => {
      const payload = await params.header()
      sync.observe([{ type: 'session_meta', payload }])
      return payload
    }
    await store.createThread({ ...params, header })
    return new LiveThread(store, params.threadId, sync, params.onNotice, false)
  }

  /**
   * Takes the writer first, so that nothing can be appended between reading and writing. Answers
   * as much of the log as the model's history hangs on.
   */
  static async resume(
    store: ThreadStore,
    threadId: ThreadId,
    { onNotice, rolloutPath, clock = systemClock }: LiveThreadOptions = {},
  ): Promise<{ live: LiveThread; history: StoredHistory }> {
    await store.resumeThread(threadId, {
      ...(onNotice ? { onNotice } : {}),
      ...(rolloutPath === undefined ? {} : { rolloutPath }),
    })
    try {
      const history = await store.loadModelContext(threadId)
      const known = { ...history.thread, loggedName: null }
      const sync = new ThreadMetadataSync(clock, known, await summaryOf(store, known))
      return { live: new LiveThread(store, threadId, sync, onNotice, true), history }
    } catch (error) {
      await store.discardThread(threadId)
      throw error
    }
  }

  /** Of the log, also before it is there; null in a store without paths. */
  get path(): string | null {
    return this.#store.livePath(this.threadId)
  }

  /** Whether there is more in the log than that the thread was started. */
  get hasItems(): boolean {
    return this.#hasItems
  }

  /** From now on the thread can be resumed, though nothing was said in it. */
  async keepStart(): Promise<void> {
    await this.#store.persistThread(this.threadId)
    await this.#store.flushThread(this.threadId)
  }

  /** Keeps the items that belong in a log; returns once the death of the process loses none. */
  async append(items: readonly RolloutItem[]): Promise<void> {
    const kept = items.filter(isPersisted)
    if (kept.length === 0) return
    // Settings that wait for a turn are no part of a conversation.
    this.#hasItems ||= kept.some(({ type }) => type !== 'turn_context')
    try {
      await this.#store.appendItems(this.threadId, kept)
    } finally {
      // Also when they could not be written now: they stay queued.
      this.#sync.observe(kept)
    }
    await this.#tellFacts()
  }

  async flush(): Promise<void> {
    await this.#store.flushThread(this.threadId)
    await this.#tellFacts()
  }

  /** The log as it is now, when another program has appended to it; else undefined. */
  async catchUp(): Promise<StoredHistory | undefined> {
    // The store tells it once: a reading that fails is tried again by the next call.
    this.#isBehind ||= await this.#store.hasForeignItems(this.threadId)
    if (!this.#isBehind) return undefined
    // What is still queued here belongs behind what the other has written.
    await this.#store.flushThread(this.threadId)
    const history = await this.#store.loadModelContext(this.threadId)
    this.#isBehind = false
    return history
  }

  /**
   * Takes the last turns back; answers what is left, as far as the model's history hangs on it.
   * Throws `invalid_request` for a count that the thread does not have.
   */
  async rollBack(turnCount: number): Promise<StoredHistory> {
    await this.flush()
    await checkRollBack(this.#store, this.threadId, turnCount)
    const payload = { type: 'thread_rolled_back', num_turns: turnCount } as const
    await this.append([{ type: 'event_msg', payload }])
    return await this.#store.loadModelContext(this.threadId)
  }

  /** Changes what a person chose about the thread, in order with what is appended. */
  async updateMetadata(patch: ThreadMetadataPatch): Promise<StoredThread> {
    await this.#tellFacts()
    this.#hasItems = true
    const thread = await this.#store.updateThreadMetadata(this.threadId, patch)
    this.#sync.accept(thread)
    return thread
  }

  /** Throws when not all could be kept, or told: the thread stays live then. */
  async close(): Promise<void> {
    await this.#store.flushThread(this.threadId)
    await this.#sync.tell((facts) => this.#store.recordObserved(this.threadId, facts))
    await this.#store.closeThread(this.threadId)
    this.#isClosed = true
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await this.#store.discardThread(this.threadId)
  }

  /** The items are safe by now: what lists show of them can wait for the next time. */
  async #tellFacts(): Promise<void> {
    try {
      await this.#sync.tell((facts) => this.#store.recordObserved(this.threadId, facts))
    } catch (error) {
      this.#onNotice?.(`lists may show this thread as it was before: ${errorText(error)}`)
    }
  }
}

/** A process that died between keeping and telling leaves a thread that lists know nothing of. */
async function summaryOf(store: ThreadStore, known: ThreadSummary): Promise<ThreadSummary> {
  if (known.title !== '') return known
  const fold = new SummaryFold()
  for (const item of (await store.loadHistory(known.threadId)).items) fold.apply(item)
  return fold.finish() ?? known
}
