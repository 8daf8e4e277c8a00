/**
 * Nobody can find a thread that is not its writer's yet, and nobody opens a file that was moved
 * while the lease was another's.
 */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, renameSync } from 'node:fs'
import { dirname } from 'node:path'
import { describe, it } from 'node:test'
import { FileLock, holdsLock } from '../../src/base/index.ts'
import type { SessionMeta } from '../../src/protocol/index.ts'
import { WRITER_LOCKS_FOLDER } from '../../src/thread-store/local/writer-lease.ts'
import { CodexHome } from '../support/codex-home.ts'
import { FaultyFileSystem } from '../support/faulty-file-system.ts'
import { AT, header, threadIdOf, turn } from '../support/thread-log.ts'

const ID = threadIdOf(1)
const nextTick = () => new Promise<void>((resolve) => setImmediate(resolve))

function meta(): SessionMeta {
  const made = header(ID)
  return made.type === 'session_meta' ? made.payload : assert.fail()
}

describe('the first items of a new thread', () => {
  it('are in no file before the lease is held', async () => {
    await using home = await CodexHome.create()
    const files = new FaultyFileSystem()
    await using store = home.store(files)
    const held: boolean[] = []
    files.plan = ({ method }) => {
      const path = home.folder.at(WRITER_LOCKS_FOLDER, `${ID}.lock`)
      if (method === 'openForAppend') held.push(holdsLock(path, process.pid))
      return undefined
    }
    const told = { threadId: ID, createdAtMs: Date.parse(AT), header: async () => meta() }
    await store.createThread(told)
    const guard = home.folder.at(WRITER_LOCKS_FOLDER, '.coordination.lock')
    const taking = (await FileLock.take(guard)) ?? assert.fail('the guard is free')
    const appending = Promise.all([1, 2, 3].map((n) => store.appendItems(ID, turn(n))))
    const flushing = store.flushThread(ID)
    // While the guard is held nobody gets a lease.
    for (let tick = 0; tick < 5000; tick += 1) await nextTick()
    await taking[Symbol.asyncDispose]()
    await Promise.all([appending, flushing])
    assert.deepEqual(held, [true])
    const { items } = await store.loadHistory(ID)
    assert.deepEqual(items.slice(1), [...turn(1), ...turn(2), ...turn(3)])
  })
})

describe('a thread that another process archives, and whose lease it then gives back', () => {
  for (const [what, isArchived] of [
    ['archived', false],
    ['unarchived', true],
  ] as const) {
    it(`is opened where it is, ${what} at whatever call of the resume`, async () => {
      for (let at = 0; ; at += 1) {
        await using home = await CodexHome.create()
        const from = await home.place({ n: 1, isArchived })
        const to = home.pathOf({ n: 1, isArchived: !isArchived })
        const files = new FaultyFileSystem()
        await using store = home.store(files)
        const lock = home.folder.at(WRITER_LOCKS_FOLDER, `${ID}.lock`)
        let isFound = false
        files.plan = ({ index, method }) => {
          isFound ||= method === 'openForRead'
          // Who keeps to the lease moves nothing once we have it.
          if (index !== at || holdsLock(lock, process.pid) || !existsSync(from)) return undefined
          mkdirSync(dirname(to), { recursive: true })
          renameSync(from, to)
          return undefined
        }
        await store.resumeThread(ID).catch((error: unknown) => {
          // Looking it up is not the writer's part.
          if (isFound) throw error
        })
        if (files.calls.length <= at) break
        files.plan = () => undefined
        if (!isFound) continue
        await store.appendItems(ID, turn(1))
        await store.closeThread(ID)
        const { thread, items } = await store.loadHistory(ID)
        assert.equal(thread.rolloutPath, existsSync(to) ? to : from)
        assert.deepEqual(items.slice(-turn(1).length), turn(1))
      }
    })
  }
})
