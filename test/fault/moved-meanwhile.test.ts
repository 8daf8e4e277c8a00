/**
 * A thread that another program archives, or brings back, at any file call of an operation is at
 * every moment in one of the two places: nobody is told that it is gone or damaged.
 */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, renameSync } from 'node:fs'
import { dirname } from 'node:path'
import { describe, it } from 'node:test'
import { holdsLock } from '../../src/base/index.ts'
import type { LocalThreadStore } from '../../src/thread-store/index.ts'
import { WRITER_LOCKS_FOLDER } from '../../src/thread-store/local/writer-lease.ts'
import { ALL, CodexHome } from '../support/codex-home.ts'
import { FaultyFileSystem } from '../support/faulty-file-system.ts'
import { threadIdOf } from '../support/thread-log.ts'

const ID = threadIdOf(1)
const FORK = {
  sourceId: ID,
  threadId: threadIdOf(9),
  createdAtMs: 0,
  origin: { originator: 'test', cli_version: '0', source: 'cli' },
} as const
const PAGE = { threadId: ID, limit: 5, direction: 'asc' } as const

const OPERATIONS: { readonly [name: string]: (store: LocalThreadStore) => Promise<unknown> } = {
  readThread: (store) => store.readThread(ID),
  loadHistory: (store) => store.loadHistory(ID),
  loadModelContext: (store) => store.loadModelContext(ID),
  listTurns: (store) => store.listTurns(PAGE),
  forkThread: (store) => store.forkThread(FORK),
  updateThreadMetadata: (store) => store.updateThreadMetadata(ID, { name: 'x' }),
  listThreads: async (store) => {
    assert.deepEqual((await store.listThreads(ALL)).unreadable, [])
  },
}

/** What went wrong, by the call before which the file was moved. */
async function troublesOf(name: string, isArchived: boolean): Promise<string[]> {
  const troubles: string[] = []
  for (let at = 0; ; at += 1) {
    await using home = await CodexHome.create()
    const from = await home.place({ n: 1, isArchived })
    const to = home.pathOf({ n: 1, isArchived: !isArchived })
    const files = new FaultyFileSystem()
    await using store = home.store(files)
    files.plan = ({ index }) => {
      // Who keeps to the lease moves nothing while it is ours.
      const lock = home.folder.at(WRITER_LOCKS_FOLDER, `${ID}.lock`)
      if (index !== at || holdsLock(lock, process.pid) || !existsSync(from)) return undefined
      mkdirSync(dirname(to), { recursive: true })
      renameSync(from, to)
      return undefined
    }
    await OPERATIONS[name]?.(store).catch((error: unknown) => {
      troubles.push(`${at} ${files.calls[at]?.method}: ${error}`.replaceAll(home.path, ''))
    })
    if (files.calls.length <= at) return troubles
  }
}

describe('a thread that is moved meanwhile', () => {
  for (const name of Object.keys(OPERATIONS)) {
    for (const [what, isArchived] of [
      ['archived', false],
      ['brought back', true],
    ] as const) {
      it(`is found by ${name} when it is ${what}`, async () => {
        assert.deepEqual(await troublesOf(name, isArchived), [])
      })
    }
  }
})
