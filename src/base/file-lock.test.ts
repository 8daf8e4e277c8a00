import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { mkdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { delimiter } from 'node:path'
import { describe, it } from 'node:test'
import { TempFolder } from '../../test/support/temp-folder.ts'
import { FileLock } from './file-lock.ts'
import { lockByHelper } from './flock-helper.ts'
import { LockFileError, LockUnavailable } from './lock-errors.ts'
import { findLockHolder, holdsLock, readLockText } from './lock-holder.ts'

/** While it lives, programs are found in these folders only. */
class SearchPath implements Disposable {
  readonly #before = process.env.PATH

  constructor(...folders: readonly string[]) {
    process.env.PATH = folders.join(delimiter)
  }

  [Symbol.dispose](): void {
    process.env.PATH = this.#before
  }
}

async function taken(path: string, waitMs = 0): Promise<FileLock> {
  const lock = await FileLock.take(path, { waitMs })
  assert.ok(lock, 'the lock is free')
  return lock
}

describe('a file lock', () => {
  it('is one at a time, in one process too, and free again when it is disposed', async () => {
    await using folder = await TempFolder.create()
    const path = folder.at('deep', 'er', 'x.lock')
    const first = await taken(path)
    assert.equal(await FileLock.take(path), undefined)
    await first[Symbol.asyncDispose]()
    await first[Symbol.asyncDispose]()
    await using _ = await taken(path)
    assert.equal((await stat(path)).mode & 0o777, 0o600)
    assert.equal((await stat(folder.at('deep'))).mode & 0o777, 0o700)
  })

  it('is waited for, up to a limit', async () => {
    await using folder = await TempFolder.create()
    const path = folder.at('x.lock')
    const first = await taken(path)
    assert.equal(await FileLock.take(path, { waitMs: 20 }), undefined)
    const waiting = taken(path, 20_000)
    await first[Symbol.asyncDispose]()
    await using _ = await waiting
    assert.equal(await FileLock.take(path), undefined)
  })

  it('is seen by other programs, which are seen by us', async () => {
    await using folder = await TempFolder.create()
    const path = folder.at('x.lock')
    const lock = await taken(path)
    assert.equal(spawnSync('flock', ['-n', path, 'true']).status, 1)
    await lock[Symbol.asyncDispose]()
    const other = spawn('flock', [path, 'sh', '-c', 'echo; cat'], { stdio: 'pipe' })
    await once(other.stdout, 'data')
    assert.equal(await FileLock.take(path), undefined)
    assert.equal(findLockHolder(path), other.pid)
    other.stdin.end()
    await once(other, 'close')
    await using _ = await taken(path)
  })

  it('is on the file that has the name, not on one that was removed or replaced', async () => {
    for (const replace of [rm, (path: string) => rename(path, `${path}.old`)]) {
      await using folder = await TempFolder.create()
      const path = folder.at('x.lock')
      const first = await taken(path)
      const waiting = taken(path, 20_000)
      await replace(path)
      await first[Symbol.asyncDispose]()
      await using _ = await waiting
      assert.equal(await FileLock.take(path), undefined)
    }
  })

  it('goes with its file, unless that is another one by now', async () => {
    await using folder = await TempFolder.create()
    const path = folder.at('x.lock')
    const first = await taken(path)
    await rm(path)
    await using second = await taken(path)
    first.remove()
    assert.equal((await stat(path)).nlink, 1)
    second.remove()
    await assert.rejects(stat(path), { code: 'ENOENT' })
    await first[Symbol.asyncDispose]()
  })

  it('has a text, replaced whole, for those who are refused', async () => {
    await using folder = await TempFolder.create()
    const path = folder.at('x.lock')
    assert.equal(readLockText(path), '')
    await using lock = await taken(path)
    lock.write('a long text of the first\n')
    lock.write('short\n')
    assert.equal(await readFile(path, 'utf8'), 'short\n')
    assert.equal(readLockText(path), 'short\n')
  })

  it('tells which process has it', async () => {
    await using folder = await TempFolder.create()
    const path = folder.at('x.lock')
    assert.equal(holdsLock(path, process.pid), false)
    const lock = await taken(path)
    assert.equal(holdsLock(path, process.pid), true)
    assert.equal(holdsLock(path, process.ppid), false)
    await lock[Symbol.asyncDispose]()
    assert.equal(holdsLock(path, process.pid), false)
    assert.equal(findLockHolder(path), undefined)
  })
})

/** What is done where `flock(2)` cannot be called. */
describe('the helper', () => {
  async function open(folder: TempFolder): Promise<{ path: string; fd: number }> {
    const path = folder.at('x.lock')
    await writeFile(path, '')
    return { path, fd: openSync(path, 'r+') }
  }

  it('takes the lock for us, at once or within a limit', async () => {
    await using folder = await TempFolder.create()
    const { path, fd } = await open(folder)
    const lock = await taken(path)
    assert.equal(await lockByHelper(path, fd, 0), false)
    assert.equal(await lockByHelper(path, fd, 20), false)
    const waiting = lockByHelper(path, fd, 20_000)
    await lock[Symbol.asyncDispose]()
    assert.equal(await waiting, true)
    assert.equal(await FileLock.take(path), undefined)
    closeSync(fd)
    await using _ = await taken(path)
  })

  it('may be missing, or unable', async () => {
    await using folder = await TempFolder.create()
    const { path, fd } = await open(folder)
    using _ = new SearchPath(folder.at('bin'))
    const missing = new LockUnavailable(`cannot lock ${path}: flock is not there`)
    await assert.rejects(lockByHelper(path, fd, 0), missing)
    await mkdir(folder.at('bin'))
    await writeFile(folder.at('bin', 'flock'), '#!/bin/sh\nexit 127\n', { mode: 0o700 })
    const unable = new LockUnavailable(`cannot lock ${path}: flock ended with 127`)
    await assert.rejects(lockByHelper(path, fd, 20_000), unable)
    closeSync(fd)
  })

  it('that was stopped gives no lock, and no leave to go without', async () => {
    await using folder = await TempFolder.create()
    const { path, fd } = await open(folder)
    await mkdir(folder.at('bin'))
    await writeFile(folder.at('bin', 'flock'), '#!/bin/sh\nkill -9 $$\n', { mode: 0o700 })
    using _ = new SearchPath(folder.at('bin'))
    const reason = /x\.lock: flock did not run: it was ended by SIGKILL$/
    await assert.rejects(lockByHelper(path, fd, 0), reason)
    closeSync(fd)
  })
})

describe('a path that cannot be a lock file', () => {
  it('is a typed error, and nothing is written through it', async () => {
    await using folder = await TempFolder.create()
    const target = folder.at('target')
    await writeFile(target, 'kept')
    await symlink(target, folder.at('link'))
    await mkdir(folder.at('folder'))
    spawnSync('mkfifo', [folder.at('pipe')])
    const cases: readonly [string, RegExp][] = [
      ['link', /link: it is a symbolic link$/],
      ['folder', /folder: EISDIR/],
      ['pipe', /pipe: it is no regular file$/],
      ['target/x.lock', /x\.lock: (EEXIST|ENOTDIR)/],
    ]
    for (const [name, message] of cases) {
      await assert.rejects(FileLock.take(folder.at(name)), (error) => {
        assert.ok(error instanceof LockFileError)
        assert.equal(error.path, folder.at(name))
        return message.test(error.message)
      })
    }
    assert.equal(await readFile(target, 'utf8'), 'kept')
  })
})
