import { BoundedQueue, errorText } from '../../base/index.ts'
import type { SessionEvent } from '../../protocol/index.ts'
import { SessionError } from '../errors.ts'

/** Events that an iterating subscriber may be behind. */
const BACKLOG = 10_000

interface Subscription {
  readonly listener: (event: SessionEvent) => void
  hasFailed: boolean
}

/** Events kept for the first subscriber. */
const UNHEARD_LIMIT = 100

/** Tells every subscriber every event, in order. A slow one never holds a turn up. */
export class EventHub {
  readonly #subscriptions = new Set<Subscription>()
  readonly #queues = new Set<BoundedQueue<SessionEvent>>()
  /** Undefined once somebody has listened. */
  #unheard: SessionEvent[] | undefined = []
  #isClosed = false

  /** Like `publish`; what comes before anybody listens is told to the first who does. */
  publishEarly(event: SessionEvent): void {
    if (!this.#unheard) this.publish(event)
    else if (this.#unheard.length < UNHEARD_LIMIT) this.#unheard.push(event)
  }

  publish(event: SessionEvent): void {
    if (this.#isClosed) return
    // Who subscribes while an event is told hears the next one.
    for (const subscription of [...this.#subscriptions]) {
      if (this.#subscriptions.has(subscription)) tell(subscription, event)
    }
  }

  /** Calls `listener` for each event from now on, until disposed. */
  listen(listener: Subscription['listener']): Disposable {
    const subscription = { listener, hasFailed: false }
    this.#subscriptions.add(subscription)
    this.#tellUnheard()
    return { [Symbol.dispose]: () => void this.#subscriptions.delete(subscription) }
  }

  /**
   * Events from this call on. Ends when the session closes; throws `slow_subscriber` once it is
   * 10,000 events behind.
   */
  events(): AsyncGenerator<SessionEvent> {
    const queue = new BoundedQueue<SessionEvent>(BACKLOG)
    let hasOverflowed = false
    const listening = this.listen((event) => {
      if (queue.tryPush(event)) return
      hasOverflowed = true
      forget()
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

  /** Behind the call that begins to listen. */
  #tellUnheard(): void {
    const unheard = this.#unheard ?? []
    this.#unheard = undefined
    if (unheard.length === 0) return
    queueMicrotask(() => {
      for (const event of unheard) this.publish(event)
    })
  }

  /** Nothing is told from now on. */
  close(): void {
    this.#isClosed = true
    this.#subscriptions.clear()
    for (const queue of this.#queues) queue.close()
    this.#queues.clear()
  }
}

/** A subscriber's fault is not the turn's: its first one shows up as a warning of the process. */
function tell(subscription: Subscription, event: SessionEvent): void {
  try {
    subscription.listener(event)
  } catch (error) {
    if (subscription.hasFailed) return
    subscription.hasFailed = true
    const text = `a listener failed on ${event.type}: ${errorText(error)}`
    process.emitWarning(text, { code: 'BOBBIN_LISTENER', detail: stackOf(error) })
  }
}

function stackOf(error: unknown): string {
  return error instanceof Error && error.stack !== undefined ? error.stack : ''
}
