import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  newThreadId,
  type RolloutItem,
  type SessionMeta,
  type ThreadId,
  userText,
} from '../../protocol/index.ts'
import { ThreadStoreError } from '../errors.ts'
import type { ListThreads, ThreadStore } from '../store.ts'

/** Makes a fresh, empty store for one test; the test disposes it. */
export type OpenStore = () => Promise<ThreadStore>

type Code = ThreadStoreError['failure']['code']

const CREATED_AT_MS = Date.UTC(2026, 10, 21, 10, 0, 0)

/** A header as a session makes it. */
export function aHeader(threadId: ThreadId, createdAtMs = CREATED_AT_MS): SessionMeta {
  return {
    id: threadId,
    timestamp: new Date(createdAtMs).toISOString(),
    cwd: '/project',
    originator: 'contract',
    cli_version: '0.0.0',
    source: 'cli',
    model_provider: 'mock',
  }
}

/** The lines of a person's message: what the model reads, and what people see. */
export function aMessage(text: string): RolloutItem[] {
  return [
    { type: 'response_item', payload: userText(text) },
    {
      type: 'event_msg',
      payload: {
        type: 'user_message',
        message: text,
        images: [],
        local_images: [],
        text_elements: [],
      },
    },
  ]
}

async function create(store: ThreadStore, threadId: ThreadId, atMs = CREATED_AT_MS): Promise<void> {
  const header = async () => aHeader(threadId, atMs)
  await store.createThread({ threadId, createdAtMs: atMs, header })
}

/** A closed thread with one message. */
async function stored(store: ThreadStore, text = 'hello', atMs = CREATED_AT_MS): Promise<ThreadId> {
  const threadId = newThreadId()
  await create(store, threadId, atMs)
  await store.appendItems(threadId, aMessage(text))
  await store.closeThread(threadId)
  return threadId
}

/** Appends until the clock of the store has gone on, so that no other thread is as new. */
async function touch(store: ThreadStore, threadId: ThreadId): Promise<void> {
  const { updatedAtMs } = (await store.listThreads({ ...EVERYTHING, sortKey: 'updated' }))
    .threads[0] ?? { updatedAtMs: 0 }
  await store.resumeThread(threadId)
  do await store.appendItems(threadId, aMessage('more'))
  while ((await store.readThread(threadId)).updatedAtMs <= updatedAtMs)
  await store.closeThread(threadId)
}

function failsWith(code: Code): (error: unknown) => boolean {
  return (error) => error instanceof ThreadStoreError && error.failure.code === code
}

const EVERYTHING: ListThreads = {
  limit: 100,
  sortKey: 'created',
  isArchived: false,
  includeSubagents: false,
}

const METHODS = {
  resumeThread: (store, id) => store.resumeThread(id),
  appendItems: (store, id) => store.appendItems(id, aMessage('more')),
  persistThread: (store, id) => store.persistThread(id),
  flushThread: (store, id) => store.flushThread(id),
  closeThread: (store, id) => store.closeThread(id),
  discardThread: (store, id) => store.discardThread(id),
  loadHistory: (store, id) => store.loadHistory(id),
  readThread: (store, id) => store.readThread(id),
  updateThreadMetadata: (store, id) => store.updateThreadMetadata(id, { name: 'a name' }),
  archiveThread: (store, id) => store.archiveThread(id),
  unarchiveThread: (store, id) => store.unarchiveThread(id),
  deleteThread: (store, id) => store.deleteThread(id),
} as const satisfies {
  [method: string]: (store: ThreadStore, id: ThreadId) => Promise<unknown>
}

type Method = keyof typeof METHODS

const STATES = {
  never_opened: async () => newThreadId(),
  created: async (store) => {
    const id = newThreadId()
    await create(store, id)
    return id
  },
  live: async (store) => {
    const id = newThreadId()
    await create(store, id)
    await store.appendItems(id, aMessage('hello'))
    return id
  },
  closed: (store) => stored(store),
  discarded: async (store) => {
    const id = newThreadId()
    await create(store, id)
    await store.discardThread(id)
    return id
  },
  archived: async (store) => {
    const id = await stored(store)
    await store.archiveThread(id)
    return id
  },
  deleted: async (store) => {
    const id = await stored(store)
    await store.deleteThread(id)
    return id
  },
  disposed: async (store) => {
    const id = await stored(store)
    await store[Symbol.asyncDispose]()
    return id
  },
} as const satisfies { [state: string]: (store: ThreadStore) => Promise<ThreadId> }

type State = keyof typeof STATES

const GONE = 'thread_not_found'
const ABSENT = { '*': GONE, discardThread: 'ok' } as const
const NOT_LIVE = {
  appendItems: GONE,
  persistThread: GONE,
  flushThread: GONE,
  closeThread: GONE,
} as const
const IS_LIVE = {
  resumeThread: 'conflict',
  archiveThread: 'conflict',
  unarchiveThread: 'conflict',
  deleteThread: 'conflict',
} as const

/** [TS-2] What each method answers in each state; `*` for those not named. */
const MATRIX: { readonly [S in State]: { readonly [M in Method | '*']?: Code | 'ok' } } = {
  never_opened: ABSENT,
  created: { ...IS_LIVE, loadHistory: GONE, readThread: GONE, '*': 'ok' },
  live: { ...IS_LIVE, '*': 'ok' },
  closed: { ...NOT_LIVE, unarchiveThread: 'conflict', '*': 'ok' },
  discarded: ABSENT,
  archived: { ...NOT_LIVE, archiveThread: 'conflict', '*': 'ok' },
  deleted: ABSENT,
  disposed: { '*': 'disposed' },
}

function contractMatrix(open: OpenStore): void {
  for (const state of Object.keys(STATES) as State[]) {
    for (const method of Object.keys(METHODS) as Method[]) {
      const expected = MATRIX[state][method] ?? MATRIX[state]['*'] ?? 'ok'
      const name = state.replace('_', ' ')
      it(`[TS-2] ${method} of a thread that is ${name}: ${expected}`, async () => {
        await using store = await open()
        const threadId = await STATES[state](store)
        const answer = METHODS[method](store, threadId)
        if (expected === 'ok') await answer
        else await assert.rejects(answer, failsWith(expected))
      })
    }
  }
}

function contractHistory(open: OpenStore): void {
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

function contractWriters(open: OpenStore): void {
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

function contractLists(open: OpenStore): void {
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

  it('[TS-9] filters by folder, and leaves sub-agents out unless asked', async () => {
    await using store = await open()
    const threadId = newThreadId()
    const source = { subagent: 'review' }
    const header = async () => ({ ...aHeader(threadId), cwd: '/other', source })
    await store.createThread({ threadId, createdAtMs: CREATED_AT_MS, header })
    await store.appendItems(threadId, aMessage('by an agent'))
    const plain = await stored(store)
    const ids = async (params: Partial<ListThreads>) =>
      (await store.listThreads({ ...EVERYTHING, ...params })).threads.map((each) => each.threadId)
    assert.deepEqual(await ids({}), [plain])
    assert.deepEqual((await ids({ includeSubagents: true })).sort(), [threadId, plain].sort())
    assert.deepEqual(await ids({ includeSubagents: true, cwd: '/other' }), [threadId])
    assert.deepEqual(await ids({ cwd: '/nowhere' }), [])
  })

  it('[TS-10] refuses a cursor that no list has given out', async () => {
    await using store = await open()
    const listing = store.listThreads({ ...EVERYTHING, cursor: 'nonsense' })
    await assert.rejects(listing, failsWith('invalid_request'))
  })
}

function contractMetadata(open: OpenStore): void {
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

function contractPatches(open: OpenStore): void {
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

function contractArchive(open: OpenStore): void {
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

/**
 * The rules of `docs/spec/thread-store.md`, as `node:test` tests of one store. Import it in a test
 * file of a store of your own: `threadStoreContract('mine', async () => new MyStore())`.
 */
export function threadStoreContract(name: string, open: OpenStore): void {
  describe(`thread store contract: ${name}`, () => {
    contractHistory(open)
    contractWriters(open)
    contractLists(open)
    contractMetadata(open)
    contractPatches(open)
    contractArchive(open)
    contractMatrix(open)
  })
}
