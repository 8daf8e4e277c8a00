import { ceilBoundary, floorBoundary } from './utf8.ts'

const CAPACITY_BYTES = 1024 * 1024
const FIRST_ALLOCATION_BYTES = 4096

/**
 * Text of a process, at most `capacityBytes` of UTF-8: the first half of the capacity is kept for
 * ever, the second half is the newest text, and what lies between is lost without a mark.
 */
export class OutputBuffer {
  readonly #halfBytes: number
  /** The head, then a window of up to two halves whose end is the tail. */
  #bytes = Buffer.alloc(0)
  #sizeBytes = 0
  /** Where the head ends; known once the byte behind it has been overwritten. */
  #headEnd: number | undefined

  constructor(capacityBytes = CAPACITY_BYTES) {
    this.#halfBytes = Math.floor(capacityBytes / 2)
  }

  push(text: string): void {
    const bytes = Buffer.from(text)
    for (let from = 0; from < bytes.length; from += this.#halfBytes) {
      this.#append(bytes.subarray(from, from + this.#halfBytes))
    }
  }

  text(): string {
    const half = this.#halfBytes
    if (this.#headEnd === undefined && this.#sizeBytes <= 2 * half) {
      return this.#bytes.toString('utf8', 0, this.#sizeBytes)
    }
    const headEnd = this.#headEnd ?? floorBoundary(this.#bytes, half)
    const tailStart = ceilBoundary(this.#bytes, this.#sizeBytes - half)
    const head = this.#bytes.toString('utf8', 0, headEnd)
    return head + this.#bytes.toString('utf8', tailStart, this.#sizeBytes)
  }

  /** The text so far; the buffer is empty afterwards. */
  take(): string {
    const text = this.text()
    this.#bytes = Buffer.alloc(0)
    this.#sizeBytes = 0
    this.#headEnd = undefined
    return text
  }

  #append(part: Buffer): void {
    if (this.#sizeBytes + part.length > 3 * this.#halfBytes) this.#forgetMiddle()
    const needed = this.#sizeBytes + part.length
    if (needed > this.#bytes.length) {
      const grown = Buffer.alloc(Math.max(needed, 2 * this.#bytes.length, FIRST_ALLOCATION_BYTES))
      this.#bytes.copy(grown, 0, 0, this.#sizeBytes)
      this.#bytes = grown
    }
    part.copy(this.#bytes, this.#sizeBytes)
    this.#sizeBytes = needed
  }

  #forgetMiddle(): void {
    const half = this.#halfBytes
    this.#headEnd ??= floorBoundary(this.#bytes, half)
    this.#bytes.copyWithin(half, this.#sizeBytes - half, this.#sizeBytes)
    this.#sizeBytes = 2 * half
  }
}
