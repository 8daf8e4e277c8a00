import { createZstdDecompress, type ZstdDecompress } from 'node:zlib'
import { assert, errorText, type FileFacts, type OpenFile } from '../base/index.ts'
import { BLOCK_BYTES, zstdPieces } from './zstd-pieces.ts'

/** Where the text of a compressed rollout ends before its time, and why. */
export interface CompressionDamage {
  /** Into the text, not into the file. */
  readonly offset: number
  /** Completes the sentence "this line …". */
  readonly reason: string
}

/**
 * The text of a `.jsonl.zst`, for reading only; `facts` are those of the file as it lies there.
 * One block is decompressed at a time, so memory does not grow with the file or its text. A read
 * before the last block begins at the start again, so read forwards, one call after the other.
 * Damage ends the text where nothing more can be decompressed; `damage` tells of it from then on.
 */
export class CompressedRollout implements OpenFile {
  readonly #file: OpenFile
  #blocks: AsyncGenerator<Buffer> | undefined
  #block: Buffer = EMPTY
  #blockStart = 0
  #damage: CompressionDamage | undefined

  constructor(file: OpenFile) {
    this.#file = file
  }

  /** Undefined as long as no read has met any. */
  get damage(): CompressionDamage | undefined {
    return this.#damage
  }

  /** May answer fewer bytes than asked for, but at least one before the end of the text. */
  async read(into: Uint8Array, position: number): Promise<number> {
    try {
      if (position < this.#blockStart) await this.#rewind()
      while (position >= this.#blockStart + this.#block.length) {
        if (!(await this.#nextBlock())) return 0
      }
    } catch (error) {
      await this.#rewind()
      throw error
    }
    const from = position - this.#blockStart
    return this.#block.copy(into, 0, from, from + into.length)
  }

  facts(): Promise<FileFacts> {
    return this.#file.facts()
  }

  async write(): Promise<number> {
    throw readOnly()
  }

  async truncate(): Promise<void> {
    throw readOnly()
  }

  async sync(): Promise<void> {
    throw readOnly()
  }

  async close(): Promise<void> {
    await this.#rewind()
    await this.#file.close()
  }

  async #nextBlock(): Promise<boolean> {
    if (this.#damage) return false
    this.#blocks ??= decompressedBlocks(this.#file)
    try {
      const next = await this.#blocks.next()
      if (next.done) return false
      this.#blockStart += this.#block.length
      this.#block = next.value
      return true
    } catch (error) {
      if (!(error instanceof Undecodable)) throw error
      this.#damage = { offset: this.#blockStart + this.#block.length, reason: error.message }
      return false
    }
  }

  async #rewind(): Promise<void> {
    await this.#blocks?.return(undefined)
    this.#blocks = undefined
    this.#block = EMPTY
    this.#blockStart = 0
    this.#damage = undefined
  }
}

const EMPTY = Buffer.alloc(0)

function readOnly(): Error {
  return new Error('a compressed rollout is read only')
}

/** What zstd cannot make sense of; the message completes the sentence "this line …". */
class Undecodable extends Error {}

/** The text block by block, and then `Undecodable` when there should be more. */
async function* decompressedBlocks(file: OpenFile): AsyncGenerator<Buffer> {
  using decoder = new BlockDecoder()
  let isWhole = true
  for await (const piece of zstdPieces(file)) {
    if (piece.fault !== undefined) throw new Undecodable(`cannot be decompressed: ${piece.fault}`)
    isWhole = piece.endsFrame
    const text = await decoder.decode(piece.bytes)
    if (text.length > 0) yield text
  }
  if (!isWhole) throw new Undecodable('is cut off: the compressed file ends too early')
}

/** Node's decompressor, one piece after the other. */
class BlockDecoder implements Disposable {
  readonly #stream: ZstdDecompress
  #fail: (error: Error) => void = () => undefined

  constructor() {
    // Room for all that one piece can hold: the stream never waits for us to read.
    const room = { chunkSize: BLOCK_BYTES, readableHighWaterMark: 4 * BLOCK_BYTES }
    this.#stream = createZstdDecompress(room)
    this.#stream.on('error', (error) => this.#fail(error))
  }

  async decode(bytes: Buffer): Promise<Buffer> {
    try {
      await new Promise<void>((resolve, reject) => {
        this.#fail = reject
        this.#stream.write(bytes, () => resolve())
      })
    } catch (error) {
      throw new Undecodable(`cannot be decompressed: ${errorText(error)}`)
    }
    const text: unknown = this.#stream.read() ?? EMPTY
    assert(Buffer.isBuffer(text), 'a stream of bytes gives bytes')
    return text
  }

  [Symbol.dispose](): void {
    this.#stream.destroy()
  }
}
