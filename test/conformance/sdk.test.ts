/**
 * Rule: the real `@openai/codex-sdk` drives `bin/bobbin.cjs` through `codexPathOverride`: streamed
 * turns, resumed threads, structured output, abort. The same is asked of real Codex 0.133.0, which
 * shows that a test asks for nothing but what the SDK's users have.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'

import type { JsonObject } from '../../src/base/index.ts'
import { assistantMessage } from '../../src/core/model/script.ts'
import { type Script, ScriptedResponsesServer } from '../support/responses-server.ts'
import { bobbinBin } from './bobbin-exec.ts'
import { assertContinues, historyAfter, historyInput, messageText } from './model-input.ts'
import { codex133, sdkModule } from './programs.ts'
import { Scratch } from './scratch.ts'
import { concludes, richTurn, says } from './scripts.ts'

/** The part of the SDK's types that the tests touch. */
interface SdkThread {
  readonly id: string | null
  run(input: string, options?: SdkTurnOptions): Promise<SdkTurn>
  runStreamed(
    input: string,
    options?: SdkTurnOptions,
  ): Promise<{ events: AsyncGenerator<SdkEvent> }>
}

interface SdkTurnOptions {
  readonly outputSchema?: unknown
  readonly signal?: AbortSignal
}

interface SdkTurn {
  readonly items: readonly { readonly type: string }[]
  readonly finalResponse: string
  readonly usage: { readonly input_tokens: number } | null
}

interface SdkEvent {
  readonly type: string
  readonly item?: { readonly type: string }
}

interface SdkThreadOptions {
  readonly workingDirectory: string
  readonly skipGitRepoCheck: boolean
}

interface SdkClient {
  startThread(options: SdkThreadOptions): SdkThread
  resumeThread(id: string, options: SdkThreadOptions): SdkThread
}

type SdkOptions = { codexPathOverride: string; env: { [name: string]: string } }

const { Codex } = (await import(pathToFileURL(sdkModule).href)) as {
  Codex: new (options: SdkOptions) => SdkClient
}

const programs = [
  { name: 'Bobbin', path: bobbinBin },
  { name: 'Codex 0.133.0', path: codex133 },
]

for (const { name, path } of programs) {
  describe(`the SDK with ${name}`, { timeout: 120_000 }, () => {
    it('streams a turn', async () => {
      await using rig = await Rig.open(path, richTurn)
      const { events } = await rig.start().runStreamed('change a.txt', { signal: rig.signal })
      const seen: string[] = []
      for await (const event of events) seen.push([event.type, event.item?.type].join(' ').trim())
      assert.deepEqual(seen, RICH_EVENTS)
    })

    it('runs a turn, and another on the resumed thread', async () => {
      const answers = [concludes('Hello.'), concludes('Hello again.')]
      await using rig = await Rig.open(path, answers)
      const thread = rig.start()
      const turn = await thread.run('hi', { signal: rig.signal })
      assert.equal(turn.finalResponse, 'Hello.')
      assert.equal(turn.usage?.input_tokens, 1000)
      assert.ok(thread.id)
      const resumed = rig.resume(thread.id)
      const second = await resumed.run('hi again', { signal: rig.signal })
      assert.equal(second.finalResponse, 'Hello again.')
      assert.equal(resumed.id, thread.id)
      const [first, next] = rig.server.modelRequests
      assert.ok(first && answers[0])
      assertContinues(next, historyAfter(first, answers[0]), 'hi again')
      assert.equal(next.headers.originator, 'codex_sdk_ts')
    })

    it('asks for structured output, for one turn', async () => {
      await using rig = await Rig.open(path, [concludes('{"ok":true}'), concludes('plain')])
      const thread = rig.start()
      const turn = await thread.run('answer in JSON', { outputSchema: SCHEMA, signal: rig.signal })
      assert.deepEqual(JSON.parse(turn.finalResponse), { ok: true })
      await thread.run('and now in words', { signal: rig.signal })
      const formats = rig.server.modelRequests.map(({ body }) => (body.text as JsonObject)?.format)
      const format = {
        type: 'json_schema',
        strict: true,
        schema: SCHEMA,
        name: 'codex_output_schema',
      }
      assert.deepEqual(formats, [format, undefined])
    })

    it('reports a failed turn by its message', async () => {
      const fault = { kind: 'status', status: 400, body: 'no such thing' } as const
      await using rig = await Rig.open(path, [{ items: [], fault }])
      await assert.rejects(rig.start().run('fail', { signal: rig.signal }), /no such thing/)
    })

    it('aborts a turn, and the thread lives on', async () => {
      const stalled = says(assistantMessage('Half of it'))
      const stall = { kind: 'stall', afterEvents: 3 } as const
      await using rig = await Rig.open(path, [{ ...stalled, fault: stall }, concludes('Back.')])
      const thread = rig.start()
      const stopping = new AbortController()
      const options = { signal: AbortSignal.any([rig.signal, stopping.signal]) }
      const aborted = thread.run('never ends', options)
      const outcome = assert.rejects(aborted, { name: 'AbortError' })
      await Promise.race([rig.server.received(1), outcome])
      stopping.abort()
      await outcome
      assert.ok(thread.id)
      const turn = await rig.resume(thread.id).run('are you there?', { signal: rig.signal })
      assert.equal(turn.finalResponse, 'Back.')
      const [, next] = rig.server.modelRequests
      assert.ok(next)
      const said = historyInput(next).map(messageText)
      assert.ok(said.includes('never ends'), 'the aborted prompt is kept')
      assert.equal(said.at(-1), 'are you there?')
    })
  })
}

const SCHEMA = {
  type: 'object',
  properties: { ok: { type: 'boolean' } },
  required: ['ok'],
  additionalProperties: false,
}

const RICH_EVENTS = [
  'thread.started',
  'turn.started',
  'item.completed agent_message',
  'item.started command_execution',
  'item.completed command_execution',
  'item.started todo_list',
  'item.started file_change',
  'item.completed file_change',
  'item.updated todo_list',
  'item.completed reasoning',
  'item.completed agent_message',
  'item.completed todo_list',
  'turn.completed',
]

const TURN_LIMIT_MS = 30_000

/** An SDK client on a home of its own, with a model that plays a script. */
class Rig implements AsyncDisposable {
  readonly server: ScriptedResponsesServer
  readonly #overdue = new AbortController()
  readonly #timer = setTimeout(() => this.#overdue.abort(), TURN_LIMIT_MS)
  readonly #scratch: Scratch
  readonly #client: SdkClient

  private constructor(server: ScriptedResponsesServer, scratch: Scratch, path: string) {
    this.server = server
    this.#scratch = scratch
    this.#client = new Codex({ codexPathOverride: path, env: scratch.env })
  }

  static async open(path: string, script: Script): Promise<Rig> {
    const server = await ScriptedResponsesServer.start(script)
    const scratch = await Scratch.create()
    await scratch.useModelServer(server.baseUrl)
    return new Rig(server, scratch, path)
  }

  start(): SdkThread {
    return this.#client.startThread(this.#options)
  }

  resume(id: string): SdkThread {
    return this.#client.resumeThread(id, this.#options)
  }

  /**
   * Stops a turn that takes too long. It is never aborted later: after a failed turn the SDK
   * leaves a child without an error listener behind, and an abort then ends the whole process.
   */
  get signal(): AbortSignal {
    return this.#overdue.signal
  }

  get #options(): SdkThreadOptions {
    return { workingDirectory: this.#scratch.project, skipGitRepoCheck: true }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer)
    await this.server[Symbol.asyncDispose]()
    await this.#scratch[Symbol.asyncDispose]()
  }
}
