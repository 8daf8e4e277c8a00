import type { OpenFile } from '../base/index.ts'

/** The most bytes of text in one block, by the format. Source: RFC 8878, 3.1.1.2.4. */
export const BLOCK_BYTES = 128 * 1024

const MAGIC = 0xfd2fb528
const MAGIC_BYTES = 4
/** Sixteen numbers, of which the last four bits are free. */
const SKIPPABLE_MAGIC = 0x184d2a50
const SKIPPABLE_HEAD_BYTES = 8
const BLOCK_HEAD_BYTES = 3
const CHECKSUM_BYTES = 4
const INPUT_BYTES = 2 * BLOCK_BYTES

/** A part of a frame that decompresses by itself: its header, one block, or its checksum. */
export type ZstdPiece =
  | { readonly bytes: Buffer; readonly endsFrame: boolean; readonly fault?: undefined }
  /** Nothing behind this can be told apart. */
  | { readonly fault: string }

/**
 * Cuts zstd data at the borders of its blocks, from which Node's decompressor profits twice: it
 * loses what follows a frame within one write (nodejs/node#64741), and what it made of a write
 * that fails. Each piece is valid until the next. The last may be cut short by the end of the
 * file, and then does not end its frame.
 */
export async function* zstdPieces(file: OpenFile): AsyncGenerator<ZstdPiece> {
  const input = new Input(file)
  for (;;) {
    const head = await input.peek(SKIPPABLE_HEAD_BYTES)
    if (head.length === 0) return
    const magic = head.length < MAGIC_BYTES ? 0 : head.readUInt32LE()
    if (magic === MAGIC) {
      yield* frame(input)
    } else if ((magic & ~0xf) === SKIPPABLE_MAGIC) {
      yield* skippable(input, head)
    } else {
      yield { fault: 'not zstd data' }
      return
    }
  }
}

async function* frame(input: Input): AsyncGenerator<ZstdPiece> {
  const descriptor = (await input.peek(MAGIC_BYTES + 1))[MAGIC_BYTES] ?? 0
  const hasChecksum = (descriptor & 0b100) !== 0
  yield { bytes: await input.take(frameHeadBytes(descriptor)), endsFrame: false }
  for (;;) {
    const head = await input.peek(BLOCK_HEAD_BYTES)
    if (head.length === 0) return
    const { isLast, kind, sizeBytes } = blockHead(head)
    if (sizeBytes > BLOCK_BYTES || kind === RESERVED) {
      yield { fault: 'not a block of zstd data' }
      return
    }
    const wanted = BLOCK_HEAD_BYTES + (kind === REPEATED ? 1 : sizeBytes)
    const bytes = await input.take(wanted)
    yield { bytes, endsFrame: isLast && !hasChecksum && bytes.length === wanted }
    if (isLast) break
  }
  if (!hasChecksum) return
  const bytes = await input.take(CHECKSUM_BYTES)
  if (bytes.length > 0) yield { bytes, endsFrame: bytes.length === CHECKSUM_BYTES }
}

/** Source: RFC 8878, 3.1.1.1. */
function frameHeadBytes(descriptor: number): number {
  const isSingleSegment = (descriptor & 0b10_0000) !== 0
  const windowBytes = isSingleSegment ? 0 : 1
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 0b11] ?? 0
  const contentSizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0
  return MAGIC_BYTES + 1 + windowBytes + dictionaryBytes + contentSizeBytes
}

const REPEATED = 1
const RESERVED = 3

function blockHead(head: Buffer): { isLast: boolean; kind: number; sizeBytes: number } {
  const value = (head[0] ?? 0) | ((head[1] ?? 0) << 8) | ((head[2] ?? 0) << 16)
  return { isLast: (value & 1) === 1, kind: (value >> 1) & 0b11, sizeBytes: value >> 3 }
}

/** Holds no text. It is passed over here, so that the decompressor never sees it. */
async function* skippable(input: Input, head: Buffer): AsyncGenerator<ZstdPiece> {
  const isHeadWhole = head.length === SKIPPABLE_HEAD_BYTES
  let rest = SKIPPABLE_HEAD_BYTES + (isHeadWhole ? head.readUInt32LE(MAGIC_BYTES) : 0)
  while (rest > 0) {
    const { length } = await input.take(Math.min(rest, INPUT_BYTES))
    rest -= length
    if (length === 0) {
      yield { fault: 'the file ends too early' }
      return
    }
  }
}

/** The bytes of a file in order, through a window of fixed size. */
class Input {
  readonly #file: OpenFile
  readonly #window = Buffer.allocUnsafeSlow(INPUT_BYTES)
  #from = 0
  #to = 0
  #position = 0

  constructor(file: OpenFile) {
    this.#file = file
  }

  /** The next bytes, at most `INPUT_BYTES`; fewer only at the end. Valid until the next call. */
  async peek(count: number): Promise<Buffer> {
    if (this.#from + count > INPUT_BYTES) {
      this.#window.copyWithin(0, this.#from, this.#to)
      this.#to -= this.#from
      this.#from = 0
    }
    while (this.#to - this.#from < count) {
      const read = await this.#file.read(this.#window.subarray(this.#to), this.#position)
      if (read === 0) break
      this.#to += read
      this.#position += read
    }
    return this.#window.subarray(this.#from, Math.min(this.#from + count, this.#to))
  }

  /** The same, and passes over them. */
  async take(count: number): Promise<Buffer> {
    const bytes = await this.peek(count)
    this.#from += bytes.length
    return bytes
  }
}
