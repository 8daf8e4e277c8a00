import { errorText } from '../../base/index.ts'
import type { RolloutItem, SessionEvent, TurnItem } from '../../protocol/index.ts'
import type {
  LiveThread,
  StoredHistory,
  StoredThread,
  ThreadMetadataPatch,
} from '../../thread-store/index.ts'
import { SessionError } from '../errors.ts'
import type { EventHub } from './event-hub.ts'

/**
 * Keeps first, tells then: whoever hears of a completed item or turn finds it in the log after any
 * crash. An ephemeral thread has no log, and nothing is kept.
 */
export class EventRecorder {
  readonly #live: LiveThread | undefined
  readonly #hub: EventHub

  constructor(live: LiveThread | undefined, hub: EventHub) {
    this.#live = live
    this.#hub = hub
  }

  /** From now on the thread can be resumed, though nothing was said in it. Throws `not_kept`. */
  async keepStart(): Promise<void> {
    await this.#guard(() => this.#live?.keepStart())
  }

  /** Returns once the death of the process loses none of the items. Throws `not_kept`. */
  async keep(items: readonly RolloutItem[]): Promise<void> {
    await this.#guard(() => this.#live?.append(items))
  }

  /** Like `keep`; also asks the store for the durability that the end of a turn deserves. */
  async keepDurably(items: readonly RolloutItem[]): Promise<void> {
    await this.#guard(async () => {
      await this.#live?.append(items)
      await this.#live?.flush()
    })
  }

  /** The log as it is now, when another program has appended to it. Throws `not_kept`. */
  async catchUp(): Promise<StoredHistory | undefined> {
    let history: StoredHistory | undefined
    await this.#guard(async () => {
      history = await this.#live?.catchUp()
    })
    return history
  }

  /** Takes the last turns back; answers what is left. Throws `ThreadStoreError`, `ephemeral`. */
  async rollBack(turnCount: number): Promise<StoredHistory> {
    if (this.#live) return await this.#live.rollBack(turnCount)
    throw new SessionError('ephemeral', 'nothing of an ephemeral thread is kept to roll back to')
  }

  /** Changes what a person chose about the thread. Throws `ThreadStoreError`, `ephemeral`. */
  async updateMetadata(patch: ThreadMetadataPatch): Promise<StoredThread> {
    if (this.#live) return await this.#live.updateMetadata(patch)
    throw new SessionError(
      'ephemeral',
      'nothing of an ephemeral thread is kept: it has no metadata',
    )
  }

  tell(event: SessionEvent): void {
    this.#hub.publish(event)
  }

  /** Keeps the lines of a finished item, then tells that it is finished. */
  async complete(turnId: string, item: TurnItem, lines: readonly RolloutItem[]): Promise<void> {
    await this.keep(lines)
    this.tell({ type: 'itemCompleted', turnId, item })
  }

  async #guard(work: () => Promise<void> | undefined): Promise<void> {
    try {
      await work()
    } catch (error) {
      const reason = `the conversation could not be saved: ${errorText(error)}`
      throw new SessionError('not_kept', reason, error)
    }
  }
}
