import assert from 'node:assert/strict'
import { appendFile, chmod, readFile, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { ALL, CodexHome } from '../../../../test/support/codex-home.ts'
import { codesOf, contentsOf, repair } from '../../../../test/support/doctor.ts'
import { Sqlite } from '../../../../test/support/sqlite.ts'
import {
  AT,
  header,
  says,
  textOf,
  threadIdOf,
  turn,
  turnContext,
} from '../../../../test/support/thread-log.ts'
import { type FileSystem, nodeFileSystem, type OpenFile } from '../../../base/index.ts'
import { loadRollout } from '../../../rollout/index.ts'
import { INDEX_FILE } from '../home-access.ts'
import { WriterLease } from '../writer-lease.ts'
import { inspectRollout, isWhole } from './inspect-rollout.ts'
import { repairRollout } from './repair-rollout.ts'

const LINES = [header(threadIdOf(1)), ...turn(1)]
const TEXT = textOf(LINES)
const BACKUPS = join('repairs', AT.replaceAll(/[:.]/g, '-'))
const SECONDS = 1_800_000_000

async function homeWith(text: string | Buffer): Promise<CodexHome> {
  const home = await CodexHome.create()
  await chmod(home.path, 0o700)
  const path = await home.place({ n: 1 })
  await writeFile(path, text)
  await utimes(path, SECONDS, SECONDS)
  return home
}

function pathIn(home: CodexHome): string {
  return home.pathOf({ n: 1 })
}

async function textIn(home: CodexHome): Promise<string> {
  return readFile(pathIn(home), 'utf8')
}

/** Repairs the only damaged file; the home is well afterwards, and another repair does nothing. */
async function repairedText(text: string | Buffer): Promise<string> {
  await using home = await homeWith(text)
  const [outcome, ...more] = await repair(home)
  assert.deepEqual(more, [])
  assert.equal(outcome?.status, 'done', outcome?.told)
  assert.deepEqual(await readFile(outcome?.backup ?? ''), Buffer.from(text))
  assert.equal((await stat(outcome?.backup ?? '')).mode & 0o777, 0o600)
  assert.equal((await stat(pathIn(home))).mtimeMs, SECONDS * 1000)
  assert.equal((await stat(pathIn(home))).mode & 0o777, 0o600)
  assert.deepEqual(await codesOf(home), [])
  const repaired = await textIn(home)
  assert.deepEqual(await repair(home, nodeFileSystem, Date.parse(AT) + 1), [])
  assert.equal(await textIn(home), repaired)
  return repaired
}

describe('the repair of a rollout', () => {
  it('takes bad lines out, and keeps the others byte for byte', async () => {
    const [first = '', ...rest] = TEXT.split('\n')
    const strange = first.replace('{', '{ "unknown" : [1.0e5, "\u2028ü"],  ')
    const bad = ['rubbish', '\0\0\0', '{"timestamp":1}', '[]', '   ', '{"type":"x","payload":{}}']
    const text = ['x', strange, ...bad, ...rest].join('\n')
    assert.equal(await repairedText(text), [strange, ...rest].join('\n'))
  })

  it('takes the last line out, cut at any byte, or ends it when it is whole', async () => {
    const last = TEXT.trimEnd().lastIndexOf('\n') + 1
    const whole = TEXT.slice(0, last)
    for (let end = last + 1; end < TEXT.length; end += 1) {
      await using home = await homeWith(TEXT.slice(0, end))
      const file = { path: pathIn(home), threadId: threadIdOf(1), stamp: '', isCompressed: false }
      const context = { home: home.path, files: nodeFileSystem, nowMs: 0, index: undefined }
      const backups = home.folder.at('repairs', 'now')
      const outcome = await repairRollout({ ...context, backups }, { ...file, isArchived: false })
      assert.equal(outcome.status, 'done', `${end}: ${outcome.told}`)
      assert.equal(await textIn(home), end === TEXT.length - 1 ? TEXT : whole, `cut at ${end}`)
      assert.ok(isWhole(await inspectRollout(nodeFileSystem, file)))
    }
  })

  it('shows bytes that are no UTF-8 as readers do, and drops a byte order mark', async () => {
    const broken = Buffer.from(TEXT.replace('"u1"', '"u\xff\xfe"'), 'latin1')
    assert.equal(await repairedText(broken), TEXT.replace('"u1"', '"u\uFFFD\uFFFD"'))
    assert.equal(await repairedText(`\uFEFF${TEXT}`), TEXT)
  })

  it('keeps every good line in order, whatever lies between them', async () => {
    const good = TEXT.trimEnd().split('\n')
    const garbage = fc.array(
      fc.oneof(
        fc.uint8Array({ minLength: 1, maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
        fc.nat({ max: 60 }).map((count) => Buffer.from(good[2]?.slice(0, count + 1) ?? '')),
        fc.json().map((text) => Buffer.from(text)),
      ),
      { maxLength: 4 },
    )
    const gaps = fc.array(garbage, { minLength: good.length + 1, maxLength: good.length + 1 })
    await fc.assert(
      fc.asyncProperty(gaps, async (between) => {
        const lines = between.flatMap((gap, index) => {
          const line = good[index]
          return line === undefined ? gap : [...gap, Buffer.from(line)]
        })
        await using home = await homeWith(
          Buffer.concat(lines.flatMap((line) => [line, Buffer.from('\n')])),
        )
        for (const { status, told } of await repair(home)) assert.equal(status, 'done', told)
        assert.equal(await textIn(home), TEXT)
        assert.deepEqual(await codesOf(home), [])
      }),
      { numRuns: 40 },
    )
  })

  it('tells how many lines it kept and removed', async () => {
    await using home = await homeWith(`x\ny\n${TEXT}{"torn`)
    const [outcome] = await repair(home)
    const { kept, removed, headersMade } = outcome ?? {}
    assert.deepEqual([kept, removed, headersMade], [LINES.length, 3, 0])
  })
})

describe('a lost header', () => {
  it('is made of the name, the turns and the time of the first line', async () => {
    const lines = [turnContext('t1', { cwd: '/work' }), ...says('hi')]
    const text = await repairedText(`{"timest\n${textOf(lines)}`)
    const [first = '', ...rest] = text.split('\n')
    assert.equal(rest.join('\n'), textOf(lines))
    assert.deepEqual(JSON.parse(first), {
      timestamp: AT,
      type: 'session_meta',
      payload: {
        id: threadIdOf(1),
        timestamp: AT,
        cwd: '/work',
        originator: 'bobbin',
        cli_version: '',
        source: 'cli',
      },
    })
  })

  it('is made of the index where that knows the thread', async () => {
    const git = { branch: 'main', commit_hash: 'abc' }
    const meta = { originator: 'codex_exec', source: 'exec', cwd: '/other', git } as const
    const whole = header(threadIdOf(1), { ...meta, cli_version: '0.133.0', model_provider: 'p' })
    await using home = await homeWith(textOf([whole, ...turn(1)]))
    await home.fillIndex()
    await writeFile(pathIn(home), `rubbish\n${textOf(turn(1))}`)
    const [outcome] = await repair(home)
    assert.deepEqual([outcome?.status, outcome?.headersMade], ['done', 1])
    const { items, summary } = await loadRollout(nodeFileSystem, pathIn(home))
    assert.deepEqual(items, [whole, ...turn(1)])
    assert.equal(summary.threadId, threadIdOf(1))
  })

  it('of a fork is not that of its source', async () => {
    const source = header(threadIdOf(2), { cwd: '/source' })
    const text = await repairedText(`rubbish\n${textOf([source, ...turn(1)])}`)
    const { id, forked_from_id } = JSON.parse(text.split('\n')[0] ?? '').payload
    assert.deepEqual([id, forked_from_id], [threadIdOf(1), threadIdOf(2)])
    assert.ok(text.endsWith(textOf([source, ...turn(1)])))
  })

  it('that comes too late is put in front, too', async () => {
    const [meta = '', ...rest] = TEXT.trimEnd().split('\n')
    const late = [...rest.slice(0, 2), meta, ...rest.slice(2)].join('\n')
    assert.equal(await repairedText(`${late}\n`), `${meta}\n${late}\n`)
  })

  it('is made for a file that holds nothing', async () => {
    assert.match(await repairedText(''), /^\{"timestamp":"2026-11-20T10:00:00.000Z".*\n$/)
  })
})

describe('a repair leaves alone', () => {
  const torn = TEXT.slice(0, -20)

  it('a thread that a program writes to, and says who', async () => {
    await using home = await homeWith(`x\n${TEXT}`)
    const me = { client: 'other', nowMs: 0 }
    await using _ = await WriterLease.take(home.path, threadIdOf(1), me)
    const [outcome, ...more] = await repair(home)
    assert.deepEqual(more, [])
    assert.equal(outcome?.status, 'skipped')
    assert.match(outcome?.told ?? '', /open for writing in process \d+ \(other\)/)
    assert.equal(await textIn(home), `x\n${TEXT}`)
  })

  it('numbered lines and the wrong id, which are only reported', async () => {
    const numbered = torn.replaceAll(`"${AT}",`, `"${AT}","ordinal":0,`)
    for (const text of [numbered, TEXT.replaceAll(threadIdOf(1), threadIdOf(2))]) {
      await using home = await homeWith(text)
      const before = await contentsOf(home.path)
      assert.deepEqual(await repair(home), [])
      assert.deepEqual(await contentsOf(home.path), before)
      assert.equal((await codesOf(home)).length, 1)
    }
  })

  it('a file that is written to meanwhile', async () => {
    await using home = await homeWith(torn)
    const files: FileSystem = {
      ...nodeFileSystem,
      setModifiedTime: async (path, atMs) => {
        if (path.endsWith('.part')) await appendFile(pathIn(home), '\nmore\n')
        await nodeFileSystem.setModifiedTime(path, atMs)
      },
    }
    const [outcome] = await repair(home, files)
    assert.deepEqual(outcome?.status, 'failed')
    assert.match(outcome?.told ?? '', /wrote to the file meanwhile/)
    assert.equal(await textIn(home), `${torn}\nmore\n`)
  })

  it('a file when the new one does not hold the same items', async () => {
    await using home = await homeWith(`x\n${TEXT}`)
    const files: FileSystem = {
      ...nodeFileSystem,
      openForAppend: async (path, mode) => {
        const file = await nodeFileSystem.openForAppend(path, mode)
        return path.endsWith('.part') ? losingBytes(file) : file
      },
    }
    const [outcome] = await repair(home, files)
    assert.equal(outcome?.status, 'failed')
    assert.match(outcome?.told ?? '', /does not hold the same items/)
    assert.equal(await textIn(home), `x\n${TEXT}`)
    assert.ok(![...(await contentsOf(home.path)).keys()].some((path) => path.endsWith('.part')))
  })

  it('a file whose copy or new form could not be written, at any call', async () => {
    for (const call of ['openForAppend', 'syncDirectory', 'rename', 'setModifiedTime'] as const) {
      await using home = await homeWith(`x\n${TEXT}`)
      const files: FileSystem = {
        ...nodeFileSystem,
        [call]: async () => {
          throw new Error('no room')
        },
      }
      const [outcome] = await repair(home, files)
      assert.deepEqual([outcome?.status, outcome?.told], ['failed', 'no room'], call)
      assert.equal(await textIn(home), `x\n${TEXT}`)
      assert.equal((await repair(home, nodeFileSystem, Date.parse(AT) + 1))[0]?.status, 'done')
      assert.equal(await textIn(home), TEXT)
    }
  })
})

/** A disk that swaps two digits now and then. */
function losingBytes(file: OpenFile): OpenFile {
  return {
    ...file,
    write: async (bytes) => {
      await file.write(Buffer.from(Buffer.from(bytes).toString().replace('u1', 'u2')))
      return bytes.length
    },
  }
}

describe('a repair of the home', () => {
  it('sets an index aside that lies or is damaged; the next list makes a new one', async () => {
    await using home = await homeWith(TEXT)
    await home.fillIndex()
    const index = new Sqlite(home.folder.at(INDEX_FILE))
    index.exec(`UPDATE threads SET summary = json_set(summary, '$.preview', 'never said')`)
    index.close()
    const [outcome] = await repair(home)
    assert.deepEqual([outcome?.what, outcome?.status], ['set_index_aside', 'done'])
    assert.deepEqual(await codesOf(home), [])
    await using store = home.store()
    assert.equal((await store.listThreads(ALL)).threads[0]?.preview, 'u1')
    assert.deepEqual(await codesOf(home), [])
  })

  it('closes files and folders to others', async () => {
    await using home = await homeWith(TEXT)
    await chmod(home.path, 0o755)
    await chmod(pathIn(home), 0o644)
    const [outcome] = await repair(home)
    assert.deepEqual([outcome?.what, outcome?.status], ['close_modes', 'done'])
    assert.equal((await stat(home.path)).mode & 0o777, 0o700)
    assert.equal((await stat(pathIn(home))).mode & 0o777, 0o600)
    assert.equal((await stat(join(pathIn(home), '..'))).mode & 0o777, 0o700)
  })

  it('moves old leftovers away, and leaves new ones', async () => {
    await using home = await homeWith(TEXT)
    const [old, young] = [`${home.pathOf({ n: 2 })}.part`, `${home.pathOf({ n: 3 })}.part`]
    await writeFile(old, 'old')
    await writeFile(young, 'young')
    const atS = Date.parse(AT) / 1000
    await utimes(old, atS - 100_000, atS - 100_000)
    await utimes(young, atS - 1000, atS - 1000)
    const outcomes = await repair(home)
    assert.deepEqual(
      outcomes.map(({ what, status, path }) => [what, status, path]),
      [['move_leftover', 'done', old]],
    )
    const moved = home.folder.at(BACKUPS, old.slice(home.path.length))
    assert.equal(await readFile(moved, 'utf8'), 'old')
    assert.equal(await readFile(young, 'utf8'), 'young')
    assert.deepEqual(await codesOf(home), [])
  })
})
