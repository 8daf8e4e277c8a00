import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import {
  appendFile,
  chmod,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import fc from 'fast-check'
import {
  ALL,
  CodexHome,
  idsOf,
  listAll,
  type PlacedThread,
} from '../../../test/support/codex-home.ts'
import { type Fault, FaultyFileSystem } from '../../../test/support/faulty-file-system.ts'
import { Sqlite } from '../../../test/support/sqlite.ts'
import {
  AT,
  event,
  header,
  item,
  named,
  says,
  textOf,
  threadIdOf,
  turn,
  turnContext,
  userEvent,
} from '../../../test/support/thread-log.ts'
import { type RolloutItem, userText } from '../../protocol/index.ts'
import { encodeCursor } from '../cursor.ts'
import type { ThreadStoreError } from '../errors.ts'
import { INDEX_FILE } from './home-access.ts'

function failsWith(code: ThreadStoreError['failure']['code']) {
  return (error: ThreadStoreError) => error.failure?.code === code
}

function numbersOf(threads: Parameters<typeof idsOf>[0]): number[] {
  return idsOf(threads).map((id) => Number.parseInt(id.slice(-12), 16))
}

describe('a listed thread', () => {
  it('has what its file and the name index tell', async () => {
    await using home = await CodexHome.create()
    await using store = home.store()
    const git = { branch: 'main' }
    const rolloutPath = await home.place({ n: 1, meta: { git }, items: turn(1), modifiedAtS: 7.5 })
    const names = JSON.stringify({ id: threadIdOf(1), thread_name: 'One' })
    await writeFile(home.folder.at('session_index.jsonl'), names)
    const page = await store.listThreads(ALL)
    assert.deepEqual(page, {
      threads: [
        {
          threadId: threadIdOf(1),
          createdAtMs: Date.parse(AT),
          cwd: '/repo',
          source: 'cli',
          modelProvider: 'mock',
          model: 'm',
          reasoningEffort: null,
          approvalPolicy: 'never',
          sandboxPolicy: { type: 'danger-full-access' },
          cliVersion: '0.0.0',
          originator: 'bobbin',
          git,
          forkedFromId: null,
          historyMode: 'legacy',
          memoryMode: 'enabled',
          preview: 'u1',
          firstUserMessage: 'u1',
          title: 'u1',
          tokenUsage: null,
          threadSource: null,
          agentNickname: null,
          agentRole: null,
          agentPath: null,
          rolloutPath,
          name: 'One',
          updatedAtMs: 7500,
          sizeBytes: await home.sizeOf(rolloutPath),
          isArchived: false,
        },
      ],
      nextCursor: null,
      backwardsCursor: `2026-11-20T10:00:00.000Z@${threadIdOf(1)}`,
      unreadable: [],
    })
    assert.deepEqual(await store.readThread(threadIdOf(1)), page.threads[0])
  })

  it('is read the same from its file as from the index', async () => {
    await using home = await CodexHome.create()
    for (const n of [1, 2, 3]) await home.place({ n, meta: { source: { custom: 'x' } } })
    await using store = home.store()
    const first = await store.listThreads(ALL)
    const files = new FaultyFileSystem()
    await using again = home.store(files)
    assert.deepEqual(await again.listThreads(ALL), first)
    assert.equal(files.countOf('openForRead'), 0)
  })
})

describe('a list', () => {
  it('is empty where there is no home, and makes none', async () => {
    await using home = await CodexHome.create()
    await rm(home.path, { recursive: true })
    await using store = home.store()
    assert.deepEqual(await store.listThreads(ALL), {
      threads: [],
      nextCursor: null,
      backwardsCursor: null,
      unreadable: [],
    })
    await assert.rejects(readdir(home.path), { code: 'ENOENT' })
  })

  it('has the newest start first, or the newest change', async () => {
    await using home = await CodexHome.create()
    await home.place({ n: 1, stamp: '2026-11-20T10-00-00', modifiedAtS: 30 })
    await home.place({ n: 2, stamp: '2026-11-21T10-00-00', modifiedAtS: 10 })
    await home.place({ n: 3, stamp: '2026-11-19T10-00-00', modifiedAtS: 20 })
    await using store = home.store()
    assert.deepEqual(numbersOf(await listAll(store, { sortKey: 'created' })), [2, 1, 3])
    assert.deepEqual(numbersOf(await listAll(store, { sortKey: 'updated' })), [1, 3, 2])
  })

  it('has threads of one folder when asked to, however the folder is written', async () => {
    await using home = await CodexHome.create()
    await home.place({ n: 1, meta: { cwd: '/repo' } })
    await home.place({ n: 2, meta: { cwd: '/repo/' } })
    await home.place({ n: 3, meta: { cwd: '/repo/sub' } })
    await home.place({ n: 4, meta: { cwd: '/' } })
    await using store = home.store()
    assert.deepEqual(numbersOf(await listAll(store, { cwd: '/repo' })), [2, 1])
    assert.deepEqual(numbersOf(await listAll(store, { cwd: '/repo/./' })), [2, 1])
    assert.deepEqual(numbersOf(await listAll(store, { cwd: '/' })), [4])
    assert.deepEqual(numbersOf(await listAll(store, { cwd: '' })), [])
  })

  it('has active threads or archived ones', async () => {
    await using home = await CodexHome.create()
    await home.place({ n: 1 })
    await home.place({ n: 2, isArchived: true })
    await using store = home.store()
    const archived = await listAll(store, { isArchived: true })
    assert.deepEqual(
      archived.map((each) => each.isArchived),
      [true],
    )
    assert.deepEqual(numbersOf(archived), [2])
    assert.deepEqual(numbersOf(await listAll(store)), [1])
  })

  it('hides threads that agents started, unless they are asked for', async () => {
    await using home = await CodexHome.create()
    await home.place({ n: 1 })
    await home.place({ n: 2, meta: { source: { subagent: 'review' } } })
    await home.place({ n: 3, meta: { source: { internal: 'memory_consolidation' } } })
    await home.place({ n: 4, meta: { source: { custom: 'mine' } } })
    await using store = home.store()
    assert.deepEqual(numbersOf(await listAll(store)), [4, 1])
    assert.deepEqual(numbersOf(await listAll(store, { includeSubagents: true })), [4, 3, 2, 1])
  })

  it('hides threads that nobody wrote to, until somebody does', async () => {
    await using home = await CodexHome.create()
    await home.place({ n: 1, items: [] })
    await using store = home.store()
    assert.deepEqual(await listAll(store), [])
    await home.place({ n: 1, items: says('u1') })
    assert.deepEqual(numbersOf(await listAll(store)), [1])
  })

  it('has threads with a goal, and those of later versions', async () => {
    await using home = await CodexHome.create()
    const goal = event({ type: 'thread_goal_updated', goal: { objective: 'win' } })
    const content = [{ type: 'text', text: 'newer' }]
    const whole = event({ type: 'item_completed', item: { type: 'UserMessage', content } })
    await home.place({ n: 1, items: [goal] })
    await home.place({ n: 2, items: [whole], meta: { history_mode: 'paginated' } })
    await using store = home.store()
    const found = (await listAll(store)).map((each) => [each.preview, each.historyMode])
    assert.deepEqual(found, [
      ['newer', 'paginated'],
      ['win', 'legacy'],
    ])
  })

  it('has no fewer than one thread a page', async () => {
    await using home = await CodexHome.create()
    for (const n of [1, 2]) await home.place({ n })
    await using store = home.store()
    for (const limit of [0, -1, 1]) {
      assert.deepEqual(numbersOf((await store.listThreads({ ...ALL, limit })).threads), [2])
    }
  })

  it('refuses a cursor that is no place in a list', async () => {
    await using home = await CodexHome.create()
    for (const n of [1, 2]) await home.place({ n })
    await using store = home.store()
    for (const cursor of ['', 'x', encodeCursor({ position: 'x', threadId: 'x' })]) {
      const params = { ...ALL, sortKey: 'updated' as const, cursor }
      await assert.rejects(store.listThreads(params), failsWith('invalid_request'))
    }
  })

  it('has a thread once, in the place of its name, wherever its file lies', async () => {
    await using home = await CodexHome.create()
    for (const day of [20, 21, 22]) await home.place({ n: day, stamp: `2026-11-${day}T10-00-00` })
    const newest = home.pathOf({ n: 22, stamp: '2026-11-22T10-00-00' })
    const odd = home.folder.at('sessions/2026/1/05')
    await mkdir(odd, { recursive: true })
    await rename(newest, newest.replace(/.*\//, `${odd}/`))
    await home.place({ n: 22, stamp: '2026-11-22T10-00-00' })
    await using store = home.store()
    assert.deepEqual(numbersOf(await listAll(store, { limit: 1 })), [22, 21, 20])
  })
})

describe('what cannot be listed', () => {
  it('is told with its reason, and the rest is listed', async () => {
    await using home = await CodexHome.create()
    const broken = await home.place({ n: 1, text: 'rubbish\n' })
    const empty = await home.place({ n: 2, text: '' })
    await home.place({ n: 3 })
    await using store = home.store()
    const page = await store.listThreads(ALL)
    assert.deepEqual(numbersOf(page.threads), [3])
    const reason = 'no readable session_meta line'
    assert.deepEqual(
      page.unreadable,
      [empty, broken].map((path) => ({ path, reason })),
    )
  })

  it('is told by each page that comes past it, and only by that', async () => {
    await using home = await CodexHome.create()
    for (const n of [1, 3, 5]) await home.place({ n })
    for (const n of [2, 4]) await home.place({ n, text: 'rubbish\n' })
    await using store = home.store()
    const told: number[] = []
    let cursor: string | null = null
    do {
      const page = await store.listThreads({ ...ALL, limit: 1, ...(cursor ? { cursor } : {}) })
      told.push(page.unreadable.length)
      cursor = page.nextCursor
    } while (cursor !== null)
    assert.deepEqual(told, [0, 1, 1])
  })

  it('may be a folder, or the names', async () => {
    await using home = await CodexHome.create()
    await mkdir(home.folder.at('session_index.jsonl'))
    await writeFile(home.folder.at('sessions'), '')
    await home.place({ n: 1, isArchived: true })
    await using store = home.store()
    const page = await store.listThreads(ALL)
    const paths = page.unreadable.map((each) => each.path)
    assert.deepEqual(paths, [home.folder.at('session_index.jsonl'), home.folder.at('sessions')])
    assert.deepEqual(numbersOf(await listAll(store, { isArchived: true })), [1])
  })

  it('is an error when it is the home itself', async () => {
    await using home = await CodexHome.create()
    await rm(home.path, { recursive: true })
    await writeFile(home.path, '')
    await using store = home.store()
    await assert.rejects(store.listThreads(ALL), failsWith('home_unreadable'))
    await assert.rejects(store.readThread(threadIdOf(1)), failsWith('home_unreadable'))
  })

  it('is told, whichever call fails', async () => {
    await using home = await CodexHome.create()
    for (const n of [1, 2]) await home.place({ n })
    const fault: Fault = { kind: 'fail', code: 'EIO' }
    const plain = new FaultyFileSystem()
    await home.store(plain).listThreads(ALL)
    for (const { index } of plain.calls) {
      await rm(home.folder.at(INDEX_FILE), { force: true })
      const files = new FaultyFileSystem((call) => (call.index === index ? fault : undefined))
      await using store = home.store(files)
      const page = await store.listThreads(ALL)
      assert.deepEqual([page.threads.length < 2, page.unreadable.length > 0], [index > 0, true])
      assert.equal(files.openCount, 0)
    }
  })
})

describe('pages', () => {
  const anyThread = fc.record({
    stamp: fc.constantFrom('2026-11-20T10-00-00', '2026-11-20T10-00-01', '2026-11-21T10-00-00'),
    modifiedAtS: fc.constantFrom(1_800_000_000, 1_800_000_000.001, 1_800_000_001),
    kind: fc.constantFrom('plain', 'plain', 'plain', 'agent', 'empty', 'broken'),
  })

  it('add up to the list, each thread once, however many have one time', async () => {
    const threads = fc.array(anyThread, { minLength: 1, maxLength: 12 })
    const sortKeys = fc.constantFrom('created' as const, 'updated' as const)
    await fc.assert(
      fc.asyncProperty(
        threads,
        fc.integer({ min: 1, max: 5 }),
        sortKeys,
        async (all, limit, sortKey) => {
          await using home = await CodexHome.create()
          for (const [n, { kind, ...thread }] of all.entries()) {
            const extra: Partial<PlacedThread> = {
              ...(kind === 'agent' ? { meta: { source: { subagent: 'review' } } } : {}),
              ...(kind === 'empty' ? { items: [] } : {}),
              ...(kind === 'broken' ? { text: 'rubbish' } : {}),
            }
            await home.place({ n, ...thread, ...extra })
          }
          const wanted = [...all.entries()].filter(([, { kind }]) => kind === 'plain')
          const at = ([, each]: (typeof wanted)[number]) =>
            sortKey === 'created' ? each.stamp : each.modifiedAtS
          wanted.sort((a, b) => (at(a) === at(b) ? b[0] - a[0] : at(a) < at(b) ? 1 : -1))
          await using store = home.store()
          const found = await listAll(store, { limit, sortKey })
          assert.deepEqual(
            numbersOf(found),
            wanted.map(([n]) => n),
          )
          assert.deepEqual(await listAll(store, { limit: 100, sortKey }), found)
        },
      ),
      { numRuns: 60 },
    )
  })
})

describe('a row of the index', () => {
  /** Threads 1 to 3, listed once; `list` counts the files that are opened by the next list. */
  async function listedHome() {
    const home = await CodexHome.create()
    for (const n of [1, 2, 3]) await home.place({ n })
    await home.fillIndex()
    const list = async () => {
      const files = new FaultyFileSystem()
      await using store = home.store(files)
      const found = await listAll(store)
      return [found.map((each) => each.preview), files.countOf('openForRead')]
    }
    return { home, list }
  }
  const PREVIEWS = ['hello 3', 'hello 2', 'hello 1']

  it('is trusted while size, time and inode of the file are the same', async () => {
    const { home, list } = await listedHome()
    await using _ = home
    assert.deepEqual(await list(), [PREVIEWS, 0])
  })

  it('spares the next process to look into folders that have not changed since', async () => {
    const { home } = await listedHome()
    await using _ = home
    const sessions = home.folder.at('sessions')
    const inside = await readdir(sessions, { recursive: true, withFileTypes: true })
    const folders = inside.filter((each) => each.isDirectory())
    const paths = [sessions, ...folders.map((each) => join(each.parentPath, each.name))]
    for (const path of paths) await utimes(path, 1e9, 1e9)
    const looks = async () => {
      const files = new FaultyFileSystem()
      await using store = home.store(files)
      const found = await listAll(store)
      return [found.length, files.countOf('readDirectory')]
    }
    assert.deepEqual(await looks(), [3, paths.length])
    assert.deepEqual(await looks(), [3, 0])
    await home.place({ n: 4 })
    assert.deepEqual(await looks(), [4, 1])
  })

  it('is made anew when the file is another, or became shorter', async () => {
    const { home, list } = await listedHome()
    await using _ = home
    const path = home.pathOf({ n: 2 })
    await writeFile(`${path}.new`, await changed(path, 'hello 2', 'other 2'))
    await utimes(`${path}.new`, 1_800_000_000, 1_800_000_000)
    await rename(`${path}.new`, path)
    await home.place({ n: 1, items: says('short') })
    assert.deepEqual(await list(), [['hello 3', 'other 2', 'short'], 2])
    assert.deepEqual(await list(), [['hello 3', 'other 2', 'short'], 0])
  })

  it('is kept for a file that grew, of which only what is new is read', async () => {
    const { home, list } = await listedHome()
    await using _ = home
    const path = home.pathOf({ n: 2 })
    const more = textOf([item(userText('x'.repeat(100_000)))])
    await appendFile(path, more)
    const files = new FaultyFileSystem()
    await using store = home.store(files)
    assert.deepEqual(numbersOf(await listAll(store)), [3, 2, 1])
    // And one byte for the end of the line before.
    assert.deepEqual([files.countOf('openForRead'), files.bytesRead], [1, more.length + 1])
    assert.deepEqual(await list(), [PREVIEWS, 0])
  })

  it('learns what later lines say: name, git, memory mode, model', async () => {
    const { home } = await listedHome()
    await using _ = home
    const before = (await listAll(home.store())).find(({ threadId }) => threadId === threadIdOf(2))
    const cleared = { ...before, name: null, git: null, memoryMode: 'disabled', model: 'later' }
    const id = threadIdOf(2)
    const policies = { approvalPolicy: 'never', sandboxPolicy: { type: 'danger-full-access' } }
    const steps: readonly (readonly [RolloutItem[], object])[] = [
      [
        [named(id, 'One'), header(id, { git: { branch: 'b' } })],
        { name: 'One', git: { branch: 'b' } },
      ],
      [[header(id, { memory_mode: 'disabled' })], { memoryMode: 'disabled' }],
      [[turnContext('t9', { model: 'later' })], { model: 'later', ...policies }],
      [[header(threadIdOf(9), { git: { branch: 'of another' } })], {}],
      [[header(id, { git: {} }), named(id, null)], { ...cleared, ...policies }],
    ]
    let expected: object = before ?? {}
    for (const [lines, change] of steps) {
      await appendFile(home.pathOf({ n: 2 }), textOf(lines))
      const files = new FaultyFileSystem()
      await using store = home.store(files)
      const known = (await listAll(store)).find(({ threadId }) => threadId === id)
      assert.equal(files.bytesRead, textOf(lines).length + 1)
      const { sizeBytes, updatedAtMs } = await store.readThread(id)
      expected = { ...expected, ...change, sizeBytes, updatedAtMs }
      assert.deepEqual(known, expected)
      assert.deepEqual(await store.readThread(id), expected)
      await rm(home.folder.at(INDEX_FILE))
      assert.deepEqual((await listAll(home.store()))[1], expected)
    }
  })

  it('is made anew for a file that grew before its first message was known', async () => {
    const { home, list } = await listedHome()
    await using _ = home
    await home.place({ n: 4, items: [] })
    assert.deepEqual(await list(), [PREVIEWS, 1])
    assert.deepEqual(await list(), [PREVIEWS, 0])
    await home.place({ n: 4, items: [userEvent('hello 4')] })
    assert.deepEqual(await list(), [['hello 4', ...PREVIEWS], 1])
  })

  it('is not needed for a thread whose file is gone', async () => {
    const { home, list } = await listedHome()
    await using _ = home
    await rm(home.pathOf({ n: 2 }))
    assert.deepEqual(await list(), [['hello 3', 'hello 1'], 0])
  })

  it('is removed when its file is gone, also by a list that shows a page', async () => {
    const { home } = await listedHome()
    await using _ = home
    await home.place({ n: 4, isArchived: true })
    await using store = home.store()
    await listAll(store, { isArchived: true })
    await rm(home.pathOf({ n: 1 }))
    await store.listThreads({ ...ALL, limit: 1 })
    const paths = [
      home.pathOf({ n: 4, isArchived: true }),
      home.pathOf({ n: 2 }),
      home.pathOf({ n: 3 }),
    ]
    assert.deepEqual(rowsOf(home), paths)
  })

  it('stays when a folder cannot be read', async () => {
    const { home } = await listedHome()
    await using _ = home
    const files = new FaultyFileSystem(({ method }) =>
      method === 'readDirectory' ? { kind: 'fail', code: 'EACCES' } : undefined,
    )
    await using store = home.store(files)
    assert.deepEqual(await listAll(store), [])
    assert.equal(rowsOf(home).length, 3)
  })
})

function rowsOf(home: CodexHome): unknown[] {
  const database = new Sqlite(home.folder.at(INDEX_FILE))
  const paths = database.rows('SELECT rollout_path FROM threads ORDER BY 1').flat()
  database.close()
  return paths
}

async function changed(path: string, from: string, to: string): Promise<string> {
  return (await readFile(path, 'utf8')).replaceAll(from, to)
}

describe('a list is complete', () => {
  function change(home: CodexHome, work: (database: Sqlite) => void): void {
    const database = new Sqlite(home.folder.at(INDEX_FILE))
    work(database)
    database.close()
  }

  const states: {
    readonly [name: string]: readonly [isSetAside: boolean, work: (home: CodexHome) => unknown]
  } = {
    'without an index': [false, (home) => rm(home.folder.at(INDEX_FILE))],
    'with an empty one': [false, (home) => writeFile(home.folder.at(INDEX_FILE), '')],
    'with rubbish for an index': [
      true,
      (home) => writeFile(home.folder.at(INDEX_FILE), 'rubbish '.repeat(2000)),
    ],
    'with the index of a newer version': [
      false,
      (home) => change(home, (other) => other.pragma('user_version = 99')),
    ],
    'with rows deleted': [
      false,
      (home) => change(home, (other) => other.exec('DELETE FROM threads')),
    ],
    'with rows of rubbish': [
      false,
      (home) => change(home, (other) => other.exec("UPDATE threads SET summary = 'x'")),
    ],
    'with the table missing': [
      true,
      (home) => change(home, (other) => other.exec('DROP TABLE threads')),
    ],
    'with a folder in its place': [
      false,
      async (home) => {
        await rm(home.folder.at(INDEX_FILE))
        await mkdir(home.folder.at(INDEX_FILE))
      },
    ],
  }
  for (const [name, [isSetAside, work]] of Object.entries(states)) {
    it(`${name}; what is damaged is set aside, and nothing else`, async () => {
      await using home = await CodexHome.create()
      for (const n of [1, 2, 3]) await home.place({ n })
      await home.fillIndex()
      // The log of the index is merged, so that the file alone is what is changed.
      change(home, (other) => other.pragma('wal_checkpoint(TRUNCATE)'))
      await work(home)
      for (let time = 0; time < 2; time += 1) {
        await using store = home.store()
        assert.deepEqual(numbersOf(await listAll(store)), [3, 2, 1])
        assert.deepEqual(numbersOf(await listAll(store)), [3, 2, 1])
      }
      const names = await readdir(home.path)
      assert.equal(
        names.some((each) => each.includes('set-aside')),
        isSetAside,
      )
    })
  }

  it('while another has the index locked, and uses it again afterwards', async () => {
    await using home = await CodexHome.create()
    for (const n of [1, 2, 3]) await home.place({ n })
    const files = new FaultyFileSystem()
    await using store = home.store(files)
    const other = new Sqlite(home.folder.at(INDEX_FILE))
    other.pragma('locking_mode = EXCLUSIVE')
    other.exec('BEGIN EXCLUSIVE; CREATE TABLE x (y)')
    assert.deepEqual(numbersOf(await listAll(store)), [3, 2, 1])
    other.exec('ROLLBACK')
    other.close()
    assert.deepEqual(numbersOf(await listAll(store)), [3, 2, 1])
    const opened = files.countOf('openForRead')
    assert.deepEqual(numbersOf(await listAll(store)), [3, 2, 1])
    assert.equal(files.countOf('openForRead'), opened)
    assert.ok(!(await readdir(home.path)).some((each) => each.includes('set-aside')))
  })

  it('for lists at the same time, of which one opens the index', async () => {
    await using home = await CodexHome.create()
    for (const n of [1, 2, 3]) await home.place({ n })
    await using store = home.store()
    const lists = await Promise.all([1, 2, 3, 4].map(() => listAll(store)))
    assert.deepEqual(
      lists.map(numbersOf),
      lists.map(() => [3, 2, 1]),
    )
  })

  it('in a home that cannot be written to, with an index and without', async () => {
    for (const hasIndex of [false, true]) {
      await using home = await CodexHome.create()
      for (const n of [1, 2, 3]) await home.place({ n })
      if (hasIndex) await home.fillIndex()
      assert.deepEqual(await listReadOnly(home.path), { previews: PREVIEWS_READ, mode: '555' })
    }
  })
})

const PREVIEWS_READ = ['hello 3', 'hello 2', 'hello 1']

/** Lists in a process that may not write to the home, which root always may. */
async function listReadOnly(home: string): Promise<unknown> {
  const at = (path: string) => JSON.stringify(new URL(path, import.meta.url).href)
  const script = `
    const { nodeFileSystem, systemClock } = await import(${at('../../base/index.ts')})
    const { LocalThreadStore } = await import(${at('./local-thread-store.ts')})
    await import(${at('../../state/index.ts')})
    const { statSync } = await import('node:fs')
    if (process.getuid() === 0) process.setuid(65534)
    const home = ${JSON.stringify(home)}
    const options = { home, files: nodeFileSystem, clock: systemClock, durability: 'turn' }
    const store = new LocalThreadStore(options)
    const page = await store.listThreads(${JSON.stringify(ALL)})
    const mode = (statSync(home).mode & 0o777).toString(8)
    const previews = page.threads.map((thread) => thread.preview)
    process.stdout.write(JSON.stringify({ previews, mode }))`
  await chmod(home, 0o555)
  try {
    const args = ['--input-type=module', '-e', script]
    const { stdout } = await promisify(execFile)(process.execPath, args)
    return JSON.parse(stdout)
  } finally {
    await chmod(home, 0o755)
  }
}
