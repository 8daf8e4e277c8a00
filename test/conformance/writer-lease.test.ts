/**
 * Rule: Bobbin and real Codex 0.169.0 keep each other from writing to one thread, by the same lock
 * files, and lose no name of the other from the index that both rewrite.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'

import { nodeFileSystem } from '../../src/base/index.ts'
import {
  appendThreadName,
  readThreadNames,
  removeThreadNames,
  rolloutPath,
} from '../../src/rollout/index.ts'
import {
  LeaseHeld,
  type LeaseHolder,
  WRITER_LOCKS_FOLDER,
  WriterLease,
} from '../../src/thread-store/local/writer-lease.ts'
import { ScriptedResponsesServer } from '../support/responses-server.ts'
import { AT, header, textOf, threadIdOf, turn } from '../support/thread-log.ts'
import { CodexAppServer, RpcError } from './codex-app-server.ts'
import { codex169 } from './programs.ts'
import { PROVIDER, Scratch } from './scratch.ts'
import { concludes } from './scripts.ts'

const LIMIT = { timeout: 60_000 }
const ID = threadIdOf(1)
const ME = { client: 'bobbin exec', nowMs: Date.parse(AT) }
const HOLDER = join(import.meta.dirname, '..', 'fault', 'lease-holder.ts')

/** A home with some threads that nobody has open. */
async function openHome(own: AsyncDisposableStack, count = 1): Promise<Scratch> {
  const server = own.use(await ScriptedResponsesServer.start([concludes('one'), concludes('two')]))
  const scratch = own.use(await Scratch.create())
  await scratch.useModelServer(server.baseUrl)
  for (let n = 1; n <= count; n += 1) {
    const path = rolloutPath(scratch.home, threadIdOf(n), Date.parse(AT))
    const facts = { cwd: scratch.project, model_provider: PROVIDER }
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, textOf([header(threadIdOf(n), facts), ...turn(1)]))
  }
  return scratch
}

async function refusal(scratch: Scratch): Promise<LeaseHolder> {
  try {
    await using _ = await WriterLease.take(scratch.home, ID, ME)
  } catch (error) {
    if (error instanceof LeaseHeld) return error.holder
    throw error
  }
  throw new Error('the lease was given')
}

function isRefused(error: unknown): boolean {
  assert.ok(error instanceof RpcError, `${error}`)
  assert.equal(error.code, -32600)
  return error.message.endsWith(`thread ${ID} already has an active writer`)
}

const lockFiles = (scratch: Scratch) => readdir(join(scratch.home, WRITER_LOCKS_FOLDER))
const silent = { client: null, sinceMs: null, activity: null }

describe('a thread that Bobbin writes', () => {
  it('is refused by Codex 0.169.0, and its own when the lease ends', LIMIT, async () => {
    await using own = new AsyncDisposableStack()
    const scratch = await openHome(own)
    const codex = own.use(await CodexAppServer.start(codex169, scratch))
    const lease = await WriterLease.take(scratch.home, ID, ME)
    for (const method of ['thread/resume', 'thread/archive', 'thread/delete']) {
      await assert.rejects(codex.request(method, { threadId: ID }), isRefused)
    }
    lease.noteActivity('turn')
    assert.deepEqual(await refusal(scratch), {
      pid: process.pid,
      client: ME.client,
      sinceMs: ME.nowMs,
      activity: 'turn',
    })
    await lease[Symbol.asyncDispose]()
    await codex.request('thread/resume', { threadId: ID })
    assert.equal((await codex.runTurn(ID, 'go on')).status, 'completed')
  })

  it('is free for Codex 0.169.0 after kill -9, and then no longer called ours', LIMIT, async () => {
    await using own = new AsyncDisposableStack()
    const scratch = await openHome(own, 2)
    const codex = own.use(await CodexAppServer.start(codex169, scratch))
    // Its first lock of a process makes Codex remove what is left over; later ones do not.
    await codex.request('thread/resume', { threadId: threadIdOf(2) })
    const args = [HOLDER, scratch.home, ID, 'killed']
    const holder = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    holder.stdin.write('take\n')
    await once(holder.stdout, 'data')
    assert.equal((await refusal(scratch)).client, 'killed')
    holder.kill('SIGKILL')
    await once(holder, 'close')
    assert.ok((await lockFiles(scratch)).includes(`${ID}.lock`))
    await codex.request('thread/resume', { threadId: ID })
    assert.deepEqual(await refusal(scratch), { ...silent, pid: codex.pid })
  })
})

describe('a thread that Codex 0.169.0 has loaded', () => {
  it('is refused to Bobbin, and its own when Codex has closed', LIMIT, async () => {
    await using own = new AsyncDisposableStack()
    const scratch = await openHome(own)
    const codex = own.use(await CodexAppServer.start(codex169, scratch))
    await codex.request('thread/resume', { threadId: ID })
    assert.deepEqual(await refusal(scratch), { ...silent, pid: codex.pid })
    await codex.runTurn(ID, 'go on')
    assert.deepEqual(await refusal(scratch), { ...silent, pid: codex.pid })
    await codex.close()
    const lease = await WriterLease.take(scratch.home, ID, ME)
    assert.equal(lease.isEnforced, true)
    await lease[Symbol.asyncDispose]()
    assert.deepEqual(await lockFiles(scratch), ['.coordination.lock'])
  })
})

describe('the name index', () => {
  it('loses no name of Codex 0.169.0 while Bobbin rewrites it', LIMIT, async () => {
    await using own = new AsyncDisposableStack()
    const scratch = await openHome(own, 8)
    const codex = own.use(await CodexAppServer.start(codex169, scratch))
    const ids = Array.from({ length: 8 }, (_, n) => threadIdOf(n + 1))
    const gone = threadIdOf(99)
    let isNaming = true
    const rewriting = async () => {
      for (let n = 0; isNaming; n += 1) {
        const entry = { threadId: gone, name: `${n}`, atMs: n }
        await appendThreadName(nodeFileSystem, scratch.home, entry)
        await removeThreadNames(nodeFileSystem, scratch.home, gone)
      }
    }
    const naming = async () => {
      for (const threadId of ids) {
        await codex.request('thread/name/set', { threadId, name: `of ${threadId}` })
      }
      isNaming = false
    }
    await Promise.all([rewriting(), naming()])
    const names = await readThreadNames(nodeFileSystem, scratch.home)
    assert.deepEqual(
      [...names],
      ids.map((id) => [id, `of ${id}`]),
    )
  })
})
