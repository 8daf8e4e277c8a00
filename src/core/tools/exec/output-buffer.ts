import { ceilBoundary, floorBoundary } from './utf8.ts'

const CAPACITY_BYTES = 1024 * 1024

/**
 * Text of a process, at most `capacityBytes` of UTF-8: the first half of the capacity is kept for
 * ever, the second half holds the newest text, and what is between them is lost without a mark.
 */
export class OutputBuffer {
  readonly #halfBytes: number
  #head: Buffer[] = []
  #headRoomBytes: number
  #tail: Buffer[] = []
  #tailBytes = 0

  constructor(capacityBytes = CAPACITY_BYTES) {
    this.#halfBytes = Math.floor(capacityBytes / 2)
    this.#headRoomBytes = this.#halfBytes
  }

  push(text: string): void {
    const bytes = Buffer.from(text)
    const cut = floorBoundary(bytes, this.#headRoomBytes)
    if (cut > 0) this.#head.push(bytes.subarray(0, cut))
    // A head that had to cut is full, even when a shorter chunk would still fit.
    this.#headRoomBytes = cut < bytes.length ? 0 : this.#headRoomBytes - cut
    if (cut < bytes.length) this.#pushTail(bytes.subarray(cut))
  }

  text(): string {
    return Buffer.concat([...this.#head, ...this.#tail]).toString('utf8')
  }

  /** The text so far; the buffer is empty afterwards. */
  take(): string {
    const text = this.text()
    this.#head = []
    this.#tail = []
    this.#tailBytes = 0
    this.#headRoomBytes = this.#halfBytes
    return text
  }

  #pushTail(bytes: Buffer): void {
    this.#tail.push(bytes)
    this.#tailBytes += bytes.length
    let excess = this.#tailBytes - this.#halfBytes
    while (excess > 0) {
      const oldest = this.#tail.shift() ?? Buffer.alloc(0)
      const kept = oldest.subarray(ceilBoundary(oldest, excess))
      this.#tailBytes -= oldest.length - kept.length
      if (kept.length > 0) this.#tail.unshift(kept)
      excess = this.#tailBytes - this.#halfBytes
    }
  }
}
