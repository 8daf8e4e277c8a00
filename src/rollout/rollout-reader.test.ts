import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { appendFile, mkdir, symlink, truncate, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { anyItem } from '../../test/support/arbitrary-items.ts'
import { type Fault, FaultyFileSystem } from '../../test/support/faulty-file-system.ts'
import { TempFolder } from '../../test/support/temp-folder.ts'
import {
  header,
  item,
  named,
  says,
  textOf,
  threadIdOf,
  turn,
  turnContext,
} from '../../test/support/thread-log.ts'
import { nodeFileSystem } from '../base/index.ts'
import { type RolloutItem, userText } from '../protocol/index.ts'
import { RolloutError } from './errors.ts'
import { type LoadedRollout, loadRollout, readHeader } from './rollout-reader.ts'
import { type FoldedSummary, readSummary } from './summary-reader.ts'

const ID = threadIdOf(1)
const START = header(ID)
const START_TEXT = textOf([START])

/** What is read of a file with these bytes. */
async function loaded(...parts: readonly (string | Uint8Array)[]): Promise<Read> {
  await using folder = await TempFolder.create()
  const path = folder.at('rollout')
  await writeFile(path, Buffer.concat(parts.map((part) => Buffer.from(part))))
  const { items, damage } = await loadRollout(nodeFileSystem, path)
  return { items, damage }
}

type Read = Omit<LoadedRollout, 'summary'>

function read(items: readonly RolloutItem[], damage: LoadedRollout['damage'] = []): Read {
  return { items, damage }
}

function failsWith(code: RolloutError['code']) {
  return (error: unknown) => error instanceof RolloutError && error.code === code
}

describe('the header', () => {
  it('is read alone, however long the log', async () => {
    await using folder = await TempFolder.create()
    const path = folder.at('rollout')
    await writeFile(path, START_TEXT + textOf(turn(1)).repeat(20_000))
    const files = new FaultyFileSystem()
    assert.deepEqual(await readHeader(files, path), START.payload)
    assert.deepEqual([files.countOf('file.read'), files.openCount], [1, 0])
  })

  it('is the first that names a thread, or none', async () => {
    await using folder = await TempFolder.create()
    const path = folder.at('rollout')
    const nameless = textOf([{ ...START, payload: { ...START.payload, id: 'x' } } as RolloutItem])
    await writeFile(path, `rubbish\n${nameless}${START_TEXT}`)
    assert.deepEqual(await readHeader(nodeFileSystem, path), START.payload)
    await writeFile(path, nameless)
    assert.equal(await readHeader(nodeFileSystem, path), undefined)
  })
})

describe('loading a rollout', () => {
  it('reads every line, in order; blank ones are none', async () => {
    const text = `${START_TEXT}\n  \n${textOf(turn(1))}`
    assert.deepEqual(await loaded(text), read([START, ...turn(1)]))
  })

  it('passes over a byte order mark and carriage returns', async () => {
    const text = `\uFEFF${textOf([START, ...turn(1)])}`.replaceAll('\n', '\r\n')
    assert.deepEqual(await loaded(text), read([START, ...turn(1)]))
  })

  it('reads U+2028 and U+2029 inside strings', async () => {
    const items = [START, item(userText('a\u2028b\u2029c'))]
    assert.deepEqual(await loaded(textOf(items)), read(items))
  })

  it('reads a line that is longer than any buffer', async () => {
    const items = [START, item(userText('€'.repeat(100_000))), ...says('after')]
    const text = textOf(items)
    assert.ok(Buffer.byteLength(text) > 300_000)
    assert.deepEqual(await loaded(text), read(items))
  })

  it('reads a last line that only lacks its newline', async () => {
    const items = [START, ...says('u1')]
    assert.deepEqual(await loaded(textOf(items).slice(0, -1)), read(items))
  })

  it('tells of a torn last line', async () => {
    const damage = [{ lineNumber: 2, offset: START_TEXT.length, reason: TORN }]
    assert.deepEqual(await loaded(START_TEXT, '{"timest'), read([START], damage))
  })

  it('tells of each damaged line, with its place, and reads all others', async () => {
    const bad = '{"timestamp":"x","type":"event_msg","payload":{"type":"error"}}'
    const lines = [bad, '\u0000'.repeat(8), 'old text']
    const text = `${START_TEXT}${lines.join('\n')}\n${textOf(says('u1'))}`
    const second = START_TEXT.length
    const damage = [
      { lineNumber: 2, offset: second, reason: 'is a error without a valid message' },
      { lineNumber: 3, offset: second + bad.length + 1, reason: 'is not JSON' },
      { lineNumber: 4, offset: second + bad.length + 10, reason: 'is not JSON' },
    ]
    assert.deepEqual(await loaded(text), read([START, ...says('u1')], damage))
  })

  it('shows the rest of a line with bytes that are no UTF-8, and tells of it', async () => {
    const [before, after] = textOf(says('XX')).split('XX', 2)
    const rest = textOf(says('XX')).slice((before?.length ?? 0) + 2)
    const bytes = [START_TEXT, before ?? '', Uint8Array.of(0xff, 0xc0), rest]
    const expected = [START, item(userText('\uFFFD\uFFFD')), ...says('XX').slice(1)]
    const reason = 'holds bytes that are no UTF-8, shown as \uFFFD'
    const damage = [{ lineNumber: 2, offset: START_TEXT.length, reason }]
    assert.ok(after)
    assert.deepEqual(await loaded(...bytes), read(expected, damage))
  })

  it('fails without any header, and takes one that comes late', async () => {
    await assert.rejects(loaded(''), failsWith('no_header'))
    await assert.rejects(loaded(textOf(turn(1))), failsWith('no_header'))
    assert.deepEqual(await loaded(textOf([...says('u1'), START])), read([...says('u1'), START]))
  })
})

const TORN = 'is cut off at the end of the file'

describe('what is no rollout', () => {
  it('is refused without reading from it: pipes, links, folders, nothing', async () => {
    await using folder = await TempFolder.create()
    await writeFile(folder.at('real'), START_TEXT)
    await symlink('real', folder.at('link'))
    await mkdir(folder.at('folder'))
    execFileSync('mkfifo', [folder.at('pipe')])
    const files = new FaultyFileSystem()
    for (const name of ['pipe', 'link', 'folder', 'nothing']) {
      const path = folder.at(name)
      await assert.rejects(loadRollout(files, path), failsWith('not_a_rollout'))
      await assert.rejects(readSummary(files, path), failsWith('not_a_rollout'))
    }
    assert.deepEqual([files.countOf('file.read'), files.openCount], [0, 0])
  })

  it('is told from trouble with the disk, and leaves no file open', async () => {
    await using folder = await TempFolder.create()
    const path = folder.at('rollout')
    await writeFile(path, START_TEXT)
    const fault: Fault = { kind: 'fail', code: 'EIO' }
    for (const method of ['openForRead', 'file.facts', 'file.read']) {
      const files = new FaultyFileSystem((call) => (call.method === method ? fault : undefined))
      await assert.rejects(loadRollout(files, path), failsWith('io'))
      await assert.rejects(readSummary(files, path), failsWith('io'))
      assert.equal(files.openCount, 0)
    }
  })

  it('is told from trouble with the disk at each call, going on or not', async () => {
    await using folder = await TempFolder.create()
    const path = folder.at('rollout')
    await writeFile(path, textOf([START, ...says('u1')]))
    const known = await readSummary(nodeFileSystem, path)
    await appendFile(path, textOf(says('u2')))
    for (const given of [undefined, known]) {
      const plain = new FaultyFileSystem()
      await readSummary(plain, path, given)
      for (const { index } of plain.calls) {
        const files = new FaultyFileSystem((call) =>
          call.index === index ? { kind: 'fail', code: 'EIO' } : undefined,
        )
        await assert.rejects(readSummary(files, path, given), failsWith('io'))
        assert.equal(files.openCount, 0)
      }
    }
  })
})

describe('the summary', () => {
  const LONG = textOf([item(userText('x'.repeat(1_000_000)))])
  const NAMED = textOf([named(ID, 'N')])

  /** A file whose summary is read as the caller says; each read is of a file opened once. */
  class Log implements AsyncDisposable {
    bytesRead = 0
    readonly #folder: TempFolder

    private constructor(folder: TempFolder) {
      this.#folder = folder
    }

    static async of(...parts: readonly string[]): Promise<Log> {
      const log = new Log(await TempFolder.create())
      await writeFile(log.path, parts.join(''))
      return log
    }

    get path(): string {
      return this.#folder.at('rollout')
    }

    async read(known?: FoldedSummary): Promise<FoldedSummary | undefined> {
      const files = new FaultyFileSystem()
      const found = await readSummary(files, this.path, known)
      assert.deepEqual([files.countOf('openForRead'), files.openCount], [1, 0])
      this.bytesRead = files.bytesRead
      return found
    }

    async [Symbol.asyncDispose](): Promise<void> {
      await this.#folder[Symbol.asyncDispose]()
    }
  }

  async function previewOf(...parts: readonly string[]) {
    await using log = await Log.of(...parts)
    const { threadId, preview } = (await log.read())?.summary ?? {}
    return [threadId, preview]
  }

  it('is of the whole file, which is opened and read once', async () => {
    const later = textOf([
      header(ID, { git: { branch: 'b' }, memory_mode: 'disabled' }),
      ...turn(2),
      turnContext('t3', { model: 'later' }),
    ])
    const text = [textOf([START, ...says('u1')]), LONG, later, NAMED, LONG].join('')
    await using log = await Log.of(text)
    const { summary, foldedBytes } = (await log.read()) ?? assert.fail('there is a header')
    const { preview, git, memoryMode, model, loggedName } = summary
    assert.deepEqual(
      { preview, git, memoryMode, model, loggedName },
      {
        preview: 'u1',
        git: { branch: 'b' },
        memoryMode: 'disabled',
        model: 'later',
        loggedName: 'N',
      },
    )
    assert.equal(foldedBytes, text.length)
    // But for what was read beside the first words.
    assert.ok(log.bytesRead <= text.length + 64 * 1024)
  })

  it('is read over byte order marks, carriage returns and damaged lines', async () => {
    const text = textOf([START, ...says('u1')]).replaceAll('\n', '\r\n')
    assert.deepEqual(await previewOf('\uFEFF', text), [ID, 'u1'])
    assert.deepEqual(await previewOf('rubbish\n', text), [ID, 'u1'])
    assert.deepEqual(await previewOf(text, 'rubbish\n', '{"type":"session_meta"}\n'), [ID, 'u1'])
  })

  it('has the first message, however late it comes', async () => {
    const filler = textOf(Array.from({ length: 2000 }, () => item(userText('x'))))
    assert.deepEqual(await previewOf(START_TEXT, filler), [ID, ''])
    assert.deepEqual(await previewOf(START_TEXT, filler, textOf(says('u1'))), [ID, 'u1'])
  })

  it('is missing without a header', async () => {
    assert.deepEqual(await previewOf(textOf(turn(1))), [undefined, undefined])
    assert.deepEqual(await previewOf(''), [undefined, undefined])
  })

  it('sees later lines of other writers, who put spaces between', async () => {
    const spaced = NAMED.replaceAll('":"', '": "').replaceAll('","', '", "')
    await using log = await Log.of(START_TEXT, textOf(says('u1')), spaced)
    assert.equal((await log.read())?.summary.loggedName, 'N')
  })

  it('goes on where it ended when the file only grew', async () => {
    await using log = await Log.of(START_TEXT, textOf(says('u1')), LONG)
    const known = await log.read()
    assert.deepEqual(await log.read(known), known)
    assert.equal(log.bytesRead, LAST_BYTE)
    await appendFile(log.path, NAMED)
    const grown = await log.read(known)
    assert.equal(log.bytesRead, NAMED.length + LAST_BYTE)
    assert.deepEqual(grown, await log.read())
    assert.equal(grown?.summary.loggedName, 'N')
  })

  it('goes on before a line without its end, which is read again once it is whole', async () => {
    await using log = await Log.of(START_TEXT, textOf(says('u1')), LONG)
    const known = await log.read()
    await appendFile(log.path, NAMED.slice(0, 50))
    const torn = await log.read(known)
    assert.deepEqual(torn, known)
    await appendFile(log.path, NAMED.slice(50))
    const whole = await log.read(torn)
    assert.equal(log.bytesRead, NAMED.length + LAST_BYTE)
    assert.equal(whole?.summary.loggedName, 'N')
  })

  it('is read from the start when no line ends where it ended', async () => {
    await using log = await Log.of(START_TEXT, textOf(says('u1')), NAMED)
    const known = await log.read()
    const other = textOf([START, ...says('another message, longer than the first')])
    await writeFile(log.path, other + LONG)
    assert.equal((await log.read(known))?.summary.loggedName, null)
    await truncate(log.path, other.length)
    const { summary, foldedBytes } = (await log.read(known)) ?? assert.fail('there is a header')
    assert.deepEqual(
      [summary.preview, foldedBytes],
      ['another message, longer than the first', other.length],
    )
  })

  it('goes on from any line to what the whole file tells', async () => {
    await using folder = await TempFolder.create()
    const path = folder.at('rollout')
    const log = fc.array(anyItem, { minLength: 1, maxLength: 8 })
    await fc.assert(
      fc.asyncProperty(log, fc.nat(), async (items, at) => {
        const bytes = Buffer.from(textOf([START, ...items]))
        const first = Buffer.byteLength(START_TEXT)
        await writeFile(path, bytes.subarray(0, first + (at % (bytes.length - first))))
        const known = await readSummary(nodeFileSystem, path)
        await writeFile(path, bytes)
        const whole = await readSummary(nodeFileSystem, path)
        assert.deepEqual(await readSummary(nodeFileSystem, path, known), whole)
      }),
      { numRuns: 200 },
    )
  })
})

/** A line end is looked at by one byte. */
const LAST_BYTE = 1

describe('properties', () => {
  it('a rollout cut at any byte keeps all whole lines, and tells of a part of one', async () => {
    await using folder = await TempFolder.create()
    const path = folder.at('rollout')
    const log = fc.array(anyItem, { minLength: 1, maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(log, fc.double({ min: 0, max: 1, noNaN: true }), async (items, at) => {
        const bytes = Buffer.from(textOf([START, ...items]))
        const first = START_TEXT.length
        const cut = first + Math.round((bytes.length - first) * at)
        await writeFile(path, bytes.subarray(0, cut))
        const whole = bytes.subarray(0, cut).toString('latin1').split('\n').length - 1
        const end = bytes.subarray(0, cut).lastIndexOf('\n') + 1
        const { items: read, damage } = await loadRollout(nodeFileSystem, path)
        const complete = bytes[cut] === 0x0a && cut > end ? 1 : 0
        assert.equal(read.length, whole + complete)
        assert.equal(textOf(read), bytes.subarray(0, complete ? cut + 1 : end).toString())
        const isTorn = cut > end && !complete
        const told = damage.map(({ lineNumber, offset, reason }) => [lineNumber, offset, reason])
        assert.deepEqual(told, isTorn ? [[whole + 1, end, TORN]] : [])
      }),
      { numRuns: 300 },
    )
  })

  it('a flipped bit costs at most its own line and the one it is joined with', async () => {
    await using folder = await TempFolder.create()
    const path = folder.at('rollout')
    const items = [START, ...turn(1), ...turn(2)]
    const bytes = Buffer.from(textOf(items))
    const first = START_TEXT.length
    const place = fc.integer({ min: first, max: bytes.length - 1 })
    await fc.assert(
      fc.asyncProperty(place, fc.nat(7), async (at, bit) => {
        const flipped = Buffer.from(bytes)
        flipped[at] = (flipped[at] ?? 0) ^ (1 << bit)
        await writeFile(path, flipped)
        const { items: read } = await loadRollout(nodeFileSystem, path)
        const hit = bytes.subarray(0, at).toString().split('\n').length - 1
        const kept = JSON.stringify(read)
        const untouched = items.filter((_each, n) => n !== hit && n !== hit + 1)
        for (const each of untouched) assert.ok(kept.includes(JSON.stringify(each)))
      }),
      { numRuns: 300 },
    )
  })
})
