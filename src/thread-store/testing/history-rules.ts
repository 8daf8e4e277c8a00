import assert from 'node:assert/strict'
import { it } from 'node:test'
import { newThreadId, type RolloutItem, userText } from '../../protocol/index.ts'
import {
  aHeader,
  aMessage,
  CREATED_AT_MS,
  create,
  failsWith,
  type OpenStore,
  stored,
} from './fixtures.ts'

export function contractHistory(open: OpenStore): void {
  it('[TS-1] keeps nothing of a thread that got no items', async () => {
    await using store = await open()
    const threadId = newThreadId()
    await create(store, threadId)
    await store.flushThread(threadId)
    await store.closeThread(threadId)
    await assert.rejects(store.readThread(threadId), failsWith('thread_not_found'))
  })

  it('[TS-1] asks for the header once, and begins the log with it', async () => {
    await using store = await open()
    const threadId = newThreadId()
    let asked = 0
    const header = async () => {
      asked += 1
      await new Promise((resolve) => setImmediate(resolve))
      return aHeader(threadId)
    }
    await store.createThread({ threadId, createdAtMs: CREATED_AT_MS, header })
    assert.equal(asked, 0)
    const texts = ['one', 'two', 'three']
    await Promise.all(texts.map((text) => store.appendItems(threadId, aMessage(text))))
    const first: RolloutItem = { type: 'session_meta', payload: aHeader(threadId) }
    const { items } = await store.loadHistory(threadId)
    assert.deepEqual([asked, items], [1, [first, ...texts.flatMap(aMessage)]])
  })

  it('[TS-1] makes the log of a thread without items when told to', async () => {
    await using store = await open()
    const threadId = newThreadId()
    await create(store, threadId)
    await store.persistThread(threadId)
    await store.persistThread(threadId)
    await store.closeThread(threadId)
    const header: RolloutItem = { type: 'session_meta', payload: aHeader(threadId) }
    assert.deepEqual((await store.loadHistory(threadId)).items, [header])
  })

  it('[TS-3] answers what was appended, in order, behind one header', async () => {
    await using store = await open()
    const threadId = newThreadId()
    await create(store, threadId)
    const batches = ['one', 'two', 'three'].map(aMessage)
    for (const batch of batches) await store.appendItems(threadId, batch)
    const header: RolloutItem = { type: 'session_meta', payload: aHeader(threadId) }
    const expected = [header, ...batches.flat()]
    assert.deepEqual((await store.loadHistory(threadId)).items, expected)
    await store.closeThread(threadId)
    assert.deepEqual((await store.loadHistory(threadId)).items, expected)
  })

  it('[TS-3] keeps the order of appends that were not waited for', async () => {
    await using store = await open()
    const threadId = newThreadId()
    await create(store, threadId)
    const texts = Array.from({ length: 20 }, (_, index) => `message ${index}`)
    await Promise.all(texts.map((text) => store.appendItems(threadId, aMessage(text))))
    const { items } = await store.loadHistory(threadId)
    const told = items.flatMap(({ type, payload }) =>
      type === 'event_msg' && payload.type === 'user_message' ? [payload.message] : [],
    )
    assert.deepEqual(told, texts)
  })
}

export function contractWriters(open: OpenStore): void {
  it('[TS-4] refuses a second writer while the first is live, and takes it after', async () => {
    await using store = await open()
    const threadId = await stored(store)
    await store.resumeThread(threadId)
    await assert.rejects(store.resumeThread(threadId), failsWith('conflict'))
    await assert.rejects(create(store, threadId), failsWith('conflict'))
    await store.closeThread(threadId)
    await store.resumeThread(threadId)
    await store.appendItems(threadId, aMessage('again'))
    const { items } = await store.loadHistory(threadId)
    assert.deepEqual(items.slice(1), [...aMessage('hello'), ...aMessage('again')])
  })

  it('[TS-4] gives the writer to one of several that ask at the same time', async () => {
    await using store = await open()
    const threadId = await stored(store)
    const tries = await Promise.allSettled([1, 2, 3].map(() => store.resumeThread(threadId)))
    const refused = tries.filter((each) => each.status === 'rejected')
    assert.equal(refused.length, 2)
    assert.ok(refused.every(({ reason }) => failsWith('conflict')(reason)))
    await store.closeThread(threadId)
    await store.resumeThread(threadId)
  })

  it('[TS-5] keeps what was appended when the writer is discarded', async () => {
    await using store = await open()
    const threadId = newThreadId()
    await create(store, threadId)
    await store.appendItems(threadId, aMessage('kept'))
    await store.discardThread(threadId)
    assert.deepEqual((await store.loadHistory(threadId)).items.slice(1), aMessage('kept'))
  })

  it('[TS-6] does not let callers change what is kept', async () => {
    await using store = await open()
    const threadId = newThreadId()
    await create(store, threadId)
    const items = aMessage('as it was')
    await store.appendItems(threadId, items)
    const [first] = items
    if (first?.type === 'response_item') first.payload = userText('changed')
    assert.deepEqual((await store.loadHistory(threadId)).items.slice(1), aMessage('as it was'))
  })
}
