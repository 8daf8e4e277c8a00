import assert from 'node:assert/strict'
import { it } from 'node:test'
import {
  newThreadId,
  type RolloutItem,
  type ThreadGoal,
  type ThreadId,
} from '../../protocol/index.ts'
import {
  aFork,
  aHeader,
  aLiveThread,
  aMessage,
  create,
  EVERYTHING,
  failsWith,
  type OpenStore,
  stored,
} from './fixtures.ts'

function aGoal(threadId: ThreadId): ThreadGoal {
  const counts = { tokenBudget: null, tokensUsed: 0, timeUsedSeconds: 0 }
  return { threadId, objective: 'Win', status: 'paused', ...counts, createdAt: 1, updatedAt: 1 }
}

function isGoalLine(item: RolloutItem): boolean {
  return item.type === 'event_msg' && item.payload.type === 'thread_goal_updated'
}

export function contractMetadata(open: OpenStore): void {
  it('[TS-11] sets, changes and clears a name, live and not, and keeps it', async () => {
    await using store = await open()
    const threadId = await stored(store)
    assert.equal((await store.readThread(threadId)).name, null)
    assert.equal((await store.updateThreadMetadata(threadId, { name: '  One ' })).name, 'One')
    await store.resumeThread(threadId)
    assert.equal((await store.updateThreadMetadata(threadId, { name: 'Two' })).name, 'Two')
    await store.appendItems(threadId, aMessage('more'))
    await store.closeThread(threadId)
    assert.equal((await store.listThreads(EVERYTHING)).threads[0]?.name, 'Two')
    assert.equal((await store.updateThreadMetadata(threadId, { name: null })).name, null)
    assert.equal((await store.readThread(threadId)).name, null)
  })

  it('[TS-11] refuses a blank name and changes nothing', async () => {
    await using store = await open()
    const threadId = await stored(store)
    const before = await store.loadHistory(threadId)
    const update = store.updateThreadMetadata(threadId, { name: ' ', memoryMode: 'disabled' })
    await assert.rejects(update, failsWith('invalid_request'))
    assert.deepEqual(await store.loadHistory(threadId), before)
  })

  it('[TS-11] sets, changes and clears a goal, live and not, and keeps it', async () => {
    await using store = await open()
    const threadId = newThreadId()
    const header = async () => aHeader(threadId)
    const live = await aLiveThread(store, threadId, header)
    const goal = aGoal(threadId)
    assert.deepEqual((await live.updateMetadata({ goal })).goal, goal)
    assert.equal((await store.listThreads(EVERYTHING)).threads[0]?.preview, 'Win')
    await live.append(aMessage('words'))
    await live.close()
    const changed = { ...goal, objective: 'Win twice', tokenBudget: 5 }
    assert.deepEqual((await store.updateThreadMetadata(threadId, { goal: changed })).goal, changed)
    const { goal: kept, preview } = await store.readThread(threadId)
    assert.deepEqual([kept, preview], [changed, 'Win'])
    const fork = await store.forkThread(aFork(threadId))
    assert.equal(fork.goal ?? null, null)
    assert.equal((await store.updateThreadMetadata(threadId, { goal: null })).goal, null)
    const { items } = await store.loadHistory(threadId)
    await store.updateThreadMetadata(threadId, { goal: null })
    assert.equal((await store.readThread(threadId)).goal, null)
    assert.equal(items.filter(isGoalLine).length, 3)
  })

  it('[TS-12] patches git field by field; null clears', async () => {
    await using store = await open()
    const threadId = await stored(store)
    const patched = async (git: object) => (await store.updateThreadMetadata(threadId, { git })).git
    assert.deepEqual(await patched({ sha: 'abc', branch: 'main' }), {
      commit_hash: 'abc',
      branch: 'main',
    })
    assert.deepEqual(await patched({ branch: 'feat' }), { commit_hash: 'abc', branch: 'feat' })
    assert.deepEqual(await patched({ sha: null }), { branch: 'feat' })
    assert.equal(await patched({ branch: null, originUrl: null }), null)
  })
}

export function contractPatches(open: OpenStore): void {
  it('[TS-13] applies several fields together; each leaves the others as they are', async () => {
    await using store = await open()
    const threadId = await stored(store)
    const patch = { name: 'N', memoryMode: 'disabled', git: { branch: 'b' } } as const
    const facts = async (change: object) => {
      const { name, memoryMode, git } = await store.updateThreadMetadata(threadId, change)
      return { name, memoryMode, git }
    }
    const all = { name: 'N', memoryMode: 'disabled', git: { branch: 'b' } }
    assert.deepEqual(await facts(patch), all)
    assert.deepEqual(await facts({}), all)
    assert.deepEqual(await facts({ memoryMode: 'enabled' }), { ...all, memoryMode: 'enabled' })
    assert.deepEqual(await facts({ name: null }), { ...all, memoryMode: 'enabled', name: null })
  })

  it('[TS-13] counts each of several changes that are made at the same time', async () => {
    await using store = await open()
    const threadId = await stored(store)
    const patches = [
      { git: { sha: 's' } },
      { name: 'N' },
      { git: { branch: 'b' } },
      { memoryMode: 'disabled' },
    ] as const
    await Promise.all(patches.map((patch) => store.updateThreadMetadata(threadId, patch)))
    const { name, memoryMode, git } = await store.readThread(threadId)
    const expected = { commit_hash: 's', branch: 'b' }
    assert.deepEqual([name, memoryMode, git], ['N', 'disabled', expected])
  })

  it('[TS-14] adds only lines that derive nothing: the items stay as they were', async () => {
    await using store = await open()
    const threadId = await stored(store)
    const before = (await store.loadHistory(threadId)).items
    await store.updateThreadMetadata(threadId, { name: 'N', git: { branch: 'b' } })
    const after = (await store.loadHistory(threadId)).items
    assert.deepEqual(after.slice(0, before.length), before)
    assert.deepEqual(
      after
        .slice(before.length)
        .map((item) => [item.type, item.type === 'event_msg' ? item.payload.type : undefined]),
      [
        ['session_meta', undefined],
        ['event_msg', 'thread_name_updated'],
      ],
    )
  })
}

export function contractArchive(open: OpenStore): void {
  it('[TS-15] moves a thread between the lists, with all that is in it', async () => {
    await using store = await open()
    const threadId = await stored(store)
    await store.updateThreadMetadata(threadId, { name: 'N' })
    const { items } = await store.loadHistory(threadId)
    const listed = async (isArchived: boolean) =>
      (await store.listThreads({ ...EVERYTHING, isArchived })).threads.map((each) => each.name)
    await store.archiveThread(threadId)
    assert.deepEqual([await listed(false), await listed(true)], [[], ['N']])
    assert.deepEqual((await store.loadHistory(threadId)).items, items)
    assert.equal((await store.readThread(threadId)).isArchived, true)
    assert.equal((await store.unarchiveThread(threadId)).isArchived, false)
    assert.deepEqual([await listed(false), await listed(true)], [['N'], []])
    assert.deepEqual((await store.loadHistory(threadId)).items, items)
  })

  it('[TS-16] leaves an archived thread archived when its metadata change', async () => {
    await using store = await open()
    const threadId = await stored(store)
    await store.archiveThread(threadId)
    const changed = await store.updateThreadMetadata(threadId, { name: 'N' })
    assert.deepEqual([changed.name, changed.isArchived], ['N', true])
    assert.deepEqual((await store.listThreads(EVERYTHING)).threads, [])
  })

  it('[TS-17] deletes a thread and its name, and nothing else', async () => {
    await using store = await open()
    const [gone, stays] = [await stored(store, 'gone'), await stored(store, 'stays')]
    for (const threadId of [gone, stays]) await store.updateThreadMetadata(threadId, { name: 'N' })
    await store.deleteThread(gone)
    const { threads } = await store.listThreads(EVERYTHING)
    assert.deepEqual(
      threads.map(({ threadId, name }) => [threadId, name]),
      [[stays, 'N']],
    )
    await create(store, gone)
    await store.appendItems(gone, aMessage('born again'))
    assert.equal((await store.readThread(gone)).name, null)
  })
}
