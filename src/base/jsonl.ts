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
}

const CHUNK_BYTES = 256 * 1024
const NEWLINE = 0x0a

/** Bytes of a line that `isWanted` is shown. */
const HEAD_BYTES = 200

export interface ReadLines {
  /** Byte to begin at; the start of a line. */
  readonly start?: number
  /** Judges a line by its first 200 bytes; others are passed over without being decoded. */
  readonly isWanted?: (head: string) => boolean
}

/**
 * Streams the lines of `file`, split at LF only: JSON text may hold U+2028 unescaped, which
 * `node:readline` would split at. Bytes that are no UTF-8 become U+FFFD, so that a damaged line
 * costs only itself.
 */
export async function* readLines(
  file: OpenFile,
  { start = 0, isWanted = () => true }: ReadLines = {},
): AsyncGenerator<JsonlLine> {
  const wants = (line: Buffer) => isWanted(line.toString('latin1', 0, HEAD_BYTES))
  let position = start
  let lineStart = start
  let pending: Buffer[] = []
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
  for (;;) {
    const count = await file.read(chunk, position)
    if (count === 0) break
    const bytes = chunk.subarray(0, count)
    let from = 0
    for (;;) {
      const at = bytes.indexOf(NEWLINE, from)
      if (at === -1) break
      const line = joined(pending, bytes.subarray(from, at))
      pending = []
      const next = position + at + 1
      if (wants(line)) yield toLine(line, lineStart, next, true)
      lineStart = next
      from = at + 1
    }
    if (from < count) pending.push(Buffer.from(bytes.subarray(from)))
    position += count
  }
  const rest = joined(pending, Buffer.alloc(0))
  if (rest.length > 0 && wants(rest)) yield toLine(rest, lineStart, position, false)
}

function joined(pending: readonly Buffer[], last: Buffer): Buffer {
  return pending.length === 0 ? last : Buffer.concat([...pending, last])
}

function toLine(bytes: Buffer, start: number, end: number, isTerminated: boolean): JsonlLine {
  return {
    text: bytes.toString('utf8'),
    offset: start,
    sizeBytes: end - start,
    isTerminated,
    isUtf8: isUtf8(bytes),
  }
}
