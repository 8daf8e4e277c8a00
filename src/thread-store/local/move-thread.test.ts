import assert from 'node:assert/strict'
import { readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { ALL, CodexHome, listAll } from '../../../test/support/codex-home.ts'
import { type Fault, FaultyFileSystem } from '../../../test/support/faulty-file-system.ts'
import { Sqlite } from '../../../test/support/sqlite.ts'
import { AT, header, says, textOf, threadIdOf } from '../../../test/support/thread-log.ts'
import type { SessionMeta } from '../../protocol/index.ts'
import { ThreadStoreError, type ThreadStoreFailure } from '../errors.ts'
import { INDEX_FILE } from './home-access.ts'

const ID = threadIdOf(1)
const STAMP = '2025-03-09T23-59-58'
const ACTIVE = { n: 1, stamp: STAMP }
const ARCHIVED = { ...ACTIVE, isArchived: true }

function failsWith(code: ThreadStoreFailure['code'], words = /./) {
  return (error: unknown) =>
    error instanceof ThreadStoreError && error.failure.code === code && words.test(error.message)
}

async function rolloutsIn(home: CodexHome): Promise<string[]> {
  const entries = await readdir(home.path, { recursive: true, withFileTypes: true })
  const isRollout = (name: string) => name.startsWith('rollout-')
  return entries
    .filter((entry) => entry.isFile() && isRollout(entry.name))
    .map((entry) => `${entry.parentPath}/${entry.name}`)
}

/** What active and archived lists show. */
async function previews(home: CodexHome): Promise<[string[], string[]]> {
  await using store = home.store()
  const listed = async (isArchived: boolean) =>
    (await listAll(store, { isArchived })).map((each) => each.preview)
  return [await listed(false), await listed(true)]
}

describe('archiving', () => {
  it('moves the file as it is, with its name and time, into the flat folder', async () => {
    await using home = await CodexHome.create()
    const path = await home.place(ACTIVE)
    const [before, { mtimeMs }] = [await readFile(path), await stat(path)]
    await using store = home.store()
    await store.archiveThread(ID)
    assert.deepEqual(await rolloutsIn(home), [home.pathOf(ARCHIVED)])
    assert.deepEqual(await readFile(home.pathOf(ARCHIVED)), before)
    assert.equal((await stat(home.pathOf(ARCHIVED))).mtimeMs, mtimeMs)
  })

  it('is refused when a file of that name is there, and both stay', async () => {
    await using home = await CodexHome.create()
    const [path, copy] = [await home.place(ACTIVE), await home.place({ ...ARCHIVED, items: [] })]
    const before = [await readFile(path), await readFile(copy)]
    await using store = home.store()
    await assert.rejects(store.archiveThread(ID), failsWith('conflict', /another file/))
    assert.deepEqual([await readFile(path), await readFile(copy)], before)
  })

  it('takes the thread from one list to the other, rows of the index or not', async () => {
    await using home = await CodexHome.create()
    await home.place(ACTIVE)
    assert.deepEqual(await previews(home), [['hello 1'], []])
    await home.store().archiveThread(ID)
    assert.deepEqual(await previews(home), [[], ['hello 1']])
    await home.store().unarchiveThread(ID)
    assert.deepEqual(await previews(home), [['hello 1'], []])
  })
})

describe('unarchiving', () => {
  it('moves the file to the folders of the date in its name, as changed now', async () => {
    await using home = await CodexHome.create()
    const before = await readFile(await home.place(ARCHIVED))
    await using store = home.store()
    const thread = await store.unarchiveThread(ID)
    const path = home.folder.at(`sessions/2025/03/09/rollout-${STAMP}-${ID}.jsonl`)
    assert.deepEqual(await rolloutsIn(home), [path])
    assert.deepEqual(await readFile(path), before)
    assert.equal((await stat(path)).mtimeMs, Date.parse(AT))
    const { rolloutPath, updatedAtMs, isArchived } = thread
    assert.deepEqual([rolloutPath, updatedAtMs, isArchived], [path, Date.parse(AT), false])
    assert.deepEqual(await store.readThread(ID), thread)
  })

  it('is refused when there is an active copy, which is the thread then', async () => {
    await using home = await CodexHome.create()
    await home.place(ARCHIVED)
    await home.place(ACTIVE)
    await using store = home.store()
    await assert.rejects(store.unarchiveThread(ID), failsWith('conflict', /not archived/))
    assert.equal((await rolloutsIn(home)).length, 2)
  })

  it('is refused when something else is in its place', async () => {
    await using home = await CodexHome.create()
    await home.place(ARCHIVED)
    await using store = home.store()
    const path = home.pathOf(ACTIVE)
    await new FaultyFileSystem().makeDirectory(path)
    await assert.rejects(store.unarchiveThread(ID), failsWith('conflict', /another file/))
    assert.deepEqual(await rolloutsIn(home), [home.pathOf(ARCHIVED)])
  })
})

describe('a move', () => {
  it('leaves the thread whole at one of the two places, whichever call fails', async () => {
    for (const [from, work] of [
      [ACTIVE, 'archiveThread'],
      [ARCHIVED, 'unarchiveThread'],
    ] as const) {
      await using plainHome = await CodexHome.create()
      await plainHome.place(from)
      const plain = new FaultyFileSystem()
      await plainHome.store(plain)[work](ID)
      for (const { index } of plain.calls) {
        for (const kind of ['fail', 'late'] as const) {
          const fault: Fault = { kind, code: 'EIO' }
          await using home = await CodexHome.create()
          const before = await readFile(await home.place(from))
          const files = new FaultyFileSystem((call) => (call.index === index ? fault : undefined))
          await using store = home.store(files)
          const error = await store[work](ID).catch((reason: unknown) => reason)
          if (error instanceof Error) assert.ok(failsWith('internal', /EIO/)(error), String(error))
          const [path, ...others] = await rolloutsIn(home)
          assert.deepEqual(others, [])
          assert.deepEqual(await readFile(path ?? ''), before)
          assert.equal(files.openCount, 0)
        }
      }
    }
  })

  it('is made durable: the folders of both ends are synced, down from the home', async () => {
    await using home = await CodexHome.create()
    await home.place(ARCHIVED)
    const files = new FaultyFileSystem()
    await home.store(files).unarchiveThread(ID)
    // Day, month, year, sessions, the home, and the archive that it left.
    assert.equal(files.countOf('syncDirectory'), 6)
  })
})

describe('deleting', () => {
  const entry = (n: number, thread_name: string) =>
    `${JSON.stringify({ id: threadIdOf(n), thread_name, updated_at: AT })}\n`

  it('removes every copy of the thread, and its names', async () => {
    await using home = await CodexHome.create()
    await home.place(ACTIVE)
    await home.place(ARCHIVED)
    await home.place({ ...ACTIVE, stamp: '2026-01-01T00-00-00' })
    const stays = await home.place({ n: 2 })
    const names = home.folder.at('session_index.jsonl')
    await writeFile(names, entry(1, 'a') + entry(2, 'b') + entry(1, 'c'))
    await using store = home.store()
    await store.listThreads(ALL)
    await store.deleteThread(ID)
    assert.deepEqual(await rolloutsIn(home), [stays])
    assert.equal(await readFile(names, 'utf8'), entry(2, 'b'))
    await assert.rejects(store.readThread(ID), failsWith('thread_not_found'))
    assert.deepEqual(await previews(home), [['hello 2'], []])
  })

  it('can be tried again until all is gone, whichever call fails', async () => {
    const place = async () => {
      const home = await CodexHome.create()
      for (const each of [ACTIVE, ARCHIVED]) await home.place(each)
      await writeFile(home.folder.at('session_index.jsonl'), entry(1, 'a'))
      return home
    }
    await using plainHome = await place()
    const plain = new FaultyFileSystem()
    await using plainStore = plainHome.store(plain)
    await plainStore.deleteThread(ID)
    for (const { index } of plain.calls) {
      for (const kind of ['fail', 'late'] as const) {
        await using home = await place()
        const fault: Fault = { kind, code: 'EIO' }
        const files = new FaultyFileSystem((call) => (call.index === index ? fault : undefined))
        await using store = home.store(files)
        const error = await store.deleteThread(ID).catch((reason: unknown) => reason)
        if (error instanceof Error) {
          assert.ok(failsWith('internal', /EIO/)(error), String(error))
          await store.deleteThread(ID).catch(failsWith('thread_not_found'))
        }
        assert.deepEqual(await rolloutsIn(home), [])
        assert.equal(await readFile(home.folder.at('session_index.jsonl'), 'utf8'), '')
      }
    }
  })

  it('leaves no row behind for a file that later has the same path', async () => {
    await using home = await CodexHome.create()
    await using store = home.store()
    const makeHeader = async () => header(ID).payload as SessionMeta
    const lives = ['first', 'the second life, with more to say than the first']
    for (const text of lives) {
      const createdAtMs = Date.parse(AT)
      await store.createThread({ threadId: ID, createdAtMs, header: makeHeader })
      await store.appendItems(ID, says(text))
      await store.closeThread(ID)
      assert.deepEqual(await previews(home), [[text], []])
      await store.deleteThread(ID)
      const database = new Sqlite(home.folder.at(INDEX_FILE))
      assert.deepEqual(database.prepare('SELECT rollout_path FROM threads').all(), [])
      database.close()
    }
    assert.deepEqual(await previews(home), [[], []])
  })
})

describe('a row of the index', () => {
  it('does no harm when the file at its path is another one', async () => {
    await using home = await CodexHome.create()
    const path = await home.place(ACTIVE)
    await home.fillIndex()
    await home.store().archiveThread(ID)
    const text = textOf([header(ID), ...says('a copy that somebody put there')])
    await writeFile(path, text)
    await utimes(path, 1_800_000_000, 1_800_000_000)
    assert.deepEqual(await previews(home), [['a copy that somebody put there'], ['hello 1']])
  })
})
