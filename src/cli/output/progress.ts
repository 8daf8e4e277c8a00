import { systemClock } from '../../base/index.ts'

/** Work that is over sooner is not worth a word. */
const QUIET_MS = 300
const INTERVAL_MS = 100
const CLEAR_LINE = '\r\u001b[K'

/** One line on standard error that tells how far something is; only where it is a terminal. */
export class Progress implements Disposable {
  readonly #what: string
  readonly #startMs = systemClock.monotonicMs()
  #shownMs = 0
  #isShown = false

  /** `what` is what is counted: "threads read". */
  constructor(what: string) {
    this.#what = what
  }

  show(done: number, total: number): void {
    const nowMs = systemClock.monotonicMs()
    const isTooSoon = nowMs - this.#startMs < QUIET_MS || nowMs - this.#shownMs < INTERVAL_MS
    if (process.stderr.isTTY !== true || isTooSoon) return
    this.#shownMs = nowMs
    this.#isShown = true
    process.stderr.write(`${CLEAR_LINE}${done}/${total} ${this.#what}`)
  }

  [Symbol.dispose](): void {
    if (this.#isShown) process.stderr.write(CLEAR_LINE)
    this.#isShown = false
  }
}
