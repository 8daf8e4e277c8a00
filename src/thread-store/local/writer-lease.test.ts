import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, open, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import { TempFolder } from '../../../test/support/temp-folder.ts'
import { threadIdOf } from '../../../test/support/thread-log.ts'
import { lockByHelper } from '../../base/flock-helper.ts'
import { FileLock, LockFileError } from '../../base/index.ts'
import { LeaseHeld, type LeaseHolder, WRITER_LOCKS_FOLDER, WriterLease } from './writer-lease.ts'

const LEASE_MODULE = new URL('./writer-lease.ts', import.meta.url).href
const ID = threadIdOf(1)
const ME = { client: 'bobbin exec', nowMs: Date.parse('2026-11-21T13:40:00.250Z') }
const GUARD = '.coordination.lock'

const lockOf = (home: TempFolder, name = `${ID}.lock`) => home.at(WRITER_LOCKS_FOLDER, name)
const textIn = (home: TempFolder) => readFile(lockOf(home), 'utf8')

async function refusal(home: TempFolder): Promise<LeaseHeld> {
  try {
    await using _ = await WriterLease.take(home.path, ID, ME)
  } catch (error) {
    assert.ok(error instanceof LeaseHeld, `${error}`)
    return error
  }
  throw new assert.AssertionError({ message: 'the lease was given' })
}

const NOBODY: LeaseHolder = { pid: null, client: null, sinceMs: null, activity: null }

describe('a writer lease', () => {
  it('has one holder, of whom the next is told', async () => {
    await using home = await TempFolder.create()
    const lease = await WriterLease.take(home.path, ID, ME)
    assert.equal(lease.isEnforced, true)
    const told = { pid: process.pid, client: 'bobbin exec', sinceMs: ME.nowMs }
    const message =
      `thread ${ID} is open for writing in process ${process.pid} (bobbin exec)` +
      ' since 2026-11-21T13:40:00Z'
    for (const [activity, doing] of [
      ['idle', ''],
      ['turn', ', in a turn'],
      ['idle', ''],
    ] as const) {
      lease.noteActivity(activity)
      const refused = await refusal(home)
      assert.deepEqual(refused.holder, { ...told, activity })
      assert.equal(refused.message, message + doing)
    }
    await lease[Symbol.asyncDispose]()
    await using _ = await WriterLease.take(home.path, ID, ME)
  })

  it('is of one thread, and leaves no file but the guard', async () => {
    await using home = await TempFolder.create()
    {
      await using _ = await WriterLease.take(home.path, ID, ME)
      await using _other = await WriterLease.take(home.path, threadIdOf(2), ME)
      assert.equal((await readdir(home.at(WRITER_LOCKS_FOLDER))).length, 3)
    }
    assert.deepEqual(await readdir(home.at(WRITER_LOCKS_FOLDER)), [GUARD])
  })

  it('goes to one of many who ask at once, and each other is told of the one', async () => {
    await using home = await TempFolder.create()
    const asked = Array.from({ length: 8 }, (_, n) =>
      WriterLease.take(home.path, ID, { client: `client ${n}`, nowMs: ME.nowMs + n }),
    )
    const results = await Promise.allSettled(asked)
    const won = results.findIndex(({ status }) => status === 'fulfilled')
    for (const [n, result] of results.entries()) {
      if (n === won) continue
      assert.ok(result.status === 'rejected' && result.reason instanceof LeaseHeld)
      assert.equal(result.reason.holder.client, `client ${won}`)
    }
    await (await asked[won])?.[Symbol.asyncDispose]()
  })

  it('is given back once: a late note or a second end does nothing', async () => {
    await using home = await TempFolder.create()
    const first = await WriterLease.take(home.path, ID, ME)
    await first[Symbol.asyncDispose]()
    await using _ = await WriterLease.take(home.path, ID, { ...ME, client: 'second' })
    first.noteActivity('turn')
    await first[Symbol.asyncDispose]()
    assert.equal((await refusal(home)).holder.client, 'second')
  })

  it('leaves an empty file when another has the guard for long', async () => {
    await using home = await TempFolder.create()
    const lease = await WriterLease.take(home.path, ID, ME)
    await using _ = await FileLock.take(lockOf(home, GUARD))
    await lease[Symbol.asyncDispose]()
    assert.equal(await textIn(home), '')
    await using _free = await FileLock.take(lockOf(home))
    assert.ok(_free)
  })

  it('waits for the guard', async () => {
    await using home = await TempFolder.create()
    const guard = await FileLock.take(lockOf(home, GUARD))
    const taking = WriterLease.take(home.path, ID, ME)
    await guard?.[Symbol.asyncDispose]()
    await using _ = await taking
  })
})

describe('a holder that says nothing', () => {
  const held = `thread ${ID} is open for writing in`
  const stale = JSON.stringify({ pid: process.pid, client: 'old', since: 0, activity: 'turn' })

  it('is known by its process, and never taken for one before it', async () => {
    await using home = await TempFolder.create()
    await mkdir(home.at(WRITER_LOCKS_FOLDER))
    for (const text of ['', stale, '{"pid":', '[1]', '{"pid":"1"}', `{"pid":${2 ** 40}}`]) {
      await writeFile(lockOf(home), text)
      const other = spawn('flock', [lockOf(home), 'sh', '-c', 'echo; cat'], { stdio: 'pipe' })
      await once(other.stdout, 'data')
      const refused = await refusal(home)
      assert.deepEqual(refused.holder, { ...NOBODY, pid: other.pid })
      const who = `process ${other.pid}, another program (Codex 0.169 or later)`
      assert.equal(refused.message, `${held} ${who}`)
      other.stdin.end()
      await once(other, 'close')
    }
  })

  it('is another program when not even the process can be told', async () => {
    await using home = await TempFolder.create()
    await mkdir(home.at(WRITER_LOCKS_FOLDER))
    await using file = await open(lockOf(home), 'w')
    // The process that took this lock is a helper, gone by now.
    assert.equal(await lockByHelper(lockOf(home), file.fd, 0), true)
    await file.write(JSON.stringify({ pid: 1, client: 'old', activity: 'turn' }))
    const refused = await refusal(home)
    assert.deepEqual(refused.holder, NOBODY)
    assert.equal(refused.message, `${held} another program (Codex 0.169 or later)`)
  })
})

describe('a home where no lease can be had', () => {
  it('is a typed error that names the file', async () => {
    await using home = await TempFolder.create()
    await writeFile(home.at('file'), '')
    const taking = (folder: string) => WriterLease.take(home.at(folder), ID, ME)
    await assert.rejects(taking('file'), LockFileError)
    await mkdir(home.at('odd', WRITER_LOCKS_FOLDER, `${ID}.lock`), { recursive: true })
    await assert.rejects(taking('odd'), LockFileError)
    await mkdir(home.at('linked', WRITER_LOCKS_FOLDER), { recursive: true })
    await symlink(home.at('file'), home.at('linked', WRITER_LOCKS_FOLDER, `${ID}.lock`))
    await assert.rejects(taking('linked'), /cannot use the lock file .* it is a symbolic link/)
    assert.equal(await readFile(home.at('file'), 'utf8'), '')
  })

  it('may be one where nothing can be locked: the lease says that it is not enforced', async () => {
    await using home = await TempFolder.create()
    const script = `
      import Module from 'node:module'
      const load = Module._load
      Module._load = (name, ...more) => {
        if (name === 'koffi') throw new Error('there is none')
        return load(name, ...more)
      }
      const { WriterLease } = await import(${JSON.stringify(LEASE_MODULE)})
      const take = () => WriterLease.take(process.argv[1], '${ID}', ${JSON.stringify(ME)})
      await using lease = await take()
      await using second = await take()
      lease.noteActivity('turn')
      process.stdout.write([lease, second].map((each) => each.isEnforced).join(' '))
    `
    const run = promisify(execFile)
    const args = ['--input-type=module', '-e', script, home.path]
    const { stdout } = await run(process.execPath, args, { env: { PATH: home.at('nothing') } })
    assert.equal(stdout, 'false false')
  })

  it('may be read-only', async () => {
    await using home = await TempFolder.create()
    await chmod(home.path, 0o500)
    // The superuser may write all the same.
    const mayWrite = process.getuid?.() === 0
    const taking = WriterLease.take(home.path, ID, ME)
    if (mayWrite) await (await taking)[Symbol.asyncDispose]()
    else await assert.rejects(taking, LockFileError)
    await chmod(home.path, 0o700)
  })
})
