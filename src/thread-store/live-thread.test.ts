import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { CodexHome } from '../../test/support/codex-home.ts'
import { FaultyFileSystem } from '../../test/support/faulty-file-system.ts'
import { AT, header, item, says, textOf, threadIdOf, turn } from '../../test/support/thread-log.ts'
import type { SessionMeta } from '../protocol/index.ts'
import type { ThreadStoreError } from './errors.ts'
import { LiveThread } from './live-thread.ts'

const ID = threadIdOf(1)
const PARAMS = {
  threadId: ID,
  createdAtMs: Date.parse(AT),
  header: async () => header(ID).payload as SessionMeta,
}

describe('a live thread', () => {
  it('keeps what belongs in a log, and makes no file for what does not', async () => {
    await using home = await CodexHome.create()
    await using store = home.store()
    const live = await LiveThread.create(store, PARAMS)
    const passing = item({ type: 'other' })
    await live.append([passing, { type: 'unknown', payload: {} }])
    await live.flush()
    await assert.rejects(store.loadHistory(ID))
    await live.append([...says('a'), passing])
    await live.close()
    assert.deepEqual((await store.loadHistory(ID)).items, [header(ID), ...says('a')])
  })

  it('is resumed with its history', async () => {
    await using home = await CodexHome.create()
    const path = await home.place({ n: 1, items: turn(1) })
    await using store = home.store()
    const { live, history } = await LiveThread.resume(store, ID)
    assert.deepEqual([history.items, history.damage], [[header(ID), ...turn(1)], []])
    await live.append(turn(2))
    await live.close()
    const text = textOf([header(ID), ...turn(1), ...turn(2)])
    assert.equal(await readFile(path, 'utf8'), text)
  })

  it('gives its writer back when the history cannot be read', async () => {
    await using home = await CodexHome.create()
    await home.place({ n: 1 })
    let isOpen = false
    const files = new FaultyFileSystem(({ method }) => {
      if (method === 'openForAppend') isOpen = true
      return isOpen && method === 'openForRead' ? { kind: 'fail', code: 'EIO' } : undefined
    })
    await using store = home.store(files)
    const failure = (error: ThreadStoreError) => error.failure.code === 'internal'
    await assert.rejects(LiveThread.resume(store, ID), failure)
    assert.equal(files.openCount, 0)
    files.plan = () => undefined
    await store.resumeThread(ID)
  })

  it('gives its writer back when it is disposed, and stays closed when it was closed', async () => {
    await using home = await CodexHome.create()
    await using store = home.store()
    {
      await using live = await LiveThread.create(store, PARAMS)
      await live.append(says('a'))
    }
    {
      await using resumed = (await LiveThread.resume(store, ID)).live
      await resumed.close()
      await store.resumeThread(ID)
    }
    await store.appendItems(ID, says('b'))
    assert.deepEqual((await store.loadHistory(ID)).items, [header(ID), ...says('a'), ...says('b')])
  })
})
