import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { describe, it } from 'node:test'
import { constants, createZstdCompress, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { FaultyFileSystem } from '../../test/support/faulty-file-system.ts'
import { TempFolder } from '../../test/support/temp-folder.ts'
import { header, textOf, threadIdOf, turn } from '../../test/support/thread-log.ts'
import { type FileSystem, nodeFileSystem } from '../base/index.ts'
import { CompressedRollout } from './compressed-rollout.ts'
import { RolloutError } from './errors.ts'
import { loadRollout, readHeader } from './rollout-reader.ts'
import { readSummary } from './summary-reader.ts'

const MB = 1024 * 1024
const START = header(threadIdOf(1))
const ITEMS = [START, ...turn(1), ...turn(2)]
const TEXT = textOf(ITEMS)

/** Text of several blocks that does not compress away. */
const LONG = Array.from({ length: 20_000 }, (_, n) => {
  return `{"n":${n},"of":"${createHash('sha256').update(String(n)).digest('hex')}"}\n`
}).join('')

const HAS_CHECKSUM = { params: { [constants.ZSTD_c_checksumFlag]: 1 } }

function zstd(text: string, options = {}): Buffer {
  return zstdCompressSync(text, options)
}

function skippable(sizeBytes: number): Buffer {
  const head = Buffer.alloc(8)
  head.writeUInt32LE(0x184d2a57)
  head.writeUInt32LE(sizeBytes, 4)
  return Buffer.concat([head, Buffer.alloc(sizeBytes, 'x')])
}

async function opened(path: string, files = nodeFileSystem): Promise<CompressedRollout> {
  return new CompressedRollout(await files.openForRead(path))
}

/** A compressed file by itself, opened. */
class Place implements AsyncDisposable {
  readonly file: CompressedRollout
  readonly #folder: TempFolder

  private constructor(folder: TempFolder, file: CompressedRollout) {
    this.#folder = folder
    this.file = file
  }

  static async of(bytes: Uint8Array, files: FileSystem = nodeFileSystem): Promise<Place> {
    const folder = await TempFolder.create()
    await writeFile(folder.at('x.jsonl.zst'), bytes)
    return new Place(folder, await opened(folder.at('x.jsonl.zst'), files))
  }

  async text(): Promise<string> {
    const parts: Buffer[] = []
    let position = 0
    for (;;) {
      const into = Buffer.alloc(100_000)
      const count = await this.file.read(into, position)
      if (count === 0) return Buffer.concat(parts).toString()
      parts.push(into.subarray(0, count))
      position += count
    }
  }

  async at(position: number, sizeBytes: number): Promise<string> {
    const into = Buffer.alloc(sizeBytes)
    return into.toString('utf8', 0, await this.file.read(into, position))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.file.close()
    await this.#folder[Symbol.asyncDispose]()
  }
}

async function decompressed(...parts: readonly Uint8Array[]) {
  await using place = await Place.of(Buffer.concat(parts))
  const text = await place.text()
  return { text, damage: place.file.damage }
}

async function loaded(...parts: readonly Uint8Array[]) {
  await using folder = await TempFolder.create()
  await writeFile(folder.at('x.jsonl.zst'), Buffer.concat(parts))
  return await loadRollout(nodeFileSystem, folder.at('x.jsonl.zst'))
}

describe('a compressed rollout', () => {
  it('is read as what it was: header, summary and lines', async () => {
    await using folder = await TempFolder.create()
    const path = folder.at('rollout.jsonl.zst')
    await writeFile(path, zstd(TEXT))
    const files = new FaultyFileSystem()
    const { items, damage } = await loadRollout(files, path)
    assert.deepEqual([items, damage], [ITEMS, []])
    assert.deepEqual(await readHeader(files, path), START.payload)
    assert.equal((await readSummary(files, path))?.summary.preview, 'u1')
    assert.equal(files.openCount, 0)
  })

  const shapes: readonly (readonly [string, readonly Uint8Array[], string])[] = [
    ['one frame of several blocks', [zstd(LONG)], LONG],
    ['a checksum', [zstd(LONG, HAS_CHECKSUM)], LONG],
    ['several frames', [zstd(TEXT), zstd(LONG, HAS_CHECKSUM), zstd(TEXT)], TEXT + LONG + TEXT],
    ['empty frames', [zstd(''), zstd(TEXT), zstd('')], TEXT],
    [
      'frames that hold no text',
      [skippable(5), zstd(TEXT), skippable(600_000), zstd('a')],
      `${TEXT}a`,
    ],
    ['text that repeats itself', [zstd('x'.repeat(3 * MB))], 'x'.repeat(3 * MB)],
    ['nothing', [], ''],
  ]
  for (const [what, parts, text] of shapes) {
    it(`may be ${what}`, async () => {
      assert.deepEqual(await decompressed(...parts), { text, damage: undefined })
    })
  }

  it('goes on at a later place, and begins again for an earlier one', async () => {
    await using place = await Place.of(Buffer.concat([zstd(LONG), zstd('end')]))
    for (const position of [0, 500_000, 500_010, 10, LONG.length - 1, LONG.length + 1, 0]) {
      const expected = `${LONG}end`.slice(position, position + 4)
      const read = await place.at(position, 4)
      assert.ok(read.length > 0 && expected.startsWith(read), `${position}: ${read}`)
    }
    assert.equal(await place.at(LONG.length + 3, 4), '')
    assert.equal(await place.at(LONG.length + 1000, 4), '')
    assert.equal(await place.text(), `${LONG}end`)
  })

  it('has the facts of the file, and takes no changes', async () => {
    const bytes = zstd(TEXT)
    await using place = await Place.of(bytes)
    assert.equal((await place.file.facts()).sizeBytes, bytes.length)
    for (const change of [place.file.write(), place.file.truncate(), place.file.sync()]) {
      await assert.rejects(change, /read only/)
    }
  })

  it('tells trouble with the disk from damage, and can be read once it has passed', async () => {
    let isBroken = true
    const files = new FaultyFileSystem(({ method }) =>
      isBroken && method === 'file.read' ? { kind: 'fail', code: 'EIO' } : undefined,
    )
    await using place = await Place.of(zstd(TEXT), files)
    await assert.rejects(place.text(), { code: 'EIO' })
    assert.equal(place.file.damage, undefined)
    isBroken = false
    assert.equal(await place.text(), TEXT)
  })
})

describe('a damaged compressed rollout', () => {
  const CUT = 'is cut off: the compressed file ends too early'
  const whole = zstd(LONG)

  it('is read up to where it was torn', async () => {
    for (const bytes of [whole.subarray(0, -1), whole.subarray(0, whole.length / 2)]) {
      const { text, damage } = await decompressed(zstd(TEXT), bytes)
      assert.ok(`${TEXT}${LONG}`.startsWith(text) && text.length > TEXT.length + 131_000)
      assert.deepEqual(damage, { offset: text.length, reason: CUT })
    }
    const inHeader = await decompressed(zstd(TEXT), whole.subarray(0, 5))
    assert.deepEqual(inHeader, { text: TEXT, damage: { offset: TEXT.length, reason: CUT } })
  })

  it('is read up to the bytes that are none of zstd', async () => {
    const rubbish = Buffer.from('rubbish!')
    const reason = 'cannot be decompressed: not zstd data'
    const damage = { offset: TEXT.length, reason }
    assert.deepEqual(await decompressed(zstd(TEXT), rubbish), { text: TEXT, damage })
    const nothing = { text: '', damage: { offset: 0, reason } }
    assert.deepEqual(await decompressed(rubbish), nothing)
    assert.deepEqual(await decompressed(Buffer.from('x')), nothing)
  })

  it('is read to the end when only its checksum is wrong', async () => {
    const bytes = zstd(LONG, HAS_CHECKSUM)
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
    const { text, damage } = await decompressed(bytes)
    assert.equal(text, LONG)
    assert.match(damage?.reason ?? '', /^cannot be decompressed: .*checksum/)
  })

  it('is told of by the reader, and the lines before it are there', async () => {
    const reason = 'cannot be decompressed: not zstd data'
    const rubbish = Buffer.from('rubbish!')
    const lineNumber = ITEMS.length + 1
    const { items, damage } = await loaded(zstd(TEXT), rubbish)
    assert.deepEqual([items, damage], [ITEMS, [{ lineNumber, offset: TEXT.length, reason }]])
    const torn = await loaded(zstd(TEXT), zstd(TEXT.slice(0, 10)), rubbish)
    assert.deepEqual(torn.items, ITEMS)
    assert.deepEqual(torn.damage.at(-1), {
      lineNumber: lineNumber + 1,
      offset: TEXT.length + 10,
      reason,
    })
    const noHeader = (error: unknown) => error instanceof RolloutError && error.code === 'no_header'
    await assert.rejects(loaded(rubbish), noHeader)
  })

  it('asks for no more memory than a window of 128 MB', async () => {
    const frameOf2TB = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xf8, 0x01, 0x00, 0x00])
    const { text, damage } = await decompressed(frameOf2TB)
    assert.equal(text, '')
    assert.match(damage?.reason ?? '', /too much memory/)
  })

  it('never gives text that was not there, and always ends, whatever the damage', async () => {
    const bytes = Buffer.concat([
      zstd(TEXT, HAS_CHECKSUM),
      zstd(LONG.slice(0, 300_000), HAS_CHECKSUM),
    ])
    const text = TEXT + LONG.slice(0, 300_000)
    const place = fc.nat(bytes.length - 1)
    await fc.assert(
      fc.asyncProperty(place, fc.nat(7), fc.nat(bytes.length), async (at, bit, cut) => {
        const flipped = Buffer.from(bytes)
        flipped[at] = (flipped[at] ?? 0) ^ (1 << bit)
        const torn = await decompressed(bytes.subarray(0, cut))
        assert.ok(text.startsWith(torn.text))
        const { text: read, damage } = await decompressed(flipped)
        assert.ok(damage !== undefined || read === text, `${at}.${bit}`)
      }),
      { numRuns: 200, examples: [...bytes.subarray(0, 12).keys()].map((at) => [at, 3, at]) },
    )
  })
})

describe('memory', () => {
  /** Counts what is read, and how far the memory of the process grew meanwhile. */
  async function readThrough(path: string): Promise<{ sizeBytes: number; grewBytes: number }> {
    const before = process.memoryUsage().rss
    const file = await opened(path)
    const into = Buffer.alloc(MB)
    let sizeBytes = 0
    let most = 0
    for (;;) {
      const count = await file.read(into, sizeBytes)
      if (count === 0) break
      sizeBytes += count
      most = Math.max(most, process.memoryUsage.rss())
    }
    await file.close()
    return { sizeBytes, grewBytes: most - before }
  }

  it('does not grow with the text: 200 MB of it', async () => {
    await using folder = await TempFolder.create()
    const path = folder.at('x.jsonl.zst')
    const compress = createZstdCompress()
    const source = async function* () {
      for (let size = 0; size < 200 * MB; size += LONG.length) yield LONG
    }
    await pipeline(source, compress, createWriteStream(path))
    const { sizeBytes, grewBytes } = await readThrough(path)
    assert.ok(sizeBytes >= 200 * MB)
    assert.ok(grewBytes < 64 * MB, `grew by ${Math.round(grewBytes / MB)} MB`)
  })

  it('does not grow with a bomb: 256 MB in 8 kB', async () => {
    await using folder = await TempFolder.create()
    const path = folder.at('x.jsonl.zst')
    const frameHead = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38])
    // A block of 128 KB that repeats one byte.
    const repeat = Buffer.from([0x02, 0x00, 0x10, 0x61])
    await writeFile(path, Buffer.concat([frameHead, ...Array(2048).fill(repeat)]))
    const { sizeBytes, grewBytes } = await readThrough(path)
    assert.equal(sizeBytes, 256 * MB)
    assert.ok(grewBytes < 64 * MB, `grew by ${Math.round(grewBytes / MB)} MB`)
  })
})
