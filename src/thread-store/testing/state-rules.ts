import assert from 'node:assert/strict'
import { it } from 'node:test'
import { newThreadId, type ThreadId } from '../../protocol/index.ts'
import type { ThreadStore } from '../store.ts'
import {
  aFork,
  aMessage,
  type Code,
  create,
  failsWith,
  type OpenStore,
  stored,
} from './fixtures.ts'

const METHODS = {
  resumeThread: (store, id) => store.resumeThread(id),
  appendItems: (store, id) => store.appendItems(id, aMessage('more')),
  persistThread: (store, id) => store.persistThread(id),
  flushThread: (store, id) => store.flushThread(id),
  closeThread: (store, id) => store.closeThread(id),
  discardThread: (store, id) => store.discardThread(id),
  recordObserved: (store, id) => store.recordObserved(id, { model: 'm' }),
  hasForeignItems: (store, id) => store.hasForeignItems(id),
  loadHistory: (store, id) => store.loadHistory(id),
  loadModelContext: (store, id) => store.loadModelContext(id),
  listTurns: (store, id) => store.listTurns({ threadId: id, limit: 1, direction: 'asc' }),
  listItems: (store, id) => store.listItems({ threadId: id, limit: 1, direction: 'asc' }),
  forkThread: (store, id) => store.forkThread(aFork(id)),
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
  recordObserved: GONE,
  hasForeignItems: GONE,
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

const WITHOUT_LOG = {
  recordObserved: GONE,
  loadHistory: GONE,
  loadModelContext: GONE,
  readThread: GONE,
  listTurns: GONE,
  listItems: GONE,
  forkThread: GONE,
} as const

/** [TS-2] What each method answers in each state; `*` for those not named. */
const MATRIX: { readonly [S in State]: { readonly [M in Method | '*']?: Code | 'ok' } } = {
  never_opened: ABSENT,
  created: { ...IS_LIVE, ...WITHOUT_LOG, '*': 'ok' },
  live: { ...IS_LIVE, '*': 'ok' },
  closed: { ...NOT_LIVE, unarchiveThread: 'conflict', '*': 'ok' },
  discarded: ABSENT,
  archived: { ...NOT_LIVE, archiveThread: 'conflict', '*': 'ok' },
  deleted: ABSENT,
  disposed: { '*': 'disposed' },
}

export function contractMatrix(open: OpenStore): void {
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
