import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { FaultyFileSystem } from '../../test/support/faulty-file-system.ts'
import { systemClock } from '../base/index.ts'
import { newThreadId } from '../protocol/index.ts'
import { LocalThreadStore } from './local/local-thread-store.ts'
import { aHeader, aMessage } from './testing/fixtures.ts'

const CREATED_AT_MS = Date.UTC(2026, 10, 21, 10, 0, 0)

it('a fork that fails leaves no thread, and no file of it', async () => {
  const home = await mkdtemp(join(tmpdir(), 'bobbin-fork-'))
  const files = new FaultyFileSystem()
  try {
    await using store = new LocalThreadStore({
      home,
      files,
      clock: systemClock,
      durability: 'turn',
    })
    const sourceId = newThreadId()
    const header = async () => aHeader(sourceId)
    await store.createThread({ threadId: sourceId, createdAtMs: CREATED_AT_MS, header })
    await store.appendItems(sourceId, aMessage('hello'))
    await store.closeThread(sourceId)
    const before = (await readdir(home, { recursive: true })).sort()
    for (const method of ['file.write', 'file.sync', 'openForAppend'] as const) {
      files.plan = (call) => (call.method === method ? { kind: 'fail', code: 'ENOSPC' } : undefined)
      const origin = { originator: 'test', cli_version: '0', source: 'cli' }
      const threadId = newThreadId()
      const createdAtMs = CREATED_AT_MS
      await assert.rejects(store.forkThread({ sourceId, threadId, createdAtMs, origin }), /ENOSPC/)
      files.plan = () => undefined
      const after = (await readdir(home, { recursive: true })).sort()
      const logs = after.filter((name) => name.endsWith('.jsonl'))
      assert.deepEqual(
        logs,
        before.filter((name) => name.endsWith('.jsonl')),
        method,
      )
    }
  } finally {
    await rm(home, { recursive: true, force: true })
  }
})
