import assert from 'node:assert/strict'
import { it } from 'node:test'
import { newThreadId, type ThreadId } from '../../protocol/index.ts'
import type { ListThreads } from '../store.ts'
import {
  aHeader,
  aLiveThread,
  aMessage,
  CREATED_AT_MS,
  create,
  EVERYTHING,
  failsWith,
  type OpenStore,
  stored,
  touch,
} from './fixtures.ts'

export function contractLists(open: OpenStore): void {
  it('[TS-7] lists threads with a message, newest first, by creation and by change', async () => {
    await using store = await open()
    const second = await stored(store, 'second', CREATED_AT_MS + 60_000)
    const first = await stored(store, 'first', CREATED_AT_MS)
    const silent = newThreadId()
    await create(store, silent)
    await store.persistThread(silent)
    const { threads } = await store.listThreads(EVERYTHING)
    assert.deepEqual(
      threads.map(({ threadId, preview }) => [threadId, preview]),
      [
        [second, 'second'],
        [first, 'first'],
      ],
    )
    for (const newest of [first, second]) {
      await touch(store, newest)
      const page = await store.listThreads({ ...EVERYTHING, sortKey: 'updated' })
      const ids = page.threads.map((each) => each.threadId)
      assert.deepEqual(ids, newest === first ? [first, second] : [second, first])
    }
  })

  it('[TS-8] gives pages that add up to the list', async () => {
    await using store = await open()
    for (let count = 0; count < 7; count += 1) {
      await stored(store, `message ${count}`, CREATED_AT_MS + (count % 3) * 1000)
    }
    for (const sortKey of ['created', 'updated'] as const) {
      const params = { ...EVERYTHING, sortKey }
      const whole = (await store.listThreads(params)).threads.map((each) => each.threadId)
      assert.equal(whole.length, 7)
      for (const limit of [1, 2, 3, 7]) {
        const paged: ThreadId[] = []
        let cursor: string | null | undefined
        do {
          const page = await store.listThreads({ ...params, limit, ...(cursor ? { cursor } : {}) })
          assert.ok(page.threads.length <= limit)
          paged.push(...page.threads.map((each) => each.threadId))
          cursor = page.nextCursor
        } while (cursor)
        assert.deepEqual(paged, whole)
      }
    }
  })
}

export function contractDirections(open: OpenStore): void {
  it('[TS-7] lists upwards what it lists downwards, page by page', async () => {
    await using store = await open()
    for (let n = 0; n < 5; n += 1) await stored(store, `message ${n}`, atSecond(n >> 1))
    for (const sortKey of ['created', 'updated'] as const) {
      const ids = async (params: Partial<ListThreads>) => {
        const page = await store.listThreads({ ...EVERYTHING, sortKey, ...params })
        return { ...page, ids: page.threads.map(({ threadId }) => threadId) }
      }
      const { ids: whole } = await ids({})
      const upwards = whole.toReversed()
      assert.deepEqual((await ids({ direction: 'asc' })).ids, upwards)
      const paged: ThreadId[] = []
      let cursor: string | null | undefined
      do {
        const page = await ids({ direction: 'asc', limit: 2, ...(cursor ? { cursor } : {}) })
        paged.push(...page.ids)
        cursor = page.nextCursor
      } while (cursor)
      assert.deepEqual(paged, upwards)
    }
  })

  it('[TS-8] turns round at the first thread of a page', async () => {
    await using store = await open()
    assert.equal((await store.listThreads(EVERYTHING)).backwardsCursor, null)
    for (let n = 0; n < 5; n += 1) await stored(store, `message ${n}`, atSecond(n >> 1))
    for (const direction of ['asc', 'desc'] as const) {
      const params = { ...EVERYTHING, direction, limit: 2 }
      const first = await store.listThreads(params)
      const cursor = first.nextCursor ?? assert.fail('there is more')
      const second = await store.listThreads({ ...params, cursor })
      const back = await store.listThreads({
        ...EVERYTHING,
        direction: direction === 'asc' ? 'desc' : 'asc',
        cursor: second.backwardsCursor ?? assert.fail('it has a first thread'),
      })
      const seen = [...first.threads, ...second.threads.slice(0, 1)]
      const ids = (threads: readonly { threadId: ThreadId }[]) =>
        threads.map((each) => each.threadId)
      assert.deepEqual(ids(back.threads), ids(seen).reverse())
    }
  })

  it('[TS-10] takes a bare time for the place behind all threads of that time', async () => {
    await using store = await open()
    for (const second of [0, 60, 60, 120]) await stored(store, `at ${second}`, atSecond(second))
    const cursor = new Date(atSecond(60)).toISOString()
    const previews = async (direction: 'asc' | 'desc') =>
      (await store.listThreads({ ...EVERYTHING, direction, cursor })).threads.map(
        ({ preview }) => preview,
      )
    assert.deepEqual(await previews('desc'), ['at 0'])
    assert.deepEqual(await previews('asc'), ['at 120'])
  })
}

export function contractPagesUnderInserts(open: OpenStore): void {
  it('[TS-8] has each thread that was there once, whatever comes between the pages', async () => {
    await using store = await open()
    const early: ThreadId[] = []
    for (let n = 0; n < 6; n += 1) early.push(await stored(store, `early ${n}`, atSecond(2 * n)))
    for (const sortKey of ['created', 'updated'] as const) {
      const paged: ThreadId[] = []
      let cursor: string | null | undefined
      for (let n = 0; cursor !== null; n += 1) {
        const params = { ...EVERYTHING, sortKey, limit: 2, ...(cursor ? { cursor } : {}) }
        const page = await store.listThreads(params)
        paged.push(...page.threads.map((each) => each.threadId))
        cursor = page.nextCursor
        // Before, between and behind those that are listed.
        for (const second of [-1, 2 * n + 1, 100]) await stored(store, 'late', atSecond(second))
      }
      const known = paged.filter((threadId) => early.includes(threadId))
      assert.deepEqual(known, sortKey === 'created' ? early.toReversed() : known)
      assert.deepEqual([...known].sort(), [...early].sort())
      assert.equal(new Set(paged).size, paged.length)
    }
  })
}

function atSecond(second: number): number {
  return CREATED_AT_MS + second * 1000
}

export function contractFilters(open: OpenStore): void {
  it('[TS-9] filters by folder, and leaves sub-agents out unless asked', async () => {
    await using store = await open()
    const threadId = newThreadId()
    const source = { subagent: 'review' }
    const header = async () => ({ ...aHeader(threadId), cwd: '/other', source })
    const live = await aLiveThread(store, threadId, header)
    await live.append(aMessage('by an agent'))
    const plain = await stored(store)
    const ids = async (params: Partial<ListThreads>) =>
      (await store.listThreads({ ...EVERYTHING, ...params })).threads.map((each) => each.threadId)
    assert.deepEqual(await ids({}), [plain])
    assert.deepEqual((await ids({ includeSubagents: true })).sort(), [threadId, plain].sort())
    assert.deepEqual(await ids({ includeSubagents: true, cwd: '/other' }), [threadId])
    assert.deepEqual(await ids({ cwd: '/nowhere' }), [])
  })

  it('[TS-9] filters by project: its folder and all below it', async () => {
    await using store = await open()
    const inFolder = async (cwd: string) => {
      const threadId = newThreadId()
      const header = async () => ({ ...aHeader(threadId), cwd })
      const live = await aLiveThread(store, threadId, header)
      await live.append(aMessage(cwd))
      return threadId
    }
    const folders = ['/a/b', '/a/b/', '/a/b/c/d', '/a/x/../b', '/a/bc', '/a', '/a/b/../c', 'b']
    for (const folder of folders) await inFolder(folder)
    const previews = async (params: Partial<ListThreads>) =>
      (await store.listThreads({ ...EVERYTHING, ...params })).threads.map(({ preview }) => preview)
    for (const projectRoot of ['/a/b', '/a/b/', '/a/./b']) {
      const inside = ['/a/b', '/a/b/', '/a/b/c/d', '/a/x/../b']
      assert.deepEqual((await previews({ projectRoot })).sort(), inside, projectRoot)
    }
    assert.equal((await previews({ projectRoot: '/' })).length, folders.length - 1)
    assert.deepEqual(await previews({ projectRoot: '/a/b', cwd: '/a/b/c/d' }), ['/a/b/c/d'])
    assert.deepEqual(await previews({ projectRoot: '/nowhere' }), [])
  })

  it('[TS-9] filters by source, provider, branch, text and time, all together', async () => {
    await using store = await open()
    const threadId = newThreadId()
    const facts = { source: 'exec', model_provider: 'other', git: { branch: 'feat' } }
    const header = async () => ({ ...aHeader(threadId), ...facts })
    const live = await aLiveThread(store, threadId, header)
    await live.append(aMessage('Mend the Door'))
    await live.close()
    const other = await stored(store, 'paint the wall')
    await store.updateThreadMetadata(other, { name: 'Blue house' })
    const ids = async (params: Partial<ListThreads>) =>
      (await store.listThreads({ ...EVERYTHING, ...params })).threads.map((each) => each.threadId)
    const exact = { source: 'exec', modelProvider: 'other', branch: 'feat', text: 'door' }
    for (const [field, value] of Object.entries(exact)) {
      assert.deepEqual(await ids({ [field]: value }), [threadId], field)
      assert.deepEqual(await ids({ [field]: 'nothing like it' }), [], field)
    }
    assert.deepEqual(await ids(exact), [threadId])
    assert.deepEqual(await ids({ ...exact, text: 'wall' }), [])
    assert.deepEqual(await ids({ text: 'blue' }), [other])
    const { updatedAtMs } = await store.readThread(other)
    assert.ok((await ids({ updatedSinceMs: updatedAtMs })).includes(other))
    assert.deepEqual(await ids({ updatedSinceMs: updatedAtMs + 60_000 }), [])
  })

  it('[TS-10] refuses a cursor that no list has given out', async () => {
    await using store = await open()
    const listing = store.listThreads({ ...EVERYTHING, cursor: 'nonsense' })
    await assert.rejects(listing, failsWith('invalid_request'))
  })
}

export function contractChoices(open: OpenStore): void {
  it('[TS-9] takes any of several values, and text as it is written', async () => {
    await using store = await open()
    const facts = [
      { cwd: '/a', source: 'cli', model_provider: 'one' },
      { cwd: '/b', source: { subagent: 'review' }, model_provider: null },
      { cwd: '/c', source: { subagent: { thread_spawn: {} } }, model_provider: 'two' },
    ]
    for (const each of facts) {
      const threadId = newThreadId()
      const header = async () => ({ ...aHeader(threadId), ...each })
      const live = await aLiveThread(store, threadId, header)
      await live.append(aMessage(`In ${each.cwd}`))
      await live.close()
    }
    const found = async (params: Partial<ListThreads>) => {
      const { threads } = await store.listThreads({ ...EVERYTHING, ...params })
      return threads.map(({ cwd }) => cwd).sort()
    }
    const includeSubagents = true
    assert.deepEqual(await found({ includeSubagents, cwd: ['/a', '/b/', '/x'] }), ['/a', '/b'])
    assert.deepEqual(await found({ includeSubagents, cwd: [] }), [])
    assert.deepEqual(await found({ source: ['cli', 'subagent:review'] }), ['/a', '/b'])
    assert.deepEqual(await found({ source: 'subagent' }), ['/b', '/c'])
    const full = { ...EVERYTHING, source: 'subagent', limit: 2 }
    assert.equal((await store.listThreads(full)).nextCursor, null)
    assert.deepEqual(await found({ source: ['subagent:thread_spawn', 'exec'] }), ['/c'])
    assert.deepEqual(await found({ includeSubagents, modelProvider: ['one', null] }), ['/a', '/b'])
    assert.deepEqual(await found({ includeSubagents, exactText: 'In /c' }), ['/c'])
    assert.deepEqual(await found({ includeSubagents, exactText: 'in /c' }), [])
  })
}
