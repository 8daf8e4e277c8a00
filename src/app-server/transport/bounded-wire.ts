import type { Wire } from '../connection.ts'

/** Where a wire's texts go: something that takes all of them and sends them when it can. */
export interface Outlet {
  /** Takes a text; `sent` is called once it has left, or cannot any more. */
  write(text: string, sent: () => void): void
  /** Bytes that were taken and not sent. */
  readonly waitingBytes: number
  /** Stops and goes on taking messages of the client. */
  pauseInput(): void
  resumeInput(): void
  /** The client reads too slowly: nothing is sent to it any more. Called once. */
  overflow(reason: string): void
}

export interface WireLimits {
  readonly messages: number
  readonly bytes: number
  /** From here on the client is not listened to, until it has read some. */
  readonly pauseBytes: number
}

/** Source of the first: `reference/app-server.md` 13.4. */
const LIMITS: WireLimits = {
  messages: 32_768,
  bytes: 64 * 1024 * 1024,
  pauseBytes: 8 * 1024 * 1024,
}

/** A client that does not read costs a bounded amount of memory, and nobody else anything. */
export class BoundedWire implements Wire {
  readonly #outlet: Outlet
  readonly #limits: WireLimits
  #waiting = 0
  #isPaused = false
  #isOver = false

  constructor(outlet: Outlet, limits: WireLimits = LIMITS) {
    this.#outlet = outlet
    this.#limits = limits
  }

  send(text: string): void {
    if (this.#isOver) return
    const bytes = this.#outlet.waitingBytes
    if (this.#waiting >= this.#limits.messages || bytes > this.#limits.bytes) {
      this.end()
      this.#outlet.overflow(`${this.#waiting} messages, ${bytes} bytes wait for it`)
      return
    }
    this.#waiting += 1
    this.#outlet.write(text, () => this.#sent())
    if (!this.#isPaused && this.#outlet.waitingBytes > this.#limits.pauseBytes) {
      this.#isPaused = true
      this.#outlet.pauseInput()
    }
  }

  /** Nothing is sent from now on. */
  end(): void {
    this.#isOver = true
  }

  #sent(): void {
    this.#waiting -= 1
    const { waitingBytes } = this.#outlet
    if (!this.#isPaused || waitingBytes > this.#limits.pauseBytes / 2) return
    this.#isPaused = false
    this.#outlet.resumeInput()
  }
}
