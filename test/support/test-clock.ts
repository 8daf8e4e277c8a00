import type { Clock } from '../../src/base/index.ts'

/**
 * Time that stands still. A sleep is recorded; it ends at once when `isInstant` says so of its
 * length, else when its signal aborts or `wake` is called.
 */
export class TestClock implements Clock {
  /** Unix milliseconds; a test moves it. */
  now: number
  readonly sleeps: number[] = []
  readonly #isInstant: (ms: number) => boolean
  #sleepers: { readonly ms: number; readonly wake: () => void }[] = []
  #watchers: { readonly ms: (ms: number) => boolean; readonly told: () => void }[] = []

  constructor(isInstant: (ms: number) => boolean = () => false, now = Date.UTC(2026, 10, 20, 12)) {
    this.#isInstant = isInstant
    this.now = now
  }

  nowMs = (): number => this.now
  monotonicMs = (): number => this.now

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.sleeps.push(ms)
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason)
        return
      }
      const sleeper = { ms, wake: resolve }
      const stop = () => {
        this.#sleepers = this.#sleepers.filter((each) => each !== sleeper)
        reject(signal?.reason)
      }
      signal?.addEventListener('abort', stop, { once: true })
      if (this.#isInstant(ms)) resolve()
      else this.#sleepers.push(sleeper)
      for (const watcher of this.#watchers) if (watcher.ms(ms)) watcher.told()
    })
  }

  /** Lengths of the sleeps that nobody has ended. */
  get sleeping(): number[] {
    return this.#sleepers.map(({ ms }) => ms)
  }

  /** Resolves when somebody begins to sleep for such a time. */
  slept(ms: (ms: number) => boolean): Promise<void> {
    return new Promise((told) => this.#watchers.push({ ms, told }))
  }

  wake(): void {
    for (const { wake } of this.#sleepers.splice(0)) wake()
  }
}
