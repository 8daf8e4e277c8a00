import { isUtf8 } from 'node:buffer'

const NEWLINE = 0x0a

/** The longest line that is taken into memory. */
export const MOST_LINE_BYTES = 128 * 1024 * 1024

export interface LineSplitterOptions {
  readonly onLine: (text: string) => void
  /** A line that cannot be taken, with what can be read of it. */
  readonly onFault: (reason: string, text?: string) => void
  readonly mostBytes?: number
}

/**
 * Makes lines of bytes as they come, split at LF only: JSON text may hold U+2028 unescaped. A line
 * that is too long, or no UTF-8, is told instead.
 */
export class LineSplitter {
  readonly #options: LineSplitterOptions
  readonly #mostBytes: number
  #parts: Buffer[] = []
  #bytes = 0

  constructor(options: LineSplitterOptions) {
    this.#options = options
    this.#mostBytes = options.mostBytes ?? MOST_LINE_BYTES
  }

  push(chunk: Buffer): void {
    let from = 0
    for (;;) {
      const at = chunk.indexOf(NEWLINE, from)
      if (at === -1) break
      this.#add(chunk.subarray(from, at))
      this.#endLine()
      from = at + 1
    }
    this.#add(chunk.subarray(from))
  }

  /** The stream has ended: a last line needs no newline. */
  end(): void {
    this.#endLine()
  }

  #add(part: Buffer): void {
    this.#bytes += part.length
    if (this.#bytes > this.#mostBytes) this.#parts = []
    else if (part.length > 0) this.#parts.push(part)
  }

  #endLine(): void {
    const [parts, bytes] = [this.#parts, this.#bytes]
    this.#parts = []
    this.#bytes = 0
    if (bytes > this.#mostBytes) {
      this.#options.onFault(`a line of ${bytes} bytes was passed over: ${this.#mostBytes} at most`)
      return
    }
    const line = parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts)
    const text = line.toString('utf8')
    if (text.trim() === '') return
    // Only what is no UTF-8, or is that character itself, becomes one.
    if (text.includes('\uFFFD') && !isUtf8(line)) {
      this.#options.onFault('a line held bytes that are no UTF-8', text)
    } else {
      this.#options.onLine(text)
    }
  }
}
