import assert from 'node:assert/strict'
import { appendFile, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { ALL, CodexHome } from '../../../test/support/codex-home.ts'
import { type Fault, FaultyFileSystem } from '../../../test/support/faulty-file-system.ts'
import {
  AT,
  header,
  named,
  says,
  textOf,
  threadIdOf,
  turn,
} from '../../../test/support/thread-log.ts'
import type { SessionMeta, ThreadId } from '../../protocol/index.ts'
import { ThreadStoreError, type ThreadStoreFailure } from '../errors.ts'
import type { StoredThread, ThreadStore } from '../store.ts'

const ID = threadIdOf(1)
const NAMES = 'session_index.jsonl'
const PATCH = { name: 'N', memoryMode: 'disabled', git: { branch: 'b' } } as const

function failsWith(code: ThreadStoreFailure['code'], words = /./) {
  return (error: unknown) =>
    error instanceof ThreadStoreError && error.failure.code === code && words.test(error.message)
}

/** Every file of the home with its bytes, the index of lists aside. */
async function bytesOf(home: CodexHome): Promise<{ [path: string]: string }> {
  const entries = await readdir(home.path, { recursive: true, withFileTypes: true })
  const paths = entries.filter((entry) => entry.isFile()).map((e) => join(e.parentPath, e.name))
  const bytes: { [path: string]: string } = {}
  for (const path of paths.sort()) {
    if (!/\.sqlite|\.lock$/.test(path)) bytes[path] = await readFile(path, 'latin1')
  }
  return bytes
}

function nameEntry(threadId: ThreadId, thread_name: string): string {
  return `${JSON.stringify({ id: threadId, thread_name, updated_at: AT })}\n`
}

function createLive(store: ThreadStore, threadId = ID): Promise<void> {
  const makeHeader = async () => header(threadId).payload as SessionMeta
  return store.createThread({ threadId, createdAtMs: Date.parse(AT), header: makeHeader })
}

function facts({ name, memoryMode, git }: StoredThread) {
  return { name, memoryMode, git }
}

describe('the lines of a metadata update', () => {
  const meta = { git: { commit_hash: 'c', branch: 'main' }, base_instructions: { text: 'be kind' } }
  const { git: _git, ...rest } = header(ID, meta).payload as SessionMeta

  it('are copies of the first header, and an event for the name, in one write', async () => {
    await using home = await CodexHome.create()
    const path = await home.place({ n: 1, meta, items: turn(1) })
    const before = await readFile(path, 'utf8')
    const files = new FaultyFileSystem()
    await using store = home.store(files)
    await store.updateThreadMetadata(ID, { memoryMode: 'disabled', git: { branch: 'b' } })
    assert.equal(files.countOf('file.write'), 1)
    const lines = textOf([
      { type: 'session_meta', payload: { ...rest, memory_mode: 'disabled' } },
      {
        type: 'session_meta',
        payload: { ...rest, memory_mode: 'disabled', git: { commit_hash: 'c', branch: 'b' } },
      },
    ])
    assert.equal(await readFile(path, 'utf8'), before + lines)
    await store.updateThreadMetadata(ID, { name: ' N ' })
    assert.equal(await readFile(path, 'utf8'), before + lines + textOf([named(ID, 'N')]))
    assert.equal(await readFile(home.folder.at(NAMES), 'utf8'), nameEntry(ID, 'N'))
  })

  it('say what is cleared: git by an empty object, a name by null and an empty entry', async () => {
    await using home = await CodexHome.create()
    const path = await home.place({ n: 1, meta, items: turn(1) })
    const before = await readFile(path, 'utf8')
    await using store = home.store()
    const patch = { name: null, git: { sha: null, branch: null, originUrl: null } }
    assert.equal((await store.updateThreadMetadata(ID, patch)).git, null)
    const cleared = { ...rest, memory_mode: 'enabled', git: {} }
    const lines = textOf([{ type: 'session_meta', payload: cleared }, named(ID, null)])
    assert.equal(await readFile(path, 'utf8'), before + lines)
    assert.equal(await readFile(home.folder.at(NAMES), 'utf8'), nameEntry(ID, ''))
    assert.equal((await store.listThreads(ALL)).threads[0]?.git, null)
  })

  it('are none for a patch without fields', async () => {
    await using home = await CodexHome.create()
    await home.place({ n: 1 })
    const before = await bytesOf(home)
    await using store = home.store()
    assert.deepEqual(await store.updateThreadMetadata(ID, {}), await store.readThread(ID))
    assert.deepEqual(await bytesOf(home), before)
  })

  it('are not glued to a torn last line', async () => {
    await using home = await CodexHome.create()
    const text = `${textOf([header(ID), ...turn(1)])}{"torn`
    const path = await home.place({ n: 1, text })
    await using store = home.store()
    await store.updateThreadMetadata(ID, { name: 'N' })
    assert.equal(await readFile(path, 'utf8'), `${text}\n${textOf([named(ID, 'N')])}`)
  })

  it('build on what the newest lines say, those that others wrote too', async () => {
    await using home = await CodexHome.create()
    const path = await home.place({ n: 1, meta, items: turn(1) })
    const theirs = [
      header(ID, { memory_mode: 'polluted' }),
      header(ID, { git: { repository_url: 'r' } }),
      header(threadIdOf(2), { git: { branch: 'of another' }, memory_mode: 'enabled' }),
      header(ID, { memory_mode: 'of tomorrow' }),
    ]
    await appendFile(path, textOf(theirs))
    await using store = home.store()
    const changed = await store.updateThreadMetadata(ID, { git: { branch: 'b' } })
    const git = { branch: 'b', repository_url: 'r' }
    assert.deepEqual(facts(changed), { name: null, memoryMode: 'polluted', git })
  })
})

describe('the name of a thread', () => {
  const nameOf = async (home: CodexHome) => {
    await using store = home.store()
    const [listed] = (await store.listThreads(ALL)).threads
    const { name } = await store.readThread(ID)
    assert.equal(listed?.name, name)
    return name
  }

  it('is the newest of the shared index; an empty one there says that it was cleared', async () => {
    await using home = await CodexHome.create()
    await home.place({ n: 1, items: [...says('u1'), named(ID, 'in the log')] })
    assert.equal(await nameOf(home), 'in the log')
    const names = home.folder.at(NAMES)
    await writeFile(names, nameEntry(ID, 'old') + nameEntry(ID, 'theirs'))
    assert.equal(await nameOf(home), 'theirs')
    await appendFile(names, nameEntry(ID, ' '))
    assert.equal(await nameOf(home), null)
    await appendFile(names, nameEntry(threadIdOf(2), 'of another'))
    assert.equal(await nameOf(home), null)
  })

  it('is kept by the log when the shared index was deleted', async () => {
    await using home = await CodexHome.create()
    await home.place({ n: 1 })
    await using store = home.store()
    for (const name of ['One', 'Two', null]) {
      await store.updateThreadMetadata(ID, { name })
      await rm(home.folder.at(NAMES))
      assert.equal(await nameOf(home), name)
    }
  })

  it('is the one of the shared index alone where lines are numbered', async () => {
    await using home = await CodexHome.create()
    const path = await home.place({ n: 1, meta: { history_mode: 'paginated' } })
    const before = await readFile(path)
    await using store = home.store()
    assert.equal((await store.updateThreadMetadata(ID, { name: 'N' })).name, 'N')
    assert.deepEqual(await readFile(path), before)
    assert.equal(await nameOf(home), 'N')
    assert.equal((await store.updateThreadMetadata(ID, { name: null })).name, null)
    assert.deepEqual(await readFile(path), before)
  })
})

describe('a metadata update that is refused', () => {
  const refusals: readonly {
    readonly why: string
    readonly place: Parameters<CodexHome['place']>[0]
    readonly patch: Parameters<ThreadStore['updateThreadMetadata']>[1]
    readonly failure: (error: unknown) => boolean
  }[] = [
    {
      why: 'the file holds another thread',
      place: { n: 1, text: textOf([header(threadIdOf(2)), ...says('u1')]) },
      patch: PATCH,
      failure: failsWith(
        'conflict',
        new RegExp(`id mismatch: expected ${ID}, found ${threadIdOf(2)}`),
      ),
    },
    {
      why: 'the file holds no thread',
      place: { n: 1, text: 'rubbish\n' },
      patch: PATCH,
      failure: failsWith('damaged'),
    },
    {
      why: 'its lines are numbered: git',
      place: { n: 1, meta: { history_mode: 'paginated' } },
      patch: { name: 'N', git: { branch: 'b' } },
      failure: failsWith('unsupported', /only its name/),
    },
    {
      why: 'its lines are numbered: memory mode',
      place: { n: 1, meta: { history_mode: 'paginated' } },
      patch: { name: 'N', memoryMode: 'disabled' },
      failure: failsWith('unsupported', /only its name/),
    },
    {
      why: 'the name is blank',
      place: { n: 1 },
      patch: { ...PATCH, name: ' \t' },
      failure: failsWith('invalid_request', /must not be empty/),
    },
    {
      why: 'there is no such thread',
      place: { n: 2 },
      patch: PATCH,
      failure: failsWith('thread_not_found'),
    },
  ]
  for (const { why, place, patch, failure } of refusals) {
    it(`touches nothing: ${why}`, async () => {
      await using home = await CodexHome.create()
      await home.place(place)
      await writeFile(home.folder.at(NAMES), nameEntry(ID, 'before'))
      const before = await bytesOf(home)
      await using store = home.store()
      await assert.rejects(store.updateThreadMetadata(ID, patch), failure)
      assert.deepEqual(await bytesOf(home), before)
    })
  }

  it('touches nothing: a blank name for a live thread that has no file', async () => {
    await using home = await CodexHome.create()
    await using store = home.store()
    await createLive(store)
    const update = store.updateThreadMetadata(ID, { name: ' ' })
    await assert.rejects(update, failsWith('invalid_request'))
    assert.deepEqual(await readdir(home.path), [])
  })
})

describe('a metadata update of a live thread', () => {
  it('makes the file of one that has none yet', async () => {
    await using home = await CodexHome.create()
    await using store = home.store()
    await createLive(store)
    assert.deepEqual(facts(await store.updateThreadMetadata(ID, PATCH)), {
      name: 'N',
      memoryMode: 'disabled',
      git: { branch: 'b' },
    })
    await store.appendItems(ID, says('u1'))
    const { items } = await store.loadHistory(ID)
    assert.deepEqual(items[0], header(ID))
    assert.deepEqual(items.slice(4), says('u1'))
    assert.equal((await store.listThreads(ALL)).threads[0]?.name, 'N')
  })

  it('does not make it for a patch without fields', async () => {
    await using home = await CodexHome.create()
    await using store = home.store()
    await createLive(store)
    await assert.rejects(store.updateThreadMetadata(ID, {}), failsWith('thread_not_found'))
    assert.deepEqual(await readdir(home.path), [])
  })

  it('goes through its writer, in order with what is appended', async () => {
    await using home = await CodexHome.create()
    const path = await home.place({ n: 1, items: turn(1) })
    const before = await readFile(path, 'utf8')
    const notices: string[] = []
    await using store = home.store()
    await store.resumeThread(ID, { onNotice: (notice) => notices.push(notice) })
    await store.appendItems(ID, says('a'))
    await store.updateThreadMetadata(ID, { name: 'One' })
    await store.appendItems(ID, says('b'))
    await store.updateThreadMetadata(ID, { name: null })
    await store.closeThread(ID)
    const lines = [...says('a'), named(ID, 'One'), ...says('b'), named(ID, null)]
    assert.equal(await readFile(path, 'utf8'), before + textOf(lines))
    assert.deepEqual(notices, [])
  })

  it('tears nothing apart that is appended at the same time', async () => {
    await using home = await CodexHome.create()
    await home.place({ n: 1 })
    await using store = home.store()
    await store.resumeThread(ID)
    const texts = Array.from({ length: 20 }, (_, n) => `m${n}`)
    const updates = ['A', 'B', 'C'].map((name) =>
      store.updateThreadMetadata(ID, { name, git: { branch: name } }),
    )
    const appends = texts.map((text) => store.appendItems(ID, says(text)))
    await Promise.all([...updates, ...appends])
    await store.closeThread(ID)
    const { items, damage } = await store.loadHistory(ID)
    const kinds = items.slice(3).map((item) => item.type)
    const at = kinds.indexOf('session_meta')
    assert.equal(items[3 + at + 1]?.type, 'event_msg')
    const own = items.slice(3).filter((each) => {
      if (each.type === 'session_meta') return false
      return each.type !== 'event_msg' || each.payload.type !== 'thread_name_updated'
    })
    assert.deepEqual([own, damage], [texts.flatMap(says), []])
    assert.deepEqual((await store.readThread(ID)).name, 'C')
  })

  it('writes what a failed append left behind first', async () => {
    await using home = await CodexHome.create()
    const files = new FaultyFileSystem()
    await using store = home.store(files)
    await createLive(store)
    files.plan = ({ method }) =>
      method === 'file.write' ? { kind: 'fail', code: 'ENOSPC' } : undefined
    await assert.rejects(store.appendItems(ID, says('a')), failsWith('internal', /ENOSPC/))
    await assert.rejects(store.updateThreadMetadata(ID, PATCH), failsWith('internal', /ENOSPC/))
    files.plan = () => undefined
    await store.updateThreadMetadata(ID, { name: 'N' })
    const { items } = await store.loadHistory(ID)
    assert.deepEqual(items, [header(ID), ...says('a'), named(ID, 'N')])
  })
})

describe('a metadata update that fails', () => {
  const FAULTS: readonly Fault[] = [
    { kind: 'fail', code: 'EIO' },
    { kind: 'late', code: 'EIO' },
    { kind: 'cut', bytes: 300, code: 'ENOSPC' },
  ]

  /** A home in which thread 1 has a name, and a store on it; live or not. */
  async function prepared(isLive: boolean) {
    const home = await CodexHome.create()
    await home.place({ n: 1, items: [...says('u1'), named(ID, 'before')] })
    await writeFile(home.folder.at(NAMES), nameEntry(ID, 'before'))
    const files = new FaultyFileSystem()
    const store = home.store(files)
    if (isLive) await store.resumeThread(ID)
    return { home, files, store, from: files.calls.length }
  }

  for (const isLive of [false, true]) {
    const state = isLive ? 'live' : 'cold'
    it(`leaves nothing, whichever call fails, of a ${state} thread`, async () => {
      const plain = await prepared(isLive)
      await plain.store.updateThreadMetadata(ID, PATCH)
      const calls = plain.files.calls.slice(plain.from)
      const lastWork = calls.findLastIndex(({ method }) => method === 'file.sync')
      await plain.store[Symbol.asyncDispose]()
      await plain.home[Symbol.asyncDispose]()
      for (const at of calls.keys()) {
        for (const fault of FAULTS) {
          const { home, files, store, from } = await prepared(isLive)
          const before = await bytesOf(home)
          files.plan = (call) => (call.index === from + at ? fault : undefined)
          const error = await store.updateThreadMetadata(ID, PATCH).catch((reason) => reason)
          files.plan = () => undefined
          const told = `${calls[at]?.method} ${at} ${fault.kind}: ${error}`
          if (error instanceof Error) {
            assert.ok(failsWith('internal')(error), told)
            // Behind the last sync it is only read back: all of it was written by then.
            if (at <= lastWork) assert.deepEqual(await bytesOf(home), before, told)
          }
          assert.deepEqual(facts(await store.updateThreadMetadata(ID, PATCH)), {
            name: 'N',
            memoryMode: 'disabled',
            git: { branch: 'b' },
          })
          await store[Symbol.asyncDispose]()
          assert.equal(files.openCount, 0, told)
          await home[Symbol.asyncDispose]()
        }
      }
    })
  }
})

describe('what changes a thread at the same time', () => {
  it('counts, each of it: patches of several fields of git', async () => {
    await using home = await CodexHome.create()
    await home.place({ n: 1 })
    await using store = home.store()
    const patches = [{ sha: 's' }, { branch: 'b' }, { originUrl: 'o' }]
    await Promise.all(patches.map((git) => store.updateThreadMetadata(ID, { git })))
    const git = { commit_hash: 's', branch: 'b', repository_url: 'o' }
    assert.deepEqual((await store.readThread(ID)).git, git)
  })

  it('is one thing after the other: a writer, a move, a name, an end', async () => {
    await using home = await CodexHome.create()
    await home.place({ n: 1 })
    await using store = home.store()
    const results = await Promise.allSettled([
      store.resumeThread(ID),
      store.archiveThread(ID),
      store.updateThreadMetadata(ID, { name: 'N' }),
      store.deleteThread(ID),
    ])
    const codes = results.map((each) =>
      each.status === 'fulfilled' ? 'ok' : each.reason.failure.code,
    )
    assert.deepEqual(codes, ['ok', 'conflict', 'ok', 'conflict'])
    await store.closeThread(ID)
    const later = await Promise.allSettled([
      store.archiveThread(ID),
      store.resumeThread(ID),
      store.updateThreadMetadata(ID, { name: 'M' }),
      store.closeThread(ID),
    ])
    assert.deepEqual(
      later.map((each) => each.status),
      ['fulfilled', 'fulfilled', 'fulfilled', 'rejected'],
    )
    const { name, isArchived } = await store.readThread(ID)
    assert.deepEqual([name, isArchived], ['M', true])
  })

  it('is finished before the store is gone, or refused', async () => {
    await using home = await CodexHome.create()
    await home.place({ n: 1 })
    const files = new FaultyFileSystem()
    const store = home.store(files)
    await store.resumeThread(ID)
    const update = store.updateThreadMetadata(ID, PATCH).catch((error: unknown) => error)
    await store[Symbol.asyncDispose]()
    assert.equal(files.openCount, 0)
    const result = await update
    assert.ok(failsWith('disposed')(result) || (result as StoredThread).name === 'N')
    await assert.rejects(store.updateThreadMetadata(ID, PATCH), failsWith('disposed'))
  })
})
