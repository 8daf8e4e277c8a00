import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { anyItem } from '../../test/support/arbitrary-items.ts'
import { type Fault, FaultyFileSystem } from '../../test/support/faulty-file-system.ts'
import { TempFolder } from '../../test/support/temp-folder.ts'
import { AT, header, item, says, textOf, threadIdOf, turn } from '../../test/support/thread-log.ts'
import { nodeFileSystem } from '../base/index.ts'
import { type RolloutItem, userText } from '../protocol/index.ts'
import { RolloutError } from './errors.ts'
import { type LoadedRollout, loadRollout, readSummary } from './rollout-reader.ts'

const START = header(threadIdOf(1))
const START_TEXT = textOf([START])

/** What is read of a file with these bytes. */
async function loaded(...parts: readonly (string | Uint8Array)[]): Promise<LoadedRollout> {
  await using folder = await TempFolder.create()
  const path = folder.at('rollout')
  await writeFile(path, Buffer.concat(parts.map((part) => Buffer.from(part))))
  return await loadRollout(nodeFileSystem, path)
}

function read(items: readonly RolloutItem[], damage: LoadedRollout['damage'] = []): LoadedRollout {
  return { lines: items.map((each) => ({ timestamp: AT, item: each })), damage }
}

function failsWith(code: RolloutError['code']) {
  return (error: unknown) => error instanceof RolloutError && error.code === code
}

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
})

describe('the summary', () => {
  /** The preview, and how often the file was read from. */
  async function summary(...parts: readonly string[]) {
    await using folder = await TempFolder.create()
    await writeFile(folder.at('rollout'), parts.join(''))
    const files = new FaultyFileSystem()
    const found = await readSummary(files, folder.at('rollout'))
    assert.equal(files.openCount, 0)
    return [found?.threadId, found?.preview, files.countOf('file.read')]
  }

  it('is read from the head of the file', async () => {
    const long = textOf([item(userText('x'.repeat(1_000_000)))])
    const text = textOf([START, ...says('u1')])
    assert.deepEqual(await summary(text, long, long), [threadIdOf(1), 'u1', 1])
  })

  it('is read over byte order marks, carriage returns and damaged lines', async () => {
    const text = textOf([START, ...says('u1')]).replaceAll('\n', '\r\n')
    assert.deepEqual(await summary('\uFEFF', text), [threadIdOf(1), 'u1', 1])
    assert.deepEqual(await summary('rubbish\n', text), [threadIdOf(1), 'u1', 1])
  })

  it('has no preview when the first thousand lines have none', async () => {
    const filler = textOf(Array.from({ length: 998 }, () => item(userText('x'))))
    const said = textOf(says('u1').slice(1))
    assert.deepEqual((await summary(START_TEXT, filler, said))[1], 'u1')
    assert.deepEqual((await summary(START_TEXT, filler, filler, said))[1], '')
  })

  it('is missing without a header', async () => {
    assert.deepEqual((await summary(textOf(turn(1))))[0], undefined)
    assert.deepEqual((await summary(''))[0], undefined)
  })
})

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
        const { lines, damage } = await loadRollout(nodeFileSystem, path)
        const complete = bytes[cut] === 0x0a && cut > end ? 1 : 0
        assert.equal(lines.length, whole + complete)
        assert.equal(
          textOf(lines.map((line) => line.item)),
          bytes.subarray(0, complete ? cut + 1 : end).toString(),
        )
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
        const { lines } = await loadRollout(nodeFileSystem, path)
        const hit = bytes.subarray(0, at).toString().split('\n').length - 1
        const kept = JSON.stringify(lines.map((line) => line.item))
        const untouched = items.filter((_each, n) => n !== hit && n !== hit + 1)
        for (const each of untouched) assert.ok(kept.includes(JSON.stringify(each)))
      }),
      { numRuns: 300 },
    )
  })
})
