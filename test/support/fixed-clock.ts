import type { Clock } from '../../src/base/index.ts'

/** Time that stands still until it is set; sleeping ends at once. */
export class FixedClock implements Clock {
  #nowMs: number

  constructor(nowMs: number) {
    this.#nowMs = nowMs
  }

  nowMs(): number {
    return this.#nowMs
  }

  monotonicMs(): number {
    return this.#nowMs
  }

  set(nowMs: number): void {
    this.#nowMs = nowMs
  }

  async sleep(): Promise<void> {}
}
