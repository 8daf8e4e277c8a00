/**
 * Rule: real Codex 0.133.0, which takes no locks, may go on with a thread that is loaded in Bobbin:
 * nothing of either is lost or glued, Bobbin says so and goes on from both, and both programs show
 * the same thread. 0.169.0 and Bobbin keep each other out.
 */
import assert from 'node:assert/strict'
import { appendFile, readFile } from 'node:fs/promises'
import { describe, it } from 'node:test'

import { arrayAt, isObject, nodeFileSystem, systemClock } from '../../src/base/index.ts'
import {
  assistantMessage,
  type ResumeThread,
  type SessionSettings,
  type ThreadHandle,
  ThreadManager,
} from '../../src/core/index.ts'
import { messageText } from '../../src/protocol/index.ts'
import { LocalThreadStore, ThreadStoreError } from '../../src/thread-store/index.ts'
import { completed, itemEvents, PlayedModel, type Step, started } from '../support/played-model.ts'
import { ScriptedResponsesServer } from '../support/responses-server.ts'
import { runTurn, Watch } from '../support/session-kit.ts'
import { showBobbinThread } from './bobbin-exec.ts'
import { CodexAppServer, RpcError } from './codex-app-server.ts'
import { codex133, codex133Exec, codex169 } from './programs.ts'
import { MODEL, PROVIDER, Scratch } from './scratch.ts'
import { concludes } from './scripts.ts'
import { shownPrompts, shownTurns } from './shown-thread.ts'

const LIMIT = { timeout: 120_000 }
const TOLD = /changed by another program while this thread was open$/

const answer = (words: string): Step => ({
  items: [assistantMessage(words, { phase: 'final_answer' })],
})

/** A home for both: Codex asks a server, Bobbin is this process and a played model. */
class Pair {
  readonly scratch: Scratch
  readonly model: PlayedModel
  readonly manager: ThreadManager
  readonly #settings: SessionSettings

  constructor(scratch: Scratch, store: LocalThreadStore) {
    this.scratch = scratch
    this.model = new PlayedModel([])
    this.#settings = {
      cwd: scratch.project,
      model: MODEL,
      modelProvider: PROVIDER,
      approvalPolicy: 'never',
      sandboxPolicy: { type: 'danger-full-access' },
    }
    this.manager = new ThreadManager({
      store,
      clock: systemClock,
      modelAccess: () => ({ client: this.model, streamMaxRetries: 0 }),
      origin: { originator: 'codex_exec', source: 'exec' },
      version: '0.133.0',
      environment: scratch.env,
    })
  }

  static async open(own: AsyncDisposableStack): Promise<Pair> {
    const steps = [concludes('Codex: one.'), concludes('Codex: two.')]
    const server = own.use(await ScriptedResponsesServer.start(steps))
    const scratch = own.use(await Scratch.create())
    await scratch.useModelServer(server.baseUrl)
    const options = { home: scratch.home, files: nodeFileSystem, clock: systemClock }
    const store = new LocalThreadStore({ ...options, durability: 'turn', client: 'bobbin test' })
    own.use(store)
    const pair = new Pair(scratch, store)
    own.use(pair.manager)
    return pair
  }

  /** A thread with one turn that stays loaded. */
  async start(): Promise<ThreadHandle> {
    this.model.add(answer('Bobbin: one.'))
    const handle = await this.manager.start({ settings: this.#settings })
    assert.equal((await runTurn(handle, 'to Bobbin, one')).status, 'completed')
    return handle
  }

  resume(threadId: ResumeThread['threadId']): Promise<ThreadHandle> {
    return this.manager.resume({ threadId, defaults: this.#settings, overrides: {} })
  }

  /** One turn of 0.133.0, which knows nothing of us. */
  async goOnInCodex(threadId: string, prompt: string): Promise<void> {
    const run = await codex133Exec(this.scratch, { prompt, resume: threadId })
    assert.equal(run.code, 0, run.stderr)
  }

  /** What people and models said, as the last request to our model has it. */
  said(): string[] {
    const { input = [] } = this.model.requests.at(-1) ?? {}
    const texts = input.flatMap((item) => (item.type === 'message' ? [messageText(item)] : []))
    return texts.filter((text) => /^(to )?(Bobbin|Codex)\b/.test(text))
  }

  async log(): Promise<string> {
    const [file, ...others] = await this.scratch.rollouts()
    assert.deepEqual(others, [])
    return await readFile(file?.path ?? '', 'utf8')
  }

  /** The turns that Bobbin shows, once 0.133.0 has shown the same. */
  async sharedTurns(threadId: string): Promise<readonly string[]> {
    const { turns } = await showBobbinThread(this.scratch, threadId)
    await using codex = await CodexAppServer.start(codex133, this.scratch)
    const { thread } = await codex.request('thread/read', { threadId, includeTurns: true })
    const theirs = isObject(thread) ? (arrayAt(thread, 'turns') ?? []).filter(isObject) : []
    assert.deepEqual(shownTurns(turns), shownTurns(theirs))
    return shownPrompts(turns)
  }
}

function warnings(watch: Watch): string {
  return watch
    .of('warning')
    .map(({ message }) => message)
    .join('\n')
}

const ALL_SAID = [
  'to Bobbin, one',
  'Bobbin: one.',
  'to Codex, one',
  'Codex: one.',
  'to Bobbin, two',
]

describe('a thread that is loaded here while Codex 0.133.0 goes on with it', () => {
  it('goes on from the turn of Codex, and both show the same', LIMIT, async () => {
    await using own = new AsyncDisposableStack()
    const pair = await Pair.open(own)
    const handle = await pair.start()
    using watch = new Watch(handle)
    const ours = await pair.log()
    await pair.goOnInCodex(handle.threadId, 'to Codex, one')
    const both = await pair.log()
    assert.ok(both.startsWith(ours))
    pair.model.add(answer('Bobbin: two.'))
    assert.equal((await runTurn(handle, 'to Bobbin, two')).status, 'completed')
    assert.deepEqual(pair.said(), ALL_SAID)
    assert.match(warnings(watch), TOLD)
    assert.ok((await pair.log()).startsWith(both))
    await handle.close()
    await pair.goOnInCodex(handle.threadId, 'to Codex, two')
    const prompts = ['to Bobbin, one', 'to Codex, one', 'to Bobbin, two', 'to Codex, two']
    assert.deepEqual(await pair.sharedTurns(handle.threadId), prompts)
  })

  it('goes on after a line that Codex left half', LIMIT, async () => {
    await using own = new AsyncDisposableStack()
    const pair = await Pair.open(own)
    const handle = await pair.start()
    using watch = new Watch(handle)
    await pair.goOnInCodex(handle.threadId, 'to Codex, one')
    const [file] = await pair.scratch.rollouts()
    await appendFile(file?.path ?? '', '{"timestamp":"2026-11-20T09:29:15.680Z","type":"event_m')
    const torn = await readFile(file?.path ?? '', 'utf8')
    pair.model.add(answer('Bobbin: two.'))
    await runTurn(handle, 'to Bobbin, two')
    assert.deepEqual(pair.said(), ALL_SAID)
    assert.match(warnings(watch), /the last line of .* was cut off; the thread goes on after it\n/)
    await handle.close()
    assert.ok((await readFile(file?.path ?? '', 'utf8')).startsWith(`${torn}\n{"timestamp"`))
    const prompts = ['to Bobbin, one', 'to Codex, one', 'to Bobbin, two']
    assert.deepEqual(await pair.sharedTurns(handle.threadId), prompts)
  })

  it('has both in its log when a turn runs here meanwhile', LIMIT, async () => {
    await using own = new AsyncDisposableStack()
    const pair = await Pair.open(own)
    const handle = await pair.start()
    using watch = new Watch(handle)
    pair.model.add(async function* () {
      yield started()
      yield* itemEvents(assistantMessage('Bobbin: to begin with.', { phase: 'commentary' }))
      await pair.goOnInCodex(handle.threadId, 'to Codex, one')
      yield* itemEvents(assistantMessage('Bobbin: to end with.', { phase: 'final_answer' }))
      yield completed()
    }, answer('Bobbin: three.'))
    assert.equal((await runTurn(handle, 'to Bobbin, two')).status, 'completed')
    assert.match(warnings(watch), TOLD)
    await runTurn(handle, 'to Bobbin, three')
    assert.deepEqual(pair.said(), [
      'to Bobbin, one',
      'Bobbin: one.',
      'to Bobbin, two',
      'Bobbin: to begin with.',
      'to Codex, one',
      'Codex: one.',
      'Bobbin: to end with.',
      'to Bobbin, three',
    ])
    await handle.close()
    // By the rules of Codex what comes behind the end of its turn is a turn of its own.
    const prompts = ['to Bobbin, one', 'to Bobbin, two', 'to Codex, one', '', 'to Bobbin, three']
    assert.deepEqual(await pair.sharedTurns(handle.threadId), prompts)
  })
})

describe('a thread that Codex 0.169.0 wants, too', () => {
  it('belongs to one of the two, which is named, until it closes it', LIMIT, async () => {
    await using own = new AsyncDisposableStack()
    const pair = await Pair.open(own)
    const handle = await pair.start()
    const { threadId } = handle
    const codex = own.use(await CodexAppServer.start(codex169, pair.scratch))
    await assert.rejects(codex.request('thread/resume', { threadId }), (error) => {
      assert.ok(error instanceof RpcError)
      return error.message.endsWith(`thread ${threadId} already has an active writer`)
    })
    await handle.close()
    await codex.request('thread/resume', { threadId })
    assert.equal((await codex.runTurn(threadId, 'to Codex, one')).status, 'completed')
    await assert.rejects(pair.resume(threadId), (error) => {
      assert.ok(error instanceof ThreadStoreError && error.failure.code === 'conflict')
      assert.equal(error.failure.holder?.pid, codex.pid)
      return true
    })
    await codex.close()
    const again = await pair.resume(threadId)
    pair.model.add(answer('Bobbin: two.'))
    await runTurn(again, 'to Bobbin, two')
    assert.deepEqual(pair.said(), ALL_SAID)
    await again.close()
    const prompts = ['to Bobbin, one', 'to Codex, one', 'to Bobbin, two']
    assert.deepEqual(await pair.sharedTurns(threadId), prompts)
  })
})
