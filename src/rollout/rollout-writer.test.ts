import assert from 'node:assert/strict'
import { appendFile, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { describe, it, mock } from 'node:test'
import { type Fault, FaultyFileSystem } from '../../test/support/faulty-file-system.ts'
import { FixedClock } from '../../test/support/fixed-clock.ts'
import { TempFolder } from '../../test/support/temp-folder.ts'
import { AT, header, item, textOf, threadIdOf } from '../../test/support/thread-log.ts'
import { type RolloutItem, userText } from '../protocol/index.ts'
import { RolloutError } from './errors.ts'
import {
  type Durability,
  type RolloutNotice,
  RolloutWriter,
  type RolloutWriterOptions,
} from './rollout-writer.ts'

const HEADER = header(threadIdOf(1))

function said(...texts: readonly string[]): RolloutItem[] {
  return texts.map((text) => item(userText(text)))
}

/** A folder, a file system that can fail, and what a writer told. */
class Bench implements AsyncDisposable {
  readonly files = new FaultyFileSystem()
  readonly clock = new FixedClock(Date.parse(AT))
  readonly notices: RolloutNotice[] = []
  readonly path: string
  headerCalls = 0
  readonly #folder: TempFolder
  readonly #writers: RolloutWriter[] = []

  private constructor(folder: TempFolder) {
    this.#folder = folder
    this.path = folder.at('sessions', '2026', '11', '20', 'rollout.jsonl')
  }

  static async open(): Promise<Bench> {
    return new Bench(await TempFolder.create())
  }

  options(durability: Durability = 'turn'): RolloutWriterOptions {
    const { path, files, clock, notices } = this
    return { path, files, clock, durability, onNotice: (notice) => notices.push(notice) }
  }

  create(durability?: Durability): RolloutWriter {
    const writer = RolloutWriter.create(this.options(durability), async () => {
      this.headerCalls += 1
      return HEADER
    })
    this.#writers.push(writer)
    return writer
  }

  async resume(durability?: Durability): Promise<RolloutWriter> {
    const writer = await RolloutWriter.resume(this.options(durability))
    this.#writers.push(writer)
    return writer
  }

  async write(text: string): Promise<void> {
    await mkdir(dirname(this.path), { recursive: true })
    await writeFile(this.path, text)
  }

  text(): Promise<string> {
    return readFile(this.path, 'utf8')
  }

  /** The next call of the method has this fault. */
  fault(method: string, fault: Fault, skip = 0): void {
    let left = skip
    this.files.plan = (call) => {
      if (call.method !== method) return undefined
      if (left > 0) {
        left -= 1
        return undefined
      }
      this.files.plan = () => undefined
      return fault
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.files.plan = () => undefined
    for (const writer of this.#writers) await writer[Symbol.asyncDispose]()
    assert.equal(this.files.openCount, 0, 'a descriptor was left open')
    await this.#folder[Symbol.asyncDispose]()
  }
}

const FULL: Fault = { kind: 'fail', code: 'ENOSPC' }

function failsWith(code: RolloutError['code'], words: RegExp) {
  return (error: unknown) =>
    error instanceof RolloutError && error.code === code && words.test(error.message)
}

describe('a new file', () => {
  it('is not made before there is something to write', async () => {
    await using bench = await Bench.open()
    const writer = bench.create()
    await writer.flush()
    await writer.close()
    assert.deepEqual([bench.files.calls, bench.headerCalls], [[], 0])
  })

  it('begins with its header, in one write with the first items', async () => {
    await using bench = await Bench.open()
    const writer = bench.create()
    assert.equal(writer.isMaterialised, false)
    await writer.append(said('a', 'b'))
    assert.equal(writer.isMaterialised, true)
    assert.equal(await bench.text(), textOf([HEADER, ...said('a', 'b')]))
    assert.equal(bench.files.countOf('file.write'), 1)
  })

  it('is for its owner only, and so are the folders made for it', async () => {
    await using bench = await Bench.open()
    await bench.create().append(said('a'))
    const modes: string[] = []
    for (let path = bench.path, depth = 0; depth < 5; depth += 1, path = dirname(path)) {
      modes.push(((await stat(path)).mode & 0o777).toString(8))
    }
    assert.deepEqual(modes, ['600', '700', '700', '700', '700'])
  })

  it('holds lines of the time of their write', async () => {
    await using bench = await Bench.open()
    const writer = bench.create()
    await writer.append(said('a'))
    bench.clock.set(Date.parse('2026-11-20T10:00:00.001Z'))
    await writer.append(said('b'))
    const later = textOf(said('b'), '2026-11-20T10:00:00.001Z')
    assert.equal(await bench.text(), textOf([HEADER, ...said('a')]) + later)
  })

  it('is not left behind empty when the header cannot be made', async () => {
    await using bench = await Bench.open()
    let isBroken = true
    const writer = RolloutWriter.create(bench.options(), async () => {
      if (isBroken) throw new Error('no git')
      return HEADER
    })
    await assert.rejects(writer.append(said('a')), failsWith('io', /no git/))
    assert.equal(bench.files.countOf('openForAppend'), 0)
    isBroken = false
    await writer.append(said('b'))
    assert.equal(await bench.text(), textOf([HEADER, ...said('a', 'b')]))
    await writer.close()
  })

  it('is asked for its header once, however often the write fails', async () => {
    await using bench = await Bench.open()
    const writer = bench.create()
    bench.fault('file.write', { kind: 'cut', bytes: 10, code: 'ENOSPC' })
    await assert.rejects(writer.append(said('a')))
    bench.fault('makeDirectory', FULL)
    await writer.append(said('b'))
    assert.equal(bench.headerCalls, 1)
    assert.equal(await bench.text(), textOf([HEADER, ...said('a', 'b')]))
  })

  it('is never one that was there already', async () => {
    await using bench = await Bench.open()
    await bench.write('theirs\n')
    const writer = bench.create()
    await assert.rejects(writer.append(said('a')), failsWith('io', /EEXIST/))
    assert.equal(await bench.text(), 'theirs\n')
  })

  it('may have been made by a try that failed', async () => {
    await using bench = await Bench.open()
    const writer = bench.create()
    bench.fault('openForAppend', { kind: 'late', code: 'EIO' })
    await assert.rejects(writer.append(said('a')))
    await writer.flush()
    assert.equal(await bench.text(), textOf([HEADER, ...said('a')]))
  })
})

describe('order', () => {
  it('is that of the calls, also when nobody waits', async () => {
    await using bench = await Bench.open()
    const writer = bench.create()
    const names = Array.from({ length: 50 }, (_, n) => `n${n}`)
    await Promise.all(names.map((name) => writer.append(said(name))))
    assert.equal(await bench.text(), textOf([HEADER, ...said(...names)]))
  })

  it('holds for more items than a call can have arguments', async () => {
    await using bench = await Bench.open()
    const many = Array.from({ length: 150_000 }, () => item(userText('x')))
    await bench.create().append(many)
    const lines = (await bench.text()).split('\n')
    assert.equal(lines.length, 1 + many.length + 1)
  })
})

describe('an existing file', () => {
  const OLD = textOf([HEADER, ...said('old')])

  it('is not touched before the first append', async () => {
    await using bench = await Bench.open()
    await bench.write(`${OLD}{"torn`)
    const before = await stat(bench.path)
    const writer = await bench.resume()
    await writer.flush()
    await writer.close()
    const after = await stat(bench.path)
    assert.deepEqual([after.mtimeMs, after.size], [before.mtimeMs, before.size])
    assert.equal(bench.files.countOf('file.write'), 0)
  })

  it('goes on after its last line', async () => {
    await using bench = await Bench.open()
    await bench.write(OLD)
    await (await bench.resume()).append(said('new'))
    assert.equal(await bench.text(), OLD + textOf(said('new')))
    assert.deepEqual(bench.notices, [])
  })

  it('has its torn last line ended by the first append, and told', async () => {
    await using bench = await Bench.open()
    await bench.write(`${OLD}{"torn`)
    const writer = await bench.resume()
    const sizeBytes = OLD.length + 6
    assert.deepEqual(bench.notices, [{ kind: 'torn_tail', path: bench.path, sizeBytes }])
    await writer.append(said('new'))
    await writer.append(said('newer'))
    assert.equal(await bench.text(), `${OLD}{"torn\n${textOf(said('new', 'newer'))}`)
    assert.equal(bench.notices.length, 1)
  })

  it('has its torn line ended also when the first try fails, wherever it fails', async () => {
    const attempt = Buffer.byteLength(`\n${textOf(said('new'))}`)
    for (let bytes = 0; bytes <= attempt; bytes += bytes < 3 ? 1 : 5) {
      await using bench = await Bench.open()
      await bench.write(`${OLD}{"torn`)
      const writer = await bench.resume()
      bench.fault('file.write', { kind: 'cut', bytes, code: 'ENOSPC' })
      await assert.rejects(writer.append(said('new')))
      await writer.append(said('newer'))
      assert.equal(await bench.text(), `${OLD}{"torn\n${textOf(said('new', 'newer'))}`)
    }
  })

  it('must be there, and be a file', async () => {
    await using bench = await Bench.open()
    await assert.rejects(bench.resume(), failsWith('io', /ENOENT/))
    await mkdir(bench.path, { recursive: true })
    await assert.rejects(bench.resume(), failsWith('io', /EISDIR/))
  })

  it('is closed again when it cannot be looked at', async () => {
    await using bench = await Bench.open()
    await bench.write(`${OLD}{"torn`)
    for (const method of ['file.facts', 'file.read']) {
      bench.fault(method, { kind: 'fail', code: 'EIO' })
      await assert.rejects(bench.resume(), failsWith('io', /EIO/))
    }
  })
})

describe('a failed write', () => {
  it('keeps its items for the next call, before the new ones', async () => {
    await using bench = await Bench.open()
    const writer = bench.create()
    await writer.append(said('a'))
    bench.fault('file.write', FULL)
    await assert.rejects(writer.append(said('b')), failsWith('io', /cannot write.*ENOSPC/))
    assert.equal(await bench.text(), textOf([HEADER, ...said('a')]))
    await writer.append(said('c'))
    assert.equal(await bench.text(), textOf([HEADER, ...said('a', 'b', 'c')]))
  })

  it('is made good by a flush, or by closing', async () => {
    await using bench = await Bench.open()
    for (const end of ['flush', 'close'] as const) {
      await rm(bench.path, { force: true })
      const writer = bench.create()
      bench.fault('file.write', FULL)
      await assert.rejects(writer.append(said('a')))
      await writer[end]()
      assert.equal(await bench.text(), textOf([HEADER, ...said('a')]))
    }
  })

  it('that stopped in a line has that line cut back, and whole lines kept', async () => {
    const lines = textOf(said('b', 'c'))
    for (let bytes = 0; bytes <= lines.length; bytes += 3) {
      await using bench = await Bench.open()
      const writer = bench.create()
      await writer.append(said('a'))
      bench.fault('file.write', { kind: 'cut', bytes, code: 'ENOSPC' })
      await assert.rejects(writer.append(said('b', 'c')))
      await writer.append(said('d'))
      assert.equal(await bench.text(), textOf([HEADER, ...said('a', 'b', 'c', 'd')]))
      assert.deepEqual(bench.notices, [])
    }
  })

  it('is no failure when the rest can be written', async () => {
    await using bench = await Bench.open()
    const writer = bench.create()
    await writer.append(said('a'))
    bench.fault('file.write', { kind: 'cut', bytes: 7 })
    await writer.append(said('b'))
    assert.equal(await bench.text(), textOf([HEADER, ...said('a', 'b')]))
  })

  it('that takes nothing is one', async () => {
    await using bench = await Bench.open()
    const writer = bench.create()
    bench.fault('file.write', { kind: 'cut', bytes: 0 })
    await assert.rejects(writer.append(said('a')), failsWith('io', /took no bytes/))
    await writer.append(said('b'))
    assert.equal(await bench.text(), textOf([HEADER, ...said('a', 'b')]))
  })

  it('whose bytes had all arrived is not repeated', async () => {
    await using bench = await Bench.open()
    const writer = bench.create()
    bench.fault('file.write', { kind: 'late', code: 'EIO' })
    await assert.rejects(writer.append(said('a')))
    await writer.append(said('b'))
    assert.equal(await bench.text(), textOf([HEADER, ...said('a', 'b')]))
  })

  it('keeps the writer open, so that closing can be tried again', async () => {
    await using bench = await Bench.open()
    const writer = bench.create()
    await writer.append(said('a'))
    bench.files.plan = (call) => (call.method === 'file.write' ? FULL : undefined)
    await assert.rejects(writer.append(said('b')))
    await assert.rejects(writer.close(), failsWith('io', /ENOSPC/))
    await assert.rejects(writer.append(said('c')))
    bench.files.plan = () => undefined
    await writer.close()
    assert.equal(await bench.text(), textOf([HEADER, ...said('a', 'b', 'c')]))
  })

  it('does not stay for ever: a disk that is full for long loses nothing', async () => {
    await using bench = await Bench.open()
    const writer = bench.create()
    let room = 400
    bench.files.plan = ({ method, sizeBytes = 0 }) => {
      if (method !== 'file.write') return undefined
      const bytes = Math.min(sizeBytes, room)
      room -= bytes
      return bytes < sizeBytes ? { kind: 'cut', bytes, code: 'ENOSPC' } : undefined
    }
    const names = Array.from({ length: 20 }, (_, n) => `n${n}`)
    for (const name of names) await writer.append(said(name)).catch(() => undefined)
    bench.files.plan = () => undefined
    await writer.flush()
    assert.equal(await bench.text(), textOf([HEADER, ...said(...names)]))
  })
})

describe('a closed writer', () => {
  it('takes no items, and closes again without complaint', async () => {
    await using bench = await Bench.open()
    const writer = bench.create()
    await writer.append(said('a'))
    await writer.close()
    await writer.close()
    await assert.rejects(writer.append(said('b')), failsWith('io', /is closed/))
    assert.equal(await bench.text(), textOf([HEADER, ...said('a')]))
  })

  it('that was thrown away has not written what was queued', async () => {
    await using bench = await Bench.open()
    const writer = bench.create()
    bench.fault('file.write', FULL)
    await assert.rejects(writer.append(said('a')))
    await writer[Symbol.asyncDispose]()
    assert.equal(await bench.text(), '')
  })
})

describe('others at the same file', () => {
  it('are noticed when they wrote, and nothing of theirs is lost', async () => {
    await using bench = await Bench.open()
    const writer = bench.create()
    await writer.append(said('a'))
    await appendFile(bench.path, textOf(said('theirs')))
    await writer.append(said('b'))
    await writer.append(said('c'))
    assert.equal(await bench.text(), textOf([HEADER, ...said('a', 'theirs', 'b', 'c')]))
    assert.deepEqual(bench.notices, [{ kind: 'changed_by_another', path: bench.path }])
  })

  it('have their torn line ended, also when our first try fails', async () => {
    await using bench = await Bench.open()
    const writer = bench.create()
    await writer.append(said('a'))
    await appendFile(bench.path, '{"theirs')
    bench.fault('file.write', FULL)
    await assert.rejects(writer.append(said('b')))
    await writer.append(said('c'))
    const expected = `${textOf([HEADER, ...said('a')])}{"theirs\n${textOf(said('b', 'c'))}`
    assert.equal(await bench.text(), expected)
    const kinds = bench.notices.map((notice) => notice.kind)
    assert.deepEqual(kinds, ['torn_tail', 'changed_by_another'])
  })

  it('may write after our failed write: their bytes stay, ours are not doubled', async () => {
    const lines = textOf(said('b', 'c'))
    const first = textOf(said('b')).length
    for (let bytes = 0; bytes <= lines.length; bytes += 1) {
      await using bench = await Bench.open()
      const writer = bench.create()
      await writer.append(said('a'))
      bench.fault('file.write', { kind: 'cut', bytes, code: 'ENOSPC' })
      await assert.rejects(writer.append(said('b', 'c')))
      await appendFile(bench.path, `\n${textOf(said('theirs'))}`)
      await writer.append(said('d'))
      const all = textOf([HEADER, ...said('a')])
      // Their newline may have ended a line of ours that lacked only that.
      const isKept = (size: number) => bytes >= size - 1
      const rest = [isKept(first) ? [] : 'b', isKept(lines.length) ? [] : 'c', 'd'].flat()
      const theirs = `\n${textOf(said('theirs'))}`
      const expected = all + lines.slice(0, bytes) + theirs + textOf(said(...rest))
      assert.equal(await bench.text(), expected)
      const kinds = bench.notices.map((notice) => notice.kind)
      assert.deepEqual(kinds, ['changed_by_another'])
    }
  })

  it('are noticed when they made the file shorter', async () => {
    await using bench = await Bench.open()
    const writer = bench.create()
    await writer.append(said('a'))
    await writeFile(bench.path, textOf([HEADER]))
    await writer.append(said('b'))
    assert.equal(await bench.text(), textOf([HEADER, ...said('b')]))
    assert.deepEqual(bench.notices, [{ kind: 'changed_by_another', path: bench.path }])
  })

  it('are noticed when they delete the file, and it is written on once it is back', async () => {
    await using bench = await Bench.open()
    const writer = bench.create()
    await writer.append(said('a'))
    const saved = await bench.text()
    await rm(bench.path)
    await assert.rejects(writer.append(said('b')), failsWith('io', /was deleted while/))
    await assert.rejects(writer.append(said('c')), failsWith('io', /ENOENT/))
    await writeFile(bench.path, saved)
    await writer.append(said('d'))
    assert.equal(await bench.text(), textOf([HEADER, ...said('a', 'b', 'c', 'd')]))
  })

  it('are noticed when they delete the file before it was synced', async () => {
    await using bench = await Bench.open()
    const writer = bench.create()
    await writer.append(said('a'))
    await rm(bench.path)
    await assert.rejects(writer.flush(), failsWith('io', /was deleted while/))
  })
})

describe('durability', () => {
  const syncs = (bench: Bench) => [
    bench.files.countOf('file.sync'),
    bench.files.countOf('syncDirectory'),
  ]

  /** Lets what a timer started come to its end. */
  async function settle(writer: RolloutWriter): Promise<void> {
    await writer.persist().catch(() => undefined)
  }

  it('at level turn: at a flush, or 200 ms after an append; new folders too', async () => {
    mock.timers.enable({ apis: ['setTimeout'] })
    try {
      await using bench = await Bench.open()
      const writer = bench.create('turn')
      await writer.append(said('a'))
      assert.deepEqual(syncs(bench), [0, 0])
      await writer.flush()
      assert.deepEqual(syncs(bench), [1, 5])
      await writer.flush()
      assert.deepEqual(syncs(bench), [1, 5])
      await writer.append(said('b'))
      await writer.append(said('c'))
      mock.timers.tick(199)
      await settle(writer)
      assert.deepEqual(syncs(bench), [1, 5])
      mock.timers.tick(1)
      await settle(writer)
      assert.deepEqual(syncs(bench), [2, 5])
    } finally {
      mock.timers.reset()
    }
  })

  it('at level process: a second after an append, not at a flush', async () => {
    mock.timers.enable({ apis: ['setTimeout'] })
    try {
      await using bench = await Bench.open()
      const writer = bench.create('process')
      await writer.append(said('a'))
      await writer.flush()
      mock.timers.tick(999)
      await settle(writer)
      assert.deepEqual(syncs(bench), [0, 0])
      mock.timers.tick(1)
      await settle(writer)
      assert.deepEqual(syncs(bench), [1, 5])
    } finally {
      mock.timers.reset()
    }
  })

  it('at level power: before an append returns', async () => {
    await using bench = await Bench.open()
    const writer = bench.create('power')
    await writer.append(said('a'))
    assert.deepEqual(syncs(bench), [1, 5])
    await writer.append(said('b'))
    assert.deepEqual(syncs(bench), [2, 5])
  })

  it('at level power: also when all bytes had arrived with a failed write', async () => {
    await using bench = await Bench.open()
    const writer = bench.create('power')
    await writer.append(said('a'))
    bench.fault('file.write', { kind: 'late', code: 'EIO' })
    await assert.rejects(writer.append(said('b')))
    assert.deepEqual(syncs(bench), [1, 5])
    await writer.append([])
    assert.deepEqual(syncs(bench), [1, 5])
    await writer.persist()
    assert.deepEqual(syncs(bench), [2, 5])
    assert.equal(await bench.text(), textOf([HEADER, ...said('a', 'b')]))
  })

  it('at every level: before a close returns', async () => {
    for (const level of ['process', 'turn', 'power'] as const) {
      await using bench = await Bench.open()
      const writer = bench.create(level)
      await writer.append(said('a'))
      await writer.close()
      assert.deepEqual(syncs(bench), [1, 5])
    }
  })

  it('is not claimed after a failed sync: the file is opened anew and synced', async () => {
    await using bench = await Bench.open()
    const writer = bench.create('turn')
    await writer.append(said('a'))
    for (const method of ['file.sync', 'syncDirectory']) {
      bench.fault(method, { kind: 'fail', code: 'EIO' })
      await assert.rejects(writer.flush(), failsWith('io', /cannot make the rollout durable.*EIO/))
      assert.equal(bench.files.openCount, 0)
    }
    await writer.flush()
    assert.deepEqual([bench.files.countOf('openForAppend'), ...syncs(bench)], [3, 3, 6])
  })

  it('keeps the writer open when closing cannot sync', async () => {
    await using bench = await Bench.open()
    const writer = bench.create('turn')
    await writer.append(said('a'))
    bench.fault('file.sync', { kind: 'fail', code: 'EIO' })
    await assert.rejects(writer.close(), failsWith('io', /EIO/))
    await writer.append(said('b'))
    await writer.close()
    assert.equal(await bench.text(), textOf([HEADER, ...said('a', 'b')]))
  })

  it('tells the next call of a sync that failed in the background, and loses nothing', async () => {
    mock.timers.enable({ apis: ['setTimeout'] })
    try {
      await using bench = await Bench.open()
      const writer = bench.create('turn')
      await writer.append(said('a'))
      bench.fault('file.sync', { kind: 'fail', code: 'EIO' })
      mock.timers.tick(200)
      await assert.rejects(writer.append(said('b')), failsWith('io', /EIO/))
      await writer.append(said('c'))
      await writer.flush()
      assert.equal(await bench.text(), textOf([HEADER, ...said('a', 'b', 'c')]))
    } finally {
      mock.timers.reset()
    }
  })

  it('is not sought any more once the writer was thrown away', async () => {
    mock.timers.enable({ apis: ['setTimeout'] })
    try {
      await using bench = await Bench.open()
      const writer = bench.create('turn')
      await writer.append(said('a'))
      const thrownAway = writer[Symbol.asyncDispose]()
      mock.timers.tick(200)
      await thrownAway
      await settle(writer)
      assert.deepEqual([...syncs(bench), bench.files.openCount], [0, 0, 0])
    } finally {
      mock.timers.reset()
    }
  })
})

describe('what is appended whole', () => {
  const TEXT = textOf([HEADER, ...said('a')])
  const WHOLE = said('x', 'y')

  /** A writer behind one item, and its lines afterwards. */
  async function begun() {
    const bench = await Bench.open()
    const writer = bench.create('turn')
    await writer.append(said('a'))
    return { bench, writer }
  }

  it('is one write, synced before it is confirmed', async () => {
    const { bench, writer } = await begun()
    await using _ = bench
    const from = bench.files.calls.length
    let before: string[] = []
    await writer.appendWhole(WHOLE, async () => {
      before = bench.files.calls.slice(from).map(({ method }) => method)
    })
    assert.deepEqual(
      before.filter((method) => method === 'file.write' || method === 'file.sync'),
      ['file.write', 'file.sync'],
    )
    assert.equal(await bench.text(), TEXT + textOf(WHOLE))
    await writer.append(said('b'))
    assert.equal(await bench.text(), TEXT + textOf([...WHOLE, ...said('b')]))
    assert.deepEqual(bench.notices, [])
  })

  it('comes behind what waited, and before what comes later', async () => {
    const { bench, writer } = await begun()
    await using _ = bench
    await Promise.all([
      writer.append(said('b')),
      writer.appendWhole(WHOLE),
      writer.flush().then(() => writer.append(said('c'))),
    ])
    assert.equal(await bench.text(), TEXT + textOf([...said('b'), ...WHOLE, ...said('c')]))
  })

  it('leaves nothing when it is not confirmed, and what comes next is written', async () => {
    const { bench, writer } = await begun()
    await using _ = bench
    const refused = writer.appendWhole(WHOLE, () => Promise.reject(new Error('not that')))
    const next = writer.append(said('b'))
    await assert.rejects(refused, failsWith('io', /not that/))
    await next
    assert.equal(await bench.text(), TEXT + textOf(said('b')))
    assert.deepEqual(bench.notices, [])
  })

  it('leaves nothing, whichever call fails, and is whole when none of them says so', async () => {
    const kinds: readonly Fault[] = [
      FULL,
      { kind: 'late', code: 'EIO' },
      { kind: 'cut', bytes: textOf(said('x')).length + 5, code: 'ENOSPC' },
      { kind: 'cut', bytes: 10 },
    ]
    for (const isTorn of [false, true]) {
      for (const fault of kinds) {
        for (let index = 0; index < 12; index += 1) {
          await using bench = await Bench.open()
          const torn = isTorn ? '{"torn' : ''
          await bench.write(TEXT + torn)
          const writer = await bench.resume()
          let left = index
          bench.files.plan = () => {
            left -= 1
            return left === -1 ? fault : undefined
          }
          const result = await writer.appendWhole(WHOLE).catch((error: unknown) => error)
          bench.files.plan = () => undefined
          const isWhole = result === undefined
          const end = torn === '' ? '' : '\n'
          const whole = `${TEXT}${torn}${end}${textOf(WHOLE)}`
          assert.equal(await bench.text(), isWhole ? whole : TEXT + torn)
          await writer.append(said('b'))
          const before = isWhole ? whole : TEXT + torn + end
          assert.equal(await bench.text(), before + textOf(said('b')))
        }
      }
    }
  })

  it('is cut off later when the disk is out for longer', async () => {
    const { bench, writer } = await begun()
    await using _ = bench
    let isOut = false
    bench.files.plan = ({ method }) => {
      if (method === 'file.write') isOut = true
      return isOut ? { kind: 'cut', bytes: 10, code: 'EIO' } : undefined
    }
    await assert.rejects(writer.appendWhole(WHOLE), failsWith('io', /EIO/))
    await assert.rejects(writer.append(said('b')), failsWith('io', /EIO/))
    bench.files.plan = () => undefined
    await writer.append(said('c'))
    assert.equal(await bench.text(), TEXT + textOf(said('b', 'c')))
  })

  it('is not cut off when another has written behind it', async () => {
    const { bench, writer } = await begun()
    await using _ = bench
    const theirs = textOf(said('theirs'))
    const refused = writer.appendWhole(WHOLE, async () => {
      await appendFile(bench.path, theirs)
      throw new Error('not that')
    })
    await assert.rejects(refused)
    await writer.append(said('b'))
    assert.equal(await bench.text(), TEXT + textOf(WHOLE) + theirs + textOf(said('b')))
    assert.deepEqual(
      bench.notices.map(({ kind }) => kind),
      ['changed_by_another'],
    )
  })
})

describe('persisting', () => {
  it('makes the file with its header alone, which is made durable as an append is', async () => {
    const syncs = { process: 0, turn: 0, power: 1 } as const
    for (const level of ['process', 'turn', 'power'] as const) {
      await using bench = await Bench.open()
      const writer = bench.create(level)
      await writer.persist()
      assert.deepEqual([await bench.text(), bench.headerCalls], [textOf([HEADER]), 1])
      assert.equal(bench.files.countOf('file.sync'), syncs[level])
      await writer.persist()
      assert.equal(bench.files.countOf('file.write'), 1)
      await writer.close()
      assert.deepEqual(
        [bench.files.countOf('file.sync'), bench.files.countOf('syncDirectory')],
        [1, 5],
      )
    }
  })

  it('writes what a failed append left', async () => {
    await using bench = await Bench.open()
    const writer = bench.create()
    bench.fault('file.write', FULL)
    await assert.rejects(writer.append(said('a')), failsWith('io', /ENOSPC/))
    await writer.append([])
    assert.equal(await bench.text(), '')
    await writer.persist()
    assert.equal(await bench.text(), textOf([HEADER, ...said('a')]))
  })
})
