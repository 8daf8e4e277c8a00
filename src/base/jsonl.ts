import { isUtf8 } from 'node:buffer'
import type { OpenFile } from './file-system.ts'

/** One line of a JSONL file: its text, where it starts, and whether its newline is there. */
export interface JsonlLine {
  readonly text: string
  readonly offset: number
  /** Bytes of the line with its newline. */
  readonly sizeBytes: number
  /** False only for a last line that lost its end. */
  readonly isTerminated: boolean
  /** False when `text` holds U+FFFD for bytes that are no UTF-8. */
  readonly isUtf8: boolean
  /** `text` is its beginning only: longer than 128 MiB, it is not taken into memory. */
  readonly isTooLong?: true
}

export const MOST_LINE_BYTES = 128 * 1024 * 1024

const CHUNK_BYTES = 256 * 1024
const NEWLINE = 0x0a

/** Bytes of a line that `isWanted` is shown. */
const HEAD_BYTES = 200

export interface VisitLines {
  /** Byte to begin at; the start of a line. */
  readonly start?: number
  /** Byte to end at; the start of a line, or beyond the end of the file. */
  readonly end?: number
  /** Bytes that are read at once; 256 KiB when left out. */
  readonly chunkBytes?: number
  /** Reads the next chunk while the lines of one are shown: for whoever wants the whole file. */
  readonly readsAhead?: boolean
  /** Judges a line by its first 200 bytes; others are passed over without being decoded. */
  readonly isWanted?: (head: string) => boolean
}

/** `stop` ends the reading. */
export type VisitLine = (line: JsonlLine) => unknown

/**
 * Shows `visit` the lines of `file` until it says `stop`, split at LF only: JSON text may hold
 * U+2028 unescaped, which `node:readline` would split at. Bytes that are no UTF-8 become U+FFFD,
 * so that a damaged line costs only itself. Answers the byte behind the last whole line.
 */
export async function visitLines(
  file: OpenFile,
  { isWanted, ...range }: VisitLines,
  visit: VisitLine,
): Promise<number> {
  const { start = 0 } = range
  const wants = (line: Buffer) => isWanted?.(line.toString('latin1', 0, HEAD_BYTES)) ?? true
  let position = start
  let lineStart = start
  const pending = new PendingLine()
  for await (const bytes of chunksOf(file, range)) {
    let from = 0
    for (;;) {
      const at = bytes.indexOf(NEWLINE, from)
      if (at === -1) break
      const line = pending.end(bytes.subarray(from, at))
      const [offset, next] = [lineStart, position + at + 1]
      lineStart = next
      from = at + 1
      if (wants(line) && visit(toLine(line, offset, next, true)) === 'stop') return next
    }
    if (from < bytes.length) pending.add(bytes.subarray(from))
    position += bytes.length
  }
  const rest = pending.end(Buffer.alloc(0))
  if (rest.length > 0 && wants(rest)) visit(toLine(rest, lineStart, position, false))
  return lineStart
}

/** The bytes of a file; each part is there until the next one is asked for. */
async function* chunksOf(
  file: OpenFile,
  { start = 0, end = Number.POSITIVE_INFINITY, chunkBytes = CHUNK_BYTES, readsAhead }: VisitLines,
): AsyncGenerator<Buffer> {
  const room = () => Buffer.allocUnsafe(Math.min(chunkBytes, Math.max(1, end - start)))
  let [chunk, spare] = [room(), readsAhead ? room() : undefined]
  let position = start
  const read = async (into: Buffer) => {
    return position < end ? file.read(into.subarray(0, end - position), position) : 0
  }
  let ahead: Promise<number> | undefined
  try {
    for (;;) {
      const count = await (ahead ?? read(chunk))
      if (count === 0) return
      position += count
      const bytes = chunk.subarray(0, count)
      if (spare) {
        ahead = read(spare)
        // What goes wrong is met when its turn comes.
        ahead.catch(() => undefined)
        ;[chunk, spare] = [spare, chunk]
      }
      yield bytes
    }
  } finally {
    // Whoever closes the file next must not take it away from a call that still reads.
    await ahead?.catch(() => undefined)
  }
}

/** The beginning of a line whose end was not read yet; of one that is too long, not all of it. */
class PendingLine {
  #parts: Buffer[] = []
  #bytes = 0

  add(part: Buffer): void {
    if (this.#bytes < MOST_LINE_BYTES) {
      this.#parts.push(Buffer.from(part))
      this.#bytes += part.length
    }
  }

  end(part: Buffer): Buffer {
    const isWhole = this.#bytes < MOST_LINE_BYTES
    const line =
      this.#bytes === 0 ? part : Buffer.concat([...this.#parts, ...(isWhole ? [part] : [])])
    this.#parts = []
    this.#bytes = 0
    return line
  }
}

function toLine(bytes: Buffer, start: number, end: number, isTerminated: boolean): JsonlLine {
  const isTooLong = end - start > MOST_LINE_BYTES
  const text = bytes.toString('utf8', 0, isTooLong ? HEAD_BYTES : bytes.length)
  return {
    text,
    offset: start,
    sizeBytes: end - start,
    isTerminated,
    // Only what is no UTF-8, or is that character itself, becomes one.
    isUtf8: !text.includes('\uFFFD') || isUtf8(bytes),
    ...(isTooLong ? { isTooLong } : {}),
  }
}
