import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { assistantMessage, ModelError } from '../../src/core/index.ts'
import {
  type ModelFault,
  type Script,
  ScriptedResponsesServer,
  type ScriptedStep,
  type ServerOptions,
} from '../../src/core/testing/index.ts'
import type { SessionEvent } from '../../src/protocol/index.ts'
import { clientOf } from '../support/model-client.ts'
import { breaksAfter, started } from '../support/played-model.ts'
import { runTurn, SessionKit, Watch } from '../support/session-kit.ts'
import { TestClock } from '../support/test-clock.ts'

const isRetryWait = (ms: number) => ms > 100 && ms < 10_000 && ms !== 1000
const done: ScriptedStep = { items: [assistantMessage('done', { id: 'm1' })] }
const cut: ModelFault = { kind: 'cut', afterEvents: 1 }

/** A session whose model is a server on loopback, asked over a WebSocket. */
async function openWired(script: Script, options: ServerOptions = {}) {
  const stack = new AsyncDisposableStack()
  const server = stack.use(await ScriptedResponsesServer.start(script, options))
  const clock = new TestClock(isRetryWait)
  const provider = { streamMaxRetries: 2, supportsWebsockets: true }
  const client = clientOf(server.baseUrl, provider, { clock })
  const modelAccess = () => ({ client, streamMaxRetries: 2 })
  const kit = stack.use(await SessionKit.open([], { clock, manager: { modelAccess } }))
  return { server, kit, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

/** What a person is told of the way to the model. */
function troubles(events: readonly SessionEvent[]): string[] {
  return events.flatMap((event) => {
    if (event.type === 'error') return [`${event.error.message} (${event.error.additionalDetails})`]
    return event.type === 'warning' ? [event.message] : []
  })
}

const LOST =
  'stream disconnected before completion: ' +
  'WebSocket protocol error: Connection reset without closing handshake'

describe('a session with a WebSocket [C9]', () => {
  it('prewarms it, keeps it across turns, and closes it', async () => {
    await using wired = await openWired([done, done])
    const handle = await wired.kit.start()
    await runTurn(handle, 'one')
    await runTurn(handle, 'two')
    const { connections, prewarms } = wired.server
    assert.deepEqual([connections.length, prewarms.length], [1, 1])
    await handle[Symbol.asyncDispose]()
    await connections[0]?.closed
  })

  it('closes the one of an interrupted turn; the next turn has a new one', async () => {
    await using wired = await openWired([
      { ...done, fault: { kind: 'stall', afterEvents: 3 } },
      done,
    ])
    const handle = await wired.kit.start()
    using watch = new Watch(handle)
    const heard = watch.next((event) => event.type === 'agentMessageDelta')
    const ended = watch.next((event) => event.type === 'turnCompleted')
    await handle.startTurn([{ type: 'text', text: 'one' }])
    await heard
    await handle.interrupt()
    await ended
    await wired.server.connections[0]?.closed
    assert.equal((await runTurn(handle, 'two')).status, 'completed')
    assert.equal(wired.server.connections.length, 2)
  })

  it('does not tell its first break, and tells the next ones', async () => {
    await using wired = await openWired([
      { items: [], fault: cut },
      { items: [], fault: cut },
      done,
    ])
    const handle = await wired.kit.start()
    using watch = new Watch(handle)
    assert.equal((await runTurn(handle, 'go')).status, 'completed')
    assert.deepEqual(troubles(watch.events), [`Reconnecting... 2/2 (${LOST})`])
  })

  it('falls back to HTTP for good when it keeps breaking, with all its tries anew', async () => {
    const http: ScriptedStep[] = [{ items: [], fault: cut }, { items: [], fault: cut }, done, done]
    await using wired = await openWired(({ method }) => {
      const step = method === 'POST' ? http.shift() : undefined
      return step ?? { items: [], fault: cut }
    })
    const handle = await wired.kit.start()
    using watch = new Watch(handle)
    assert.equal((await runTurn(handle, 'go')).status, 'completed')
    assert.equal((await runTurn(handle, 'again')).status, 'completed')
    const decoding = 'Transport error: network error: error decoding response body'
    const broken = `stream disconnected before completion: ${decoding}`
    assert.deepEqual(troubles(watch.events), [
      `Reconnecting... 2/2 (${LOST})`,
      `Falling back from WebSockets to HTTPS transport. ${LOST}`,
      `Reconnecting... 1/2 (${broken})`,
      `Reconnecting... 2/2 (${broken})`,
    ])
    const methods = wired.server.modelRequests.map(({ method }) => method)
    assert.deepEqual(methods, [...Array(3).fill('WEBSOCKET'), ...Array(4).fill('POST')])
  })

  it('says nothing of a server that wants none', async () => {
    const handshake = () => ({ kind: 'refuse', status: 426 }) as const
    await using wired = await openWired([done], { handshake })
    const handle = await wired.kit.start()
    using watch = new Watch(handle)
    assert.equal((await runTurn(handle, 'go')).status, 'completed')
    assert.deepEqual([troubles(watch.events), wired.server.connections.length], [[], 1])
  })
})

const limits = (used: number, more = {}) => ({
  limit_id: 'codex',
  limit_name: null,
  primary: { used_percent: used, window_minutes: null, resets_at: null },
  secondary: null,
  credits: null,
  plan_type: null,
  rate_limit_reached_type: null,
  ...more,
})

describe('what comes with a response', () => {
  it('is kept of limits, also when the response breaks, and news take nothing away', async () => {
    const clock = new TestClock(isRetryWait)
    const credits = { has_credits: true, unlimited: false, balance: '1' }
    const lost = new ModelError('lost', { isRetryable: true })
    await using kit = await SessionKit.open(
      [
        async function* () {
          yield { type: 'started', rateLimits: limits(7, { credits, plan_type: 'plus' }) }
          throw lost
        },
        breaksAfter([], lost),
        async function* () {
          yield started()
          yield { type: 'rateLimits', rateLimits: limits(8) }
          yield { type: 'completed', usage: null, endTurn: true }
        },
      ],
      { clock },
    )
    await runTurn(await kit.start(), 'go')
    const known = { credits, plan_type: 'plus' }
    assert.deepEqual(
      kit.payloads('event_msg token_count').map(({ info, rate_limits }) => [info, rate_limits]),
      [
        [null, limits(7, known)],
        [null, limits(8, known)],
      ],
    )
  })

  it('is kept of a refusal too', async () => {
    const refused = new ModelError('used up', { rateLimits: limits(100) })
    await using kit = await SessionKit.open([breaksAfter([], refused)])
    assert.equal((await runTurn(await kit.start(), 'go')).status, 'failed')
    const [count] = kit.payloads('event_msg token_count')
    assert.deepEqual(count?.rate_limits, limits(100))
  })

  it('is a full window when the model has no room: the next turn condenses first', async () => {
    const full = new ModelError('no room', { codexErrorInfo: 'contextWindowExceeded' })
    const summary = { items: [assistantMessage('in short', { id: 'm2' })] }
    await using kit = await SessionKit.open([breaksAfter([], full), summary, done])
    const handle = await kit.start()
    assert.equal((await runTurn(handle, 'go')).status, 'failed')
    const usage = {
      input_tokens: 0,
      cached_input_tokens: 0,
      output_tokens: 0,
      reasoning_output_tokens: 0,
      total_tokens: 258_400,
    }
    assert.deepEqual(kit.payloads('event_msg token_count')[0]?.info, {
      total_token_usage: usage,
      last_token_usage: usage,
      model_context_window: 258_400,
    })
    assert.equal((await runTurn(handle, 'again')).status, 'completed')
    assert.equal(kit.payloads('event_msg context_compacted').length, 1)
  })

  it('is a warning when another model answers, once a turn', async () => {
    const other = async function* () {
      yield { ...started(), model: 'gpt-other' } as const
      yield { type: 'completed', usage: null, endTurn: false } as const
    }
    const asked = async function* () {
      yield { ...started(), model: 'GPT-5.4' } as const
      yield { type: 'completed', usage: null, endTurn: true } as const
    }
    await using kit = await SessionKit.open([other, other, asked, asked])
    const handle = await kit.start()
    using watch = new Watch(handle)
    const { turnId } = await runTurn(handle, 'go')
    await runTurn(handle, 'again')
    const message = 'model rerouted: gpt-5.4 -> gpt-other'
    assert.deepEqual(watch.of('warning'), [{ type: 'warning', turnId, message }])
  })

  it('is what the model thinks, as it comes', async () => {
    const thought = { itemId: 'rs_1', index: 0 } as const
    await using kit = await SessionKit.open([
      async function* () {
        yield started()
        yield { type: 'reasoningSectionBreak', ...thought }
        yield { type: 'reasoningDelta', ...thought, kind: 'summary', delta: 'hm' }
        yield { type: 'reasoningDelta', ...thought, kind: 'raw', delta: 'why' }
        yield { type: 'completed', usage: null, endTurn: true }
      },
    ])
    const handle = await kit.start()
    using watch = new Watch(handle)
    const { turnId } = await runTurn(handle, 'go')
    const told = watch.events.filter(({ type }) => type.startsWith('reasoning'))
    assert.deepEqual(told, [
      { type: 'reasoningSectionBreak', turnId, ...thought },
      { type: 'reasoningDelta', turnId, ...thought, kind: 'summary', delta: 'hm' },
      { type: 'reasoningDelta', turnId, ...thought, kind: 'raw', delta: 'why' },
    ])
  })
})
