import { BoundedQueue } from '../../base/index.ts'
import type { SessionEvent } from '../../protocol/index.ts'
import { SessionError } from '../errors.ts'

/** Events that an iterating subscriber may be behind. */
const BACKLOG = 10_000

type Listener = (event: SessionEvent) => void

/** Tells every subscriber every event, in order. A slow one never holds a turn up. */
export class EventHub {
  readonly #listeners = new Set<Listener>()
  readonly #queues = new Set<BoundedQueue<SessionEvent>>()
  #isClosed = false

  publish(event: SessionEvent): void {
    for (const listener of this.#listeners) listener(event)
  }

  /** Calls `listener` for each event from now on, until disposed. */
  listen(listener: Listener): Disposable {
    this.#listeners.add(listener)
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) }
  }

  /**
   * Events from this call on. Ends when the session closes; throws `slow_subscriber` once it is
   * 10,000 events behind.
   */
  events(): AsyncGenerator<SessionEvent> {
    const queue = new BoundedQueue<SessionEvent>(BACKLOG)
    let hasOverflowed = false
    const listening = this.listen((event) => {
      if (queue.tryPush(event) || hasOverflowed) return
      hasOverflowed = true
      queue.close()
    })
    this.#queues.add(queue)
    if (this.#isClosed) queue.close()
    const forget = () => {
      listening[Symbol.dispose]()
      this.#queues.delete(queue)
    }
    return (async function* () {
      try {
        yield* queue
        if (hasOverflowed) {
          throw new SessionError('slow_subscriber', `over ${BACKLOG} events were not read in time`)
        }
      } finally {
        forget()
      }
    })()
  }

  close(): void {
    this.#isClosed = true
    for (const queue of this.#queues) queue.close()
  }
}
