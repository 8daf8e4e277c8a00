import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { describe, it } from 'node:test'
import { TempFolder } from '../../test/support/temp-folder.ts'
import { InMemoryThreadStore } from './in-memory/in-memory-thread-store.ts'
import { LocalThreadStore, ThreadStoreError } from './index.ts'

const ID = '01a1fde1-b66d-792f-a65a-000000000000'
const PAGE = { limit: 5, sortKey: 'updated', isArchived: false, includeSubagents: true }

/** Calls that no compiler would let through, and what is told of them. */
const CALLS: readonly (readonly [method: string, args: readonly unknown[], fault: string])[] = [
  ['createThread', [], 'params must be an object'],
  ['createThread', [{ threadId: 'x' }], 'params.threadId must be a thread id'],
  ['createThread', [{ threadId: ID, createdAtMs: 1 }], 'params.header must be a function'],
  ['resumeThread', [], 'threadId must be a text, but is undefined'],
  ['resumeThread', [ID, { rolloutPath: 3 }], 'options.rolloutPath must be a text'],
  ['appendItems', [ID], 'items must be a list'],
  ['appendItems', [ID, [3]], 'items[0] must be an object'],
  ['recordObserved', [ID], 'facts must be an object'],
  ['flushThread', [3], 'threadId must be a text, but is 3'],
  ['closeThread', [null], 'threadId must be a text, but is null'],
  ['discardThread', [], 'threadId must be a text'],
  ['hasForeignItems', [], 'threadId must be a text'],
  ['persistThread', [], 'threadId must be a text'],
  ['loadHistory', [], 'thread must be a thread id, or { rolloutPath }'],
  ['loadModelContext', [], 'threadId must be a text'],
  ['readThread', [{}], 'thread.rolloutPath must be a text that is not blank'],
  ['listThreads', [], 'params must be an object'],
  ['listThreads', [{ ...PAGE, limit: '5' }], 'params.limit must be a number, but is "5"'],
  ['listThreads', [{ ...PAGE, sortKey: 'name' }], 'params.sortKey must be one of created, updated'],
  ['listThreads', [{ ...PAGE, cwd: 3 }], 'params.cwd must be a text'],
  ['searchThreads', [{ limit: 3 }], 'params.query must be a text'],
  ['searchThreads', [{ ...PAGE, query: 'a', signal: 'b' }], 'params.signal must be an AbortSignal'],
  ['listTurns', [{ threadId: ID, limit: 5 }], 'params.direction must be one of asc, desc'],
  ['listItems', [{ limit: 5 }], 'params.threadId must be a text'],
  ['updateThreadMetadata', [ID], 'patch must be an object'],
  ['updateThreadMetadata', [ID, { title: 'x' }], 'patch has no member title'],
  ['updateThreadMetadata', [ID, { memoryMode: 'x' }], 'patch.memoryMode must be one of enabled'],
  ['forkThread', [{ sourceId: ID }], 'params.threadId must be a thread id'],
  ['archiveThread', [], 'threadId must be a text'],
  ['unarchiveThread', [], 'threadId must be a text'],
  ['deleteThread', [], 'threadId must be a text'],
]

function refuses(call: string, fault: string) {
  return (error: unknown) => {
    assert.ok(error instanceof ThreadStoreError)
    assert.equal(error.failure.code, 'invalid_request')
    assert.ok(error.message.startsWith(`${call}: ${fault}`), error.message)
    return true
  }
}

describe('a store that is called with something else than it takes', () => {
  it('names the argument and what it has to be, and touches nothing', async () => {
    await using folder = await TempFolder.create()
    const home = folder.at('home')
    await using local = new LocalThreadStore({ home })
    await using inMemory = new InMemoryThreadStore()
    for (const store of [local, inMemory]) {
      for (const [method, args, fault] of CALLS) {
        const call = Reflect.get(store, method) as (...args: unknown[]) => Promise<unknown>
        await assert.rejects(call.apply(store, [...args]), refuses(method, fault))
      }
    }
    assert.ok(!existsSync(home))
  })

  it('is not made of options that make none', async () => {
    const cases = [
      [undefined, 'options must be an object'],
      [{}, 'options.home must be an absolute path, but is undefined'],
      [{ home: '' }, 'options.home must be an absolute path, but is ""'],
      [{ home: 'threads' }, 'options.home must be an absolute path, but is "threads"'],
      [
        { home: '/h', durability: 'often' },
        'options.durability must be one of process, turn, power',
      ],
      [{ home: '/h', clock: Date }, 'options.clock must be an object, but is a function'],
    ] as const
    for (const [options, fault] of cases) {
      const make = () => Reflect.construct(LocalThreadStore, [options])
      assert.throws(make, refuses('LocalThreadStore', fault))
    }
  })

  it('takes options that were given as undefined for left out', async () => {
    await using folder = await TempFolder.create()
    const options = { home: folder.path, clock: undefined, durability: undefined }
    await using store = Reflect.construct(LocalThreadStore, [options]) as LocalThreadStore
    const list = store.listThreads(PAGE as Parameters<LocalThreadStore['listThreads']>[0])
    assert.deepEqual((await list).threads, [])
  })
})
