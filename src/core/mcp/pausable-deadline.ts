import type { Clock } from '../../base/index.ts'

/** Aborts its signal when the time is up; time during which a person is asked does not count. */
export class PausableDeadline implements Disposable {
  readonly #clock: Clock
  readonly #controller = new AbortController()
  readonly #reason: () => Error
  #leftMs: number
  #sinceMs = 0
  #pauses = 0
  #waiting: AbortController | undefined

  constructor(ms: number, clock: Clock, reason: () => Error) {
    this.#leftMs = ms
    this.#clock = clock
    this.#reason = reason
    this.#run()
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** The time stands still until the result is disposed, and that of all other pauses. */
  pause(): Disposable {
    this.#pauses += 1
    if (this.#pauses === 1) {
      this.#leftMs -= this.#clock.monotonicMs() - this.#sinceMs
      this.#waiting?.abort()
    }
    return { [Symbol.dispose]: () => this.#resume() }
  }

  [Symbol.dispose](): void {
    this.#pauses = Number.POSITIVE_INFINITY
    this.#waiting?.abort()
  }

  #resume(): void {
    this.#pauses -= 1
    if (this.#pauses === 0) this.#run()
  }

  #run(): void {
    this.#sinceMs = this.#clock.monotonicMs()
    const waiting = new AbortController()
    this.#waiting = waiting
    this.#clock.sleep(Math.max(0, this.#leftMs), waiting.signal).then(
      () => this.#controller.abort(this.#reason()),
      // Paused, or no longer needed.
      () => undefined,
    )
  }
}
