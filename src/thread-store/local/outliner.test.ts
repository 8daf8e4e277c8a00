import assert from 'node:assert/strict'
import { appendFile, copyFile, mkdir, readFile, truncate, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { ALL, CodexHome } from '../../../test/support/codex-home.ts'
import { Sqlite } from '../../../test/support/sqlite.ts'
import {
  compacted,
  rolledBack,
  started,
  textOf,
  threadIdOf,
  turn,
} from '../../../test/support/thread-log.ts'
import { replayModelHistory } from '../../history/index.ts'
import type { RolloutItem } from '../../protocol/index.ts'
import { userText } from '../../protocol/index.ts'
import { type LocalThreadStore, ThreadStoreError } from '../index.ts'

const RUNS = Number(process.env.BOBBIN_RUNS ?? 8)
const LONG = { base_instructions: { text: 'x'.repeat(260 * 1024) } }

function logOf(n: number): RolloutItem[] {
  const turns = Array.from({ length: 12 }, (_, at) => turn(`${n}-${at}`))
  const small = [started('c'), compacted('sum', [userText('left')])]
  return [...turns.slice(0, 8).flat(), rolledBack(2), ...small, ...turns.slice(8).flat()]
}

/** Three threads, of which the index knows all there is to know. */
async function indexedHome(): Promise<CodexHome> {
  const home = await CodexHome.create()
  for (const n of [1, 2, 3]) await home.place({ n, meta: n < 3 ? LONG : {}, items: logOf(n) })
  await using store = home.store()
  await answersOf(store)
  await store.searchThreads({ query: 'u1', limit: 1, includeSubagents: false })
  return home
}

/** All that is asked of the threads, without what hangs on the folder. */
async function answersOf(store: LocalThreadStore): Promise<unknown[]> {
  const { threads, unreadable } = await store.listThreads(ALL)
  const all: unknown[] = [unreadable, threads.map(({ rolloutPath: _, ...facts }) => facts)]
  for (const n of [1, 2, 3]) {
    const threadId = threadIdOf(n)
    const { rolloutPath: _, ...thread } = await store.readThread(threadId)
    const pages = await Promise.all(
      (['asc', 'desc'] as const).map((direction) =>
        store.listTurns({ threadId, direction, limit: 5 }),
      ),
    )
    const { items, damage } = await store.loadModelContext(threadId)
    all.push(thread, pages, replayModelHistory(items), damage)
  }
  return all
}

/** The index file as it lies there once all is in it. */
async function checkpointed(home: CodexHome): Promise<string> {
  const path = home.folder.at('bobbin_1.sqlite')
  const database = new Sqlite(path)
  database.pragma('wal_checkpoint(TRUNCATE)')
  database.close()
  return path
}

describe('answers for which the index is of no help', () => {
  it('are those of a home without one, whichever byte of it is damaged', async () => {
    await using home = await indexedHome()
    const path = await checkpointed(home)
    const good = await readFile(path)
    const expected = await expectedOf(home)
    const damage = fc.array(fc.tuple(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 })), {
      minLength: 1,
      maxLength: 30,
    })
    const property = fc.asyncProperty(damage, async (places) => {
      const bytes = Buffer.from(good)
      for (const [at, change] of places) bytes[at] = (bytes[at] ?? 0) ^ change
      await writeFile(path, bytes)
      await using store = home.store()
      assert.deepEqual(await answersOf(store), expected)
      assert.deepEqual(await answersOf(store), expected)
    })
    const restored = property.beforeEach(async () => {
      for (const suffix of ['-wal', '-shm']) await writeFile(path + suffix, '')
    })
    await fc.assert(restored, { numRuns: 5 * RUNS })
  })

  it('are those of a home without one, wherever it was cut', async () => {
    await using home = await indexedHome()
    const path = await checkpointed(home)
    const whole = home.folder.at('whole')
    await copyFile(path, whole)
    const expected = await expectedOf(home)
    const { length } = await readFile(path)
    const property = fc.asyncProperty(fc.nat(length), async (size) => {
      await copyFile(whole, path)
      await truncate(path, size)
      await using store = home.store()
      assert.deepEqual(await answersOf(store), expected)
      assert.deepEqual(await answersOf(store), expected)
    })
    await fc.assert(property, { numRuns: RUNS })
  })

  it('are right while it is locked, and when its lock is gone', async () => {
    await using home = await indexedHome()
    const expected = await expectedOf(home)
    await appendFile(home.pathOf({ n: 1 }), textOf(turn('more')))
    const other = new Sqlite(home.folder.at('bobbin_1.sqlite'))
    other.exec('BEGIN EXCLUSIVE')
    await using store = home.store()
    const answers = await answersOf(store)
    assert.notDeepEqual(answers, expected)
    other.exec('ROLLBACK')
    other.close()
    assert.deepEqual(await answersOf(store), answers)
  })

  it('are right when it breaks between two questions, or while one is answered', async () => {
    await using home = await indexedHome()
    const expected = await expectedOf(home)
    await using store = home.store()
    assert.deepEqual(await answersOf(store), expected)
    const other = new Sqlite(home.folder.at('bobbin_1.sqlite'))
    const asked = answersOf(store)
    other.exec('DELETE FROM turns; DELETE FROM outlines')
    assert.deepEqual(await asked, expected)
    other.exec('DROP TABLE turns; DROP TABLE threads')
    other.close()
    assert.deepEqual(await answersOf(store), expected)
    assert.deepEqual(await answersOf(store), expected)
  })
})

/** From a copy of the same files, with a folder where the index would be. */
async function expectedOf(home: CodexHome): Promise<unknown[]> {
  await using plain = await CodexHome.create()
  await mkdir(plain.folder.at('bobbin_1.sqlite'))
  for (const n of [1, 2, 3]) {
    await plain.place({ n, text: await readFile(home.pathOf({ n }), 'utf8') })
  }
  await using store = plain.store()
  return await answersOf(store)
}

describe('an outline', () => {
  it('tells all that was written before it was asked for', async () => {
    await using home = await CodexHome.create()
    const path = await home.place({ n: 1, meta: LONG, items: turn(1) })
    await using store = home.store()
    const ask = { threadId: threadIdOf(1), direction: 'desc', limit: 9 } as const
    const before: Promise<unknown>[] = []
    for (let n = 2; n < 12; n += 1) {
      before.push(store.listTurns(ask))
      await appendFile(path, textOf(turn(n)))
      const { turns } = await store.listTurns(ask)
      assert.equal(turns[0]?.id, `t${n}`)
    }
    await Promise.all(before)
  })

  it('is the same whoever asks, and however many at once', async () => {
    await using home = await CodexHome.create()
    const path = await home.place({ n: 1, meta: LONG, items: turn(1) })
    await using one = home.store()
    await using two = home.store()
    const ask = { threadId: threadIdOf(1), direction: 'asc', limit: 99 } as const
    for (let n = 2; n < 12; n += 1) {
      await appendFile(path, textOf(turn(n)))
      const pages = await Promise.all([one, two, one, two].map((store) => store.listTurns(ask)))
      for (const { turns } of pages) assert.equal(turns.length, n)
    }
  })

  it('is asked for as many turns as anybody likes', async () => {
    await using home = await CodexHome.create()
    await home.place({ n: 1, meta: LONG, items: [...turn(1), ...turn(2)] })
    await using store = home.store()
    for (const limit of [1.5, 1e300, Number.POSITIVE_INFINITY, -1, 0]) {
      const ask = { threadId: threadIdOf(1), direction: 'asc', limit } as const
      const { turns } = await store.listTurns(ask)
      assert.equal(turns.length, limit > 2 ? 2 : 1, `${limit}`)
    }
  })

  it('of a file that is no thread any more is an error, not what it was once', async () => {
    await using home = await CodexHome.create()
    const path = await home.place({ n: 1, meta: LONG, items: turn(1) })
    await using store = home.store()
    const ask = { threadId: threadIdOf(1), direction: 'asc', limit: 9 } as const
    await store.listTurns(ask)
    await writeFile(path, 'rubbish\n'.repeat(40_000))
    await assert.rejects(store.listTurns(ask), ThreadStoreError)
  })
})
