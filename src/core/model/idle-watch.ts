import { ConnectionFailure } from './connection-failure.ts'
import { disconnected } from './model-errors.ts'

/** The longest time that a timer can count. */
const MAX_TIMER_MS = 2 ** 31 - 1

export interface Watched {
  /** What is waited for, as the error names it. */
  readonly what: string
  /** Who is to send it. */
  readonly url: URL
}

/** Aborts when nothing has arrived for too long, or when the caller's signal does. */
export class IdleWatch implements Disposable {
  readonly #controller = new AbortController()
  readonly #idleMs: number
  readonly #outer: AbortSignal
  readonly #watched: Watched
  readonly #forward = () => this.#controller.abort(this.#outer.reason)
  #isIdle = false
  #isLetGo = false

  constructor(idleMs: number, outer: AbortSignal, watched: Watched) {
    this.#idleMs = Math.min(idleMs, MAX_TIMER_MS)
    this.#outer = outer
    this.#watched = watched
    outer.throwIfAborted()
    outer.addEventListener('abort', this.#forward, { once: true })
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Waits for something from the server: the only time that counts as idle. */
  async during<T>(arrival: Promise<T>): Promise<T> {
    const timer = setTimeout(() => {
      this.#isIdle = true
      this.#controller.abort()
    }, this.#idleMs)
    try {
      return await arrival
    } finally {
      clearTimeout(timer)
    }
  }

  /** The caller's abort as it is, an idle end as an error; nothing when neither happened. */
  throwIfEnded(): void {
    this.#outer.throwIfAborted()
    if (!this.#isIdle) return
    const cause = this.failure(`nothing came for ${this.#idleMs / 1000} s`)
    throw disconnected(`idle timeout waiting for ${this.#watched.what}`, { cause })
  }

  /** Why nothing more comes, as an error that names who was to send it. */
  failure(why: unknown): ConnectionFailure {
    return new ConnectionFailure(this.#watched.url, why)
  }

  /** The response is whole: neither time nor the caller may abort what is left of it. */
  letGo(): void {
    this.#isLetGo = true
    this.#outer.removeEventListener('abort', this.#forward)
  }

  [Symbol.dispose](): void {
    const isOver = this.#isLetGo
    this.letGo()
    if (!isOver) this.#controller.abort()
  }
}
