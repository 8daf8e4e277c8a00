import assert from 'node:assert/strict'
import {
  appendFile,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { describe, it } from 'node:test'
import { ALL, CodexHome, idsOf, listAll } from '../../../test/support/codex-home.ts'
import { type Fault, FaultyFileSystem } from '../../../test/support/faulty-file-system.ts'
import {
  AT,
  header,
  item,
  says,
  textOf,
  threadIdOf,
  turn,
} from '../../../test/support/thread-log.ts'
import type { RolloutItem, SessionMeta, ThreadId } from '../../protocol/index.ts'
import { userText } from '../../protocol/index.ts'
import { ThreadStoreError, type ThreadStoreFailure } from '../errors.ts'
import type { CreateThread } from '../store.ts'
import { INDEX_FILE } from './home-access.ts'
import type { LocalThreadStore } from './local-thread-store.ts'

const ID = threadIdOf(1)
const CREATED_AT_MS = Date.parse(AT)

function failsWith(code: ThreadStoreFailure['code'], words = /./) {
  return (error: unknown) =>
    error instanceof ThreadStoreError && error.failure.code === code && words.test(error.message)
}

function aThread(threadId: ThreadId = ID, extra: Partial<CreateThread> = {}): CreateThread {
  const makeHeader = async () => header(threadId).payload as SessionMeta
  return { threadId, createdAtMs: CREATED_AT_MS, header: makeHeader, ...extra }
}

async function logOf(store: LocalThreadStore, threadId = ID): Promise<readonly RolloutItem[]> {
  const { items, damage } = await store.loadHistory(threadId)
  assert.deepEqual(damage, [])
  return items
}

async function filesIn(home: CodexHome): Promise<string[]> {
  const entries = await readdir(home.path, { recursive: true, withFileTypes: true })
  const names = entries.filter((entry) => entry.isFile()).map((entry) => entry.name)
  return names.filter((name) => !name.endsWith('.lock'))
}

describe('a new thread', () => {
  it('is in the home once something was appended, and reads back as it was written', async () => {
    await using home = await CodexHome.create()
    await using store = home.store()
    await store.createThread(aThread())
    await store.appendItems(ID, turn(1))
    await store.appendItems(ID, turn(2))
    const log = [header(ID), ...turn(1), ...turn(2)]
    assert.deepEqual(await logOf(store), log)
    await store.closeThread(ID)
    assert.deepEqual(await logOf(store), log)
    assert.equal((await store.readThread(ID)).preview, 'u1')
    assert.deepEqual(idsOf(await listAll(store)), [ID])
  })

  it('leaves no byte when nothing was appended', async () => {
    await using home = await CodexHome.create()
    await using store = home.store()
    for (const end of ['closeThread', 'discardThread'] as const) {
      await store.createThread(aThread())
      await store.flushThread(ID)
      await store[end](ID)
    }
    assert.deepEqual(await readdir(home.path), [])
    await assert.rejects(store.loadHistory(ID), failsWith('thread_not_found'))
  })

  it('is asked for its header once, at the first append', async () => {
    await using home = await CodexHome.create()
    await using store = home.store()
    let count = 0
    const makeHeader = async () => {
      count += 1
      return header(ID).payload as SessionMeta
    }
    await store.createThread(aThread(ID, { header: makeHeader }))
    assert.equal(count, 0)
    await store.appendItems(ID, says('a'))
    await store.appendItems(ID, says('b'))
    assert.equal(count, 1)
  })

  it('is for its owner only', async () => {
    await using home = await CodexHome.create()
    await using store = home.store()
    await store.createThread(aThread())
    await store.appendItems(ID, says('a'))
    const { rolloutPath } = await store.readThread(ID)
    assert.equal((await stat(rolloutPath ?? '')).mode & 0o777, 0o600)
    await store.listThreads(ALL)
    assert.equal((await stat(home.folder.at(INDEX_FILE))).mode & 0o777, 0o600)
    assert.equal((await stat(home.folder.at('sessions'))).mode & 0o777, 0o700)
  })
})

describe('a resumed thread', () => {
  it('goes on where it ended, without being touched before', async () => {
    await using home = await CodexHome.create()
    const path = await home.place({ n: 1, items: turn(1) })
    const before = await stat(path)
    await using store = home.store()
    await store.resumeThread(ID)
    await store.flushThread(ID)
    assert.equal((await stat(path)).mtimeMs, before.mtimeMs)
    await store.appendItems(ID, turn(2))
    assert.deepEqual(await logOf(store), [header(ID), ...turn(1), ...turn(2)])
  })

  it('stays in the archive when it was there', async () => {
    await using home = await CodexHome.create()
    const path = await home.place({ n: 1, isArchived: true, items: turn(1) })
    await using store = home.store()
    await store.resumeThread(ID)
    await store.appendItems(ID, turn(2))
    const { rolloutPath, isArchived } = await store.readThread(ID)
    assert.deepEqual([rolloutPath, isArchived], [path, true])
  })

  it('has its torn last line told, ended, and its new lines whole', async () => {
    await using home = await CodexHome.create()
    const path = await home.place({ n: 1, text: `${textOf([header(ID), ...turn(1)])}{"torn` })
    await using store = home.store()
    const notices: string[] = []
    await store.resumeThread(ID, { onNotice: (message) => notices.push(message) })
    assert.deepEqual(notices, [`the last line of ${path} was cut off; the thread goes on after it`])
    const place = `${path}:${1 + turn(1).length + 1}`
    const cut = [{ place, reason: 'is cut off at the end of the file' }]
    assert.deepEqual((await store.loadHistory(ID)).damage, cut)
    await store.appendItems(ID, turn(2))
    const history = await store.loadHistory(ID)
    assert.deepEqual(history.items, [header(ID), ...turn(1), ...turn(2)])
    assert.deepEqual(history.damage, [{ place, reason: 'is not JSON' }])
  })

  it('tells when another program wrote to it', async () => {
    await using home = await CodexHome.create()
    const path = await home.place({ n: 1, items: turn(1) })
    await using store = home.store()
    const notices: string[] = []
    await store.resumeThread(ID, { onNotice: (message) => notices.push(message) })
    await appendFile(path, textOf(says('theirs')))
    await store.appendItems(ID, says('ours'))
    assert.deepEqual(notices, [`${path} was changed by another program while this thread was open`])
    const log = [header(ID), ...turn(1), ...says('theirs'), ...says('ours')]
    assert.deepEqual(await logOf(store), log)
  })

  it('is read over a byte order mark, carriage returns and a damaged first line', async () => {
    await using home = await CodexHome.create()
    const text = textOf([header(ID), ...turn(1)]).replaceAll('\n', '\r\n')
    await home.place({ n: 1, text: `\uFEFFrubbish\r\n${text}` })
    await using store = home.store()
    await store.resumeThread(ID)
    await store.appendItems(ID, turn(2))
    assert.deepEqual((await store.loadHistory(ID)).items, [header(ID), ...turn(1), ...turn(2)])
  })
})

describe('one writer a thread', () => {
  const conflict = failsWith('conflict', /already has a live writer/)

  it('refuses a second one while the first is live, and takes one after it', async () => {
    await using home = await CodexHome.create()
    await using store = home.store()
    await store.createThread(aThread())
    await assert.rejects(store.createThread(aThread()), conflict)
    await store.appendItems(ID, says('a'))
    await assert.rejects(store.resumeThread(ID), conflict)
    await store.closeThread(ID)
    await store.resumeThread(ID)
    await assert.rejects(store.resumeThread(ID), conflict)
    await store.discardThread(ID)
    await store.resumeThread(ID)
    await store.appendItems(ID, says('b'))
    assert.deepEqual(await logOf(store), [header(ID), ...says('a'), ...says('b')])
  })

  it('lets one of several at the same time have it, and leaves no file open', async () => {
    await using home = await CodexHome.create()
    await home.place({ n: 1 })
    const files = new FaultyFileSystem()
    {
      await using store = home.store(files)
      const tries = await Promise.allSettled([1, 2, 3].map(() => store.resumeThread(ID)))
      const [refused] = tries.filter((each) => each.status === 'rejected')
      assert.equal(tries.filter((each) => each.status === 'fulfilled').length, 1)
      assert.ok(conflict(refused?.reason))
      assert.equal(files.openCount, 1)
    }
    assert.equal(files.openCount, 0)
  })

  it('is given back by a discard only once nothing more is written', async () => {
    await using home = await CodexHome.create()
    await using store = home.store()
    await store.createThread(aThread())
    const appending = store.appendItems(ID, says('a'))
    const discarding = store.discardThread(ID)
    await assert.rejects(store.createThread(aThread()), conflict)
    await Promise.all([appending, discarding])
    await store.resumeThread(ID)
    assert.deepEqual(await logOf(store), [header(ID), ...says('a')])
  })

  it('is discarded as often as one likes, and by the end of the store', async () => {
    await using home = await CodexHome.create()
    const files = new FaultyFileSystem()
    const store = home.store(files)
    await store.createThread(aThread())
    await store.appendItems(ID, says('a'))
    await store.createThread(aThread(threadIdOf(2)))
    await store.discardThread(threadIdOf(2))
    await store.discardThread(threadIdOf(2))
    await store[Symbol.asyncDispose]()
    await store[Symbol.asyncDispose]()
    assert.equal(files.openCount, 0)
    await assert.rejects(store.appendItems(ID, says('b')), failsWith('disposed'))
  })
})

describe('failures', () => {
  it('thread_not_found: no writer, no file', async () => {
    await using home = await CodexHome.create()
    await using store = home.store()
    const missing = failsWith('thread_not_found', /no thread with id/)
    await assert.rejects(store.appendItems(ID, says('a')), missing)
    await assert.rejects(store.flushThread(ID), missing)
    await assert.rejects(store.closeThread(ID), missing)
    await assert.rejects(store.resumeThread(ID), missing)
    await assert.rejects(store.loadHistory(ID), missing)
    await assert.rejects(store.readThread(ID), missing)
    await store.discardThread(ID)
  })

  it('a header that is damaged or gone: the name of the file names the thread', async () => {
    const cut = textOf([header(ID)]).slice(20)
    for (const first of ['', '\n', cut, '\0\0\0\n', textOf([header('no id')])]) {
      await using home = await CodexHome.create()
      await home.place({ n: 1, text: first + textOf(turn(1)) })
      await using store = home.store()
      const { threadId, createdAtMs, preview } = await store.readThread(ID)
      assert.deepEqual([threadId, createdAtMs, preview], [ID, Date.UTC(2026, 10, 20, 10), 'u1'])
      assert.deepEqual(idsOf((await store.listThreads(ALL)).threads), [ID])
      await store.resumeThread(ID)
      await store.appendItems(ID, turn(2))
      await store.closeThread(ID)
      const { turns } = await store.listTurns({ threadId: ID, limit: 9, direction: 'asc' })
      assert.deepEqual(
        turns.map(({ id }) => id),
        ['t1', 't2'],
      )
      assert.equal((await store.updateThreadMetadata(ID, { name: 'N' })).name, 'N')
    }
  })

  it('damaged: no header that names a thread, and no line behind it', async () => {
    await using home = await CodexHome.create()
    await using store = home.store()
    for (const text of ['', 'rubbish\n', 'rubbish\n{"torn']) {
      const path = await home.place({ n: 1, text })
      const damaged = (error: ThreadStoreError) =>
        failsWith('damaged')(error) && error.message.endsWith(path)
      await assert.rejects(store.readThread(ID), damaged)
      await assert.rejects(store.resumeThread(ID), damaged)
      await assert.rejects(store.loadHistory(ID), damaged)
    }
  })

  it('invalid_request: the file of one thread holds another', async () => {
    await using home = await CodexHome.create()
    await home.place({ n: 1, text: textOf([header(threadIdOf(2)), ...turn(1)]) })
    await using store = home.store()
    const words = new RegExp(`holds thread ${threadIdOf(2)}, not ${ID}`)
    await assert.rejects(store.resumeThread(ID), failsWith('invalid_request', words))
  })

  it('unsupported: lines are numbered; the thread can still be read', async () => {
    await using home = await CodexHome.create()
    const path = await home.place({ n: 1, meta: { history_mode: 'paginated' }, items: turn(1) })
    const before = await readFile(path)
    await using store = home.store()
    await assert.rejects(store.resumeThread(ID), failsWith('unsupported', /numbered lines/))
    const { items } = await store.loadHistory(ID)
    assert.equal(items.length, 1 + turn(1).length)
    assert.equal((await store.readThread(ID)).historyMode, 'paginated')
    assert.deepEqual(await readFile(path), before)
  })

  it('internal: the disk refuses; the items are written by the next call', async () => {
    await using home = await CodexHome.create()
    const files = new FaultyFileSystem()
    await using store = home.store(files)
    await store.createThread(aThread())
    await store.appendItems(ID, says('a'))
    files.plan = ({ method }) =>
      method === 'file.write' ? { kind: 'fail', code: 'ENOSPC' } : undefined
    await assert.rejects(store.appendItems(ID, says('b')), failsWith('internal', /ENOSPC/))
    await assert.rejects(store.closeThread(ID), failsWith('internal', /ENOSPC/))
    await assert.rejects(store.createThread(aThread()), failsWith('conflict'))
    files.plan = () => undefined
    await store.closeThread(ID)
    assert.deepEqual(await logOf(store), [header(ID), ...says('a'), ...says('b')])
  })

  it('internal: the file was deleted under the writer', async () => {
    await using home = await CodexHome.create()
    const path = await home.place({ n: 1 })
    await using store = home.store()
    await store.resumeThread(ID)
    await rm(path)
    await assert.rejects(store.appendItems(ID, says('a')), failsWith('internal', /was deleted/))
    assert.deepEqual(await filesIn(home), [])
  })

  it('of any call are only those of the store', async () => {
    await using home = await CodexHome.create()
    await home.place({ n: 1 })
    const work = async (files: FaultyFileSystem) => {
      await using store = home.store(files)
      await store.readThread(ID)
      await store.resumeThread(ID)
      await store.loadHistory(ID)
      await store.appendItems(ID, [item(userText('x'))])
      await store.flushThread(ID)
      await store.closeThread(ID)
    }
    const plain = new FaultyFileSystem()
    await work(plain)
    const fault: Fault = { kind: 'fail', code: 'EIO' }
    for (const { index } of plain.calls) {
      const files = new FaultyFileSystem((call) => (call.index === index ? fault : undefined))
      const error: unknown = await work(files).catch((reason) => reason)
      assert.ok(error === undefined || failsWith('internal', /EIO/)(error), String(error))
      assert.equal(files.openCount, 0)
    }
  })
})

describe('what is no file of ours', () => {
  it('is not followed out of the home: links are passed over', async () => {
    await using home = await CodexHome.create()
    const path = await home.place({ n: 1 })
    await rename(path, home.folder.at('elsewhere'))
    await symlink(home.folder.at('elsewhere'), path)
    await using store = home.store()
    await assert.rejects(store.resumeThread(ID), failsWith('thread_not_found'))
    assert.deepEqual(await listAll(store), [])
  })

  it('is not looked at: names of other forms', async () => {
    await using home = await CodexHome.create()
    const path = await home.place({ n: 1 })
    await writeFile(`${path}.zst`, 'x')
    await writeFile(path.replace('rollout-', 'copy-'), 'x')
    await using store = home.store()
    const page = await store.listThreads(ALL)
    assert.deepEqual([idsOf(page.threads), page.unreadable], [[ID], []])
  })
})
