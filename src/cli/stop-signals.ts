import type { StopWishes } from '../app-server/index.ts'

/**
 * Signals as wishes: the first lets work end, the second does not. A terminal that is closed
 * (SIGHUP) waits for nothing. While this is not disposed, none of them ends the process.
 */
export class StopSignals implements StopWishes, Disposable {
  readonly drain: Promise<void>
  readonly now: Promise<void>
  readonly #onSignal: (signal: NodeJS.Signals) => void

  constructor() {
    const drain = Promise.withResolvers<void>()
    const now = Promise.withResolvers<void>()
    this.drain = drain.promise
    this.now = now.promise
    let isAsked = false
    this.#onSignal = (signal) => {
      if (isAsked || signal === 'SIGHUP') now.resolve()
      isAsked = true
      drain.resolve()
    }
    for (const signal of SIGNALS) process.on(signal, this.#onSignal)
  }

  [Symbol.dispose](): void {
    for (const signal of SIGNALS) process.off(signal, this.#onSignal)
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
