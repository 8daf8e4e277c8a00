import assert from 'node:assert/strict'
import { it } from 'node:test'
import { newThreadId } from '../../protocol/index.ts'
import type { SearchThreads } from '../store.ts'
import {
  aHeader,
  aLiveThread,
  aMessage,
  aTurn,
  create,
  failsWith,
  type OpenStore,
  storedWith,
  turnIdOf,
} from './fixtures.ts'

const ANY = { limit: 10, includeSubagents: false } as const

export function contractSearch(open: OpenStore): void {
  it('[TS-21] finds turns in which all words were said, but none that was taken back', async () => {
    await using store = await open()
    const turns = [aTurn(1, 'mend the red Door'), aTurn(2, 'paint the door'), aTurn(3, 'door')]
    const back = {
      type: 'event_msg',
      payload: { type: 'thread_rolled_back', num_turns: 1 },
    } as const
    const threadId = await storedWith(store, [...turns.flat(), back])
    await storedWith(store, aTurn(4, 'windows'))
    const found = async (query: string, more: Partial<SearchThreads> = {}) => {
      const { hits } = await store.searchThreads({ ...ANY, query, ...more })
      return hits.map((hit) => `${hit.thread.threadId} ${hit.turnId}`).sort()
    }
    const [first, second] = [1, 2].map((n) => `${threadId} ${turnIdOf(n)}`)
    assert.deepEqual(await found('door'), [first, second])
    assert.deepEqual(await found('door red'), [first])
    assert.deepEqual(await found('paint'), [second])
    assert.deepEqual(await found('pai'), [second])
    assert.deepEqual(await found('oor'), [])
    assert.deepEqual(await found('door nowhere'), [])
    assert.deepEqual(await found('"'), [])
    assert.deepEqual(await found('door', { cwd: '/nowhere' }), [])
    await store.archiveThread(threadId)
    assert.deepEqual(await found('door'), [])
    assert.deepEqual(await found('door', { isArchived: true }), [first, second])
  })

  it('[TS-21] gives pages that add up, and shows the words', async () => {
    await using store = await open()
    for (let n = 1; n <= 5; n += 1) await storedWith(store, aTurn(n, `the needle ${n}`))
    const snippets: string[] = []
    let cursor: string | null | undefined
    do {
      const params = { ...ANY, limit: 2, query: 'needle', ...(cursor ? { cursor } : {}) }
      const page = await store.searchThreads(params)
      assert.ok(page.hits.length <= 2)
      snippets.push(...page.hits.map((hit) => hit.snippet))
      cursor = page.nextCursor
    } while (cursor)
    assert.deepEqual(
      snippets.sort(),
      [1, 2, 3, 4, 5].map((n) => `the needle ${n}`),
    )
    const nonsense = store.searchThreads({ ...ANY, query: 'needle', cursor: 'nonsense' })
    await assert.rejects(nonsense, failsWith('invalid_request'))
  })
}

export function contractObserved(open: OpenStore): void {
  it('[TS-22] shows what is told of appended items, and adds nothing to the log', async () => {
    await using store = await open()
    const threadId = newThreadId()
    const live = await aLiveThread(store, threadId, async () => aHeader(threadId))
    await live.append(aMessage('hello'))
    await live.close()
    const { items, thread } = await store.loadHistory(threadId)
    assert.deepEqual(items.slice(1), aMessage('hello'))
    const { preview, firstUserMessage, title, cwd, createdAtMs } = thread
    assert.deepEqual(
      { preview, firstUserMessage, title, cwd, createdAtMs },
      {
        preview: 'hello',
        firstUserMessage: 'hello',
        title: 'hello',
        cwd: '/project',
        createdAtMs: Date.parse(aHeader(threadId).timestamp),
      },
    )
    assert.deepEqual(await store.readThread(threadId), thread)
  })

  it('[TS-22] tells of no items of others where nobody else writes', async () => {
    await using store = await open()
    const threadId = newThreadId()
    await create(store, threadId)
    await store.appendItems(threadId, aMessage('hello'))
    assert.equal(await store.hasForeignItems(threadId), false)
  })
}
