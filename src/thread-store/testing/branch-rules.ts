import assert from 'node:assert/strict'
import { it } from 'node:test'
import { foldTurns, forkedItems, replayModelHistory } from '../../history/index.ts'
import { type RolloutItem, userText } from '../../protocol/index.ts'
import { rollBackThread } from '../roll-back-thread.ts'
import {
  aFork,
  aHeader,
  aTurn,
  CREATED_AT_MS,
  failsWith,
  type OpenStore,
  storedWith,
  turnIdOf,
} from './fixtures.ts'

const THREE = [1, 2, 3].flatMap((n) => aTurn(n))

export function contractBranches(open: OpenStore): void {
  it('[TS-23] forks at any turn, behind a header of its own, and leaves the source', async () => {
    await using store = await open()
    const sourceId = await storedWith(store, THREE)
    const before = await store.loadHistory(sourceId)
    for (const turnId of [undefined, ...[1, 2, 3].map(turnIdOf)]) {
      const params = aFork(sourceId, turnId)
      const fork = await store.forkThread(params)
      assert.deepEqual([fork.threadId, fork.forkedFromId], [params.threadId, sourceId])
      const { items } = await store.loadHistory(params.threadId)
      const payload = { ...aHeader(params.threadId, CREATED_AT_MS), forked_from_id: sourceId }
      assert.deepEqual(items[0], { type: 'session_meta', payload })
      assert.deepEqual(items.slice(1), forkedItems(before.items, turnId))
      await store.resumeThread(params.threadId)
      await store.closeThread(params.threadId)
    }
    assert.deepEqual(await store.loadHistory(sourceId), before)
  })

  it('[TS-23] closes a turn that is cut off, as interrupted', async () => {
    await using store = await open()
    const sourceId = await storedWith(store, [...aTurn(1), ...aTurn(2).slice(0, 3)])
    const params = aFork(sourceId)
    await store.forkThread(params)
    const { items } = await store.loadHistory(params.threadId)
    assert.deepEqual(items.at(-1), {
      type: 'event_msg',
      payload: { type: 'turn_aborted', turn_id: turnIdOf(2), reason: 'interrupted' },
    })
    assert.equal(foldTurns(items).at(-1)?.status, 'interrupted')
  })

  it('[TS-23] makes no thread when the turn is not there, or the id is live', async () => {
    await using store = await open()
    const sourceId = await storedWith(store, THREE)
    const params = aFork(sourceId, turnIdOf(9))
    await assert.rejects(store.forkThread(params), failsWith('invalid_request'))
    await assert.rejects(store.readThread(params.threadId), failsWith('thread_not_found'))
    await store.resumeThread(sourceId)
    const onto = { ...aFork(sourceId), threadId: sourceId }
    await assert.rejects(store.forkThread(onto), failsWith('conflict'))
  })
}

export function contractRollbacks(open: OpenStore): void {
  it('[TS-24] takes turns back by one line, also across a compaction', async () => {
    await using store = await open()
    const replacement_history = [userText('what is left')]
    const payload = { message: 'what is left', replacement_history }
    const compaction: RolloutItem = { type: 'compacted', payload }
    const [end, ...begun] = aTurn(2).reverse()
    const second = [...begun.reverse(), compaction, ...(end ? [end] : [])]
    const threadId = await storedWith(store, [...aTurn(1), ...second, ...aTurn(3)])
    const before = (await store.loadHistory(threadId)).items
    await rollBackThread(store, threadId, 2)
    const { items } = await store.loadHistory(threadId)
    const line = { type: 'thread_rolled_back', num_turns: 2 } as const
    assert.deepEqual(items, [...before, { type: 'event_msg', payload: line }])
    const { turns } = await store.listTurns({ threadId, limit: 10, direction: 'asc' })
    assert.deepEqual(
      turns.map(({ id }) => id),
      [turnIdOf(1)],
    )
    const left = replayModelHistory((await store.loadModelContext(threadId)).items)
    assert.deepEqual(left, replayModelHistory([...before.slice(0, 1), ...aTurn(1)]))
  })

  it('[TS-24] takes back no turns that are not there', async () => {
    await using store = await open()
    const threadId = await storedWith(store, THREE)
    const before = (await store.loadHistory(threadId)).items
    for (const count of [0, -1, 1.5, 4]) {
      await assert.rejects(rollBackThread(store, threadId, count), failsWith('invalid_request'))
    }
    assert.deepEqual((await store.loadHistory(threadId)).items, before)
  })
}
