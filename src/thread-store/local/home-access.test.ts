import assert from 'node:assert/strict'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { CodexHome } from '../../../test/support/codex-home.ts'
import { FaultyFileSystem } from '../../../test/support/faulty-file-system.ts'
import { FixedClock } from '../../../test/support/fixed-clock.ts'
import { threadIdOf } from '../../../test/support/thread-log.ts'
import { ThreadStoreError } from '../index.ts'
import { HomeAccess, INDEX_FILE } from './home-access.ts'

const ID = threadIdOf(1)

function accessTo(home: CodexHome, files = new FaultyFileSystem()): HomeAccess {
  return new HomeAccess(files, home.path, new FixedClock(1))
}

function nameLine(name: string): string {
  return `${JSON.stringify({ id: ID, thread_name: name, updated_at: 'now' })}\n`
}

const failsWith = (code: string) => (error: unknown) =>
  error instanceof ThreadStoreError && error.failure.code === code

describe('the index of a home that is open', () => {
  it('is opened once, also by many at the same time', async () => {
    await using home = await CodexHome.create()
    await using access = accessTo(home)
    const all = await Promise.all([access.index(), access.index(), access.index()])
    assert.ok(all[0]?.isUsable)
    for (const index of [...all, await access.index()]) assert.equal(index, all[0])
  })

  it('is opened as soon as nothing keeps it from that', async () => {
    await using home = await CodexHome.create()
    await mkdir(home.folder.at(INDEX_FILE))
    await using access = accessTo(home)
    assert.equal(await access.index(), undefined)
    await rm(home.folder.at(INDEX_FILE), { recursive: true })
    assert.ok(await access.index())
  })

  it('is opened anew once it was given up', async () => {
    await using home = await CodexHome.create()
    await using access = accessTo(home)
    const first = await access.index()
    first?.[Symbol.dispose]()
    const next = await access.index()
    assert.notEqual(next, first)
    assert.ok(next?.isUsable)
  })
})

describe('the names of a home', () => {
  it('are read when the file has changed, and else not', async () => {
    await using home = await CodexHome.create()
    const path = home.folder.at('session_index.jsonl')
    const files = new FaultyFileSystem()
    await using access = accessTo(home, files)
    const reads = () => files.bytesRead + files.countOf('readText') + files.countOf('openForRead')
    assert.equal((await access.names()).size, 0)
    await writeFile(path, nameLine('one'))
    assert.equal((await access.names()).get(ID), 'one')
    const before = reads()
    assert.equal((await access.names()).get(ID), 'one')
    assert.equal(reads(), before)
    await writeFile(`${path}.new`, nameLine('two'))
    await rename(`${path}.new`, path)
    assert.equal((await access.names()).get(ID), 'two')
    await rm(path)
    assert.equal((await access.names()).size, 0)
  })

  it('are none when they cannot be read, which is told, and then they are', async () => {
    await using home = await CodexHome.create()
    const path = home.folder.at('session_index.jsonl')
    await mkdir(path)
    await using access = accessTo(home)
    const told: string[] = []
    assert.equal((await access.names((each) => void told.push(each))).size, 0)
    assert.deepEqual(told, [path])
    await rm(path, { recursive: true })
    await writeFile(path, nameLine('one'))
    assert.equal((await access.names(assert.fail)).get(ID), 'one')
  })
})

describe('a thread of a home', () => {
  it('is found by its id, and by its path wherever that is', async () => {
    await using home = await CodexHome.create()
    const path = await home.place({ n: 1 })
    await using access = accessTo(home)
    const file = await access.find(ID)
    assert.equal(file.path, path)
    assert.deepEqual(await access.at(path), file)
    assert.deepEqual(await access.at(path.slice(home.path.length + 1)), file)
    const elsewhere = home.folder.at('elsewhere.jsonl')
    await rename(path, elsewhere)
    assert.equal((await access.at(elsewhere)).threadId, ID)
    await assert.rejects(access.find(ID), failsWith('thread_not_found'))
  })

  it('is refused when the path leads to none', async () => {
    await using home = await CodexHome.create()
    await using access = accessTo(home)
    await writeFile(home.folder.at('rubbish'), 'rubbish')
    for (const path of ['none', '.', home.path]) {
      await assert.rejects(access.at(path), failsWith('invalid_request'), path)
    }
    await assert.rejects(access.at('rubbish'), failsWith('damaged'))
  })

  it('cannot be looked for in a home that is no folder', async () => {
    await using home = await CodexHome.create()
    await writeFile(home.folder.at('file'), '')
    const at = (name: string) =>
      new HomeAccess(new FaultyFileSystem(), home.folder.at(name), new FixedClock(1))
    await assert.rejects(at('file').find(ID), failsWith('home_unreadable'))
    await assert.rejects(at('none').find(ID), failsWith('thread_not_found'))
  })
})
