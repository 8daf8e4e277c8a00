import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  attempt,
  fault,
  REQUEST as PLAIN,
  clientOf as plainClient,
  THREAD,
  type Tried,
} from '../../../test/support/model-client.ts'
import { TestClock } from '../../../test/support/test-clock.ts'
import { isObject, type Json, type JsonObject } from '../../base/index.ts'
import type { ResponseItem } from '../../protocol/index.ts'
import {
  type Handshake,
  type Script,
  ScriptedResponsesServer,
  type ScriptedStep,
  type ServerOptions,
} from '../testing/index.ts'
import { type ModelConnection, ModelError, type ModelRequest } from './model-client.ts'
import type { ModelProvider } from './provider.ts'
import { assistantMessage, functionCall } from './script.ts'

const BROKEN = 'stream disconnected before completion: '

const user = (text: string): ResponseItem => ({
  type: 'message',
  role: 'user',
  content: [{ type: 'input_text', text }],
})

const REQUEST: ModelRequest = { ...PLAIN, turnMetadata: { turn_id: 't', who: 'Zoë' } }

const WARM: ModelRequest = { ...REQUEST, input: [], turnMetadata: { turn_id: '' } }

const HELLO = assistantMessage('hello', { id: 'msg_1' })
const hello: ScriptedStep = { items: [HELLO] }
const never = new AbortController().signal

function errorFrame(frame: JsonObject): ScriptedStep {
  return fault({ kind: 'errorFrame', frame: { type: 'error', ...frame } })
}

/** A server, and one session's connection to it. */
class Line implements AsyncDisposable {
  readonly server: ScriptedResponsesServer
  readonly model: ModelConnection

  private constructor(server: ScriptedResponsesServer, provider: Partial<ModelProvider>) {
    this.server = server
    this.model = clientOf(server.baseUrl, provider).open()
  }

  static async open(
    script: Script,
    options: ServerOptions = {},
    provider: Partial<ModelProvider> = {},
  ): Promise<Line> {
    return new Line(await ScriptedResponsesServer.start(script, options), provider)
  }

  /** What each frame of a connection is, in short. */
  frames(connection = 0): JsonObject[] {
    return (this.server.connections[connection]?.frames ?? []).filter(isObject)
  }

  async ask(request: ModelRequest = REQUEST, signal = never): Promise<Tried> {
    return await attempt(this.model, { request, signal })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.model[Symbol.asyncDispose]()
    await this.server[Symbol.asyncDispose]()
  }
}

const clientOf = (baseUrl: string, provider: Partial<ModelProvider> = {}) =>
  plainClient(baseUrl, { supportsWebsockets: true, ...provider })

/** The items of a response, as the next request would hold them. */
function itemsOf({ events, error }: Tried): ResponseItem[] {
  assert.equal(error, undefined)
  return events.flatMap((event) => (event.type === 'itemDone' ? [event.item] : []))
}

function facts(error: unknown) {
  assert.ok(error instanceof ModelError, `${error}`)
  const { message, codexErrorInfo, isRetryable } = error
  return { message, codexErrorInfo, isRetryable }
}

const refuse = (status: number, body = ''): Handshake => ({ kind: 'refuse', status, body })

function asked(frame: JsonObject | undefined): Json {
  return [frame?.previous_response_id ?? null, frame?.input ?? null]
}

describe('the handshake [C9]', () => {
  it('names thread, turn and caller, and offers to deflate', async () => {
    await using line = await Line.open(
      [hello],
      {},
      {
        bearerToken: 'secret',
        headers: { 'X-Team': 'blue' },
        queryParams: { 'api-version': '1' },
      },
    )
    itemsOf(await line.ask({ ...REQUEST, turnState: 'ts-0' }))
    const [connection] = line.server.connections
    const {
      host: _host,
      'sec-websocket-key': _key,
      'user-agent': agent,
      ...headers
    } = connection?.headers ?? {}
    assert.match(agent ?? '', /^lab\/1\.2\.3 \(/)
    assert.equal(connection?.url, '/v1/responses?api-version=1')
    assert.deepEqual(headers, {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-extensions': 'permessage-deflate; client_max_window_bits',
      'x-codex-turn-metadata': '{"turn_id":"t","who":"Zo\\u00eb"}',
      'x-codex-window-id': `${THREAD}:2`,
      'x-client-request-id': THREAD,
      'session-id': THREAD,
      'thread-id': THREAD,
      'openai-beta': 'responses_websockets=2026-02-06',
      originator: 'lab',
      'x-codex-turn-state': 'ts-0',
      authorization: 'Bearer secret',
      'x-team': 'blue',
    })
  })

  it('tells the model and, for the turn that it is of, the turn state', async () => {
    const headers = { 'x-codex-turn-state': 'ts-1', 'openai-model': 'other' }
    const handshake = (): Handshake => ({ kind: 'accept', headers })
    await using line = await Line.open([hello, hello], { handshake })
    const started = [(await line.ask()).events[0], (await line.ask()).events[0]]
    const plain = { type: 'started', rateLimits: null, model: 'other' }
    assert.deepEqual(started, [{ ...plain, turnState: 'ts-1' }, plain])
  })
})

describe('a request', () => {
  it('is one frame with the members of 0.133.0, in their order', async () => {
    await using line = await Line.open([hello])
    itemsOf(await line.ask())
    const frame = {
      type: 'response.create',
      model: 'gpt-5.4',
      instructions: 'Be brief.',
      input: [user('hi')],
      tools: [{ type: 'function', name: 'look' }],
      tool_choice: 'auto',
      parallel_tool_calls: true,
      reasoning: { effort: 'medium' },
      store: false,
      stream: true,
      include: ['reasoning.encrypted_content'],
      prompt_cache_key: THREAD,
      client_metadata: {
        'x-codex-turn-metadata': '{"turn_id":"t","who":"Zo\\u00eb"}',
        'x-codex-installation-id': 'home-1',
        'x-codex-window-id': `${THREAD}:2`,
        'x-codex-ws-stream-request-start-ms': String(new TestClock().now),
      },
    }
    assert.equal(JSON.stringify(line.frames()[0]), JSON.stringify(frame))
  })

  it('names the agent that asks, in the handshake and in the frame', async () => {
    await using line = await Line.open([hello])
    itemsOf(await line.ask({ ...REQUEST, subagent: 'review', parentThreadId: 'parent' }))
    const metadata = line.frames()[0]?.client_metadata
    const places = [line.server.connections[0]?.headers, isObject(metadata) ? metadata : {}]
    for (const place of places) {
      const named = [place?.['x-openai-subagent'], place?.['x-codex-parent-thread-id']]
      assert.deepEqual(named, ['review', 'parent'])
    }
  })

  it('is answered event by event, also of rate limits', async () => {
    const limits = {
      type: 'codex.rate_limits',
      plan_type: 'plus',
      rate_limits: {
        primary: { used_percent: 42, window_minutes: 60, reset_at: 7 },
        secondary: null,
      },
      credits: { has_credits: true, unlimited: false, balance: '12' },
    }
    await using line = await Line.open(
      [fault({ kind: 'errorFrame', frame: limits })],
      {},
      { streamIdleTimeoutMs: 400 },
    )
    const { events, error } = await line.ask()
    assert.deepEqual(events, [
      { type: 'started', rateLimits: null },
      {
        type: 'rateLimits',
        rateLimits: {
          limit_id: 'codex',
          limit_name: null,
          primary: { used_percent: 42, window_minutes: 60, resets_at: 7 },
          secondary: null,
          credits: { has_credits: true, unlimited: false, balance: '12' },
          plan_type: 'plus',
          rate_limit_reached_type: null,
        },
      },
    ])
    assert.equal(facts(error).message, `${BROKEN}idle timeout waiting for websocket`)
  })
})

describe('the prewarm', () => {
  it('is sent at once, generates nothing, and is gone on from', async () => {
    await using line = await Line.open([hello])
    line.model.prewarm(WARM)
    itemsOf(await line.ask())
    const [warm, first] = line.frames()
    assert.deepEqual([warm?.generate, warm?.input], [false, []])
    assert.deepEqual(Object.keys(warm ?? {}).slice(-2), ['generate', 'client_metadata'])
    assert.deepEqual(asked(first), ['warm_1', [user('hi')]])
    assert.ok(first && !('generate' in first))
    assert.equal(line.server.connections.length, 1)
  })

  for (const [name, prewarm] of Object.entries({
    cut: fault({ kind: 'cut', afterEvents: 1 }),
    refused: errorFrame({ status: 500, error: {} }),
    silent: fault({ kind: 'stall', afterEvents: 1 }),
  })) {
    it(`that is ${name} costs its connection, and the first request is whole`, async () => {
      await using line = await Line.open([hello], { prewarm }, { websocketConnectTimeoutMs: 400 })
      line.model.prewarm(WARM)
      itemsOf(await line.ask())
      assert.deepEqual(line.frames(1).map(asked), [[null, [user('hi')]]])
    })
  }

  it('holds no interrupted turn up', async () => {
    await using line = await Line.open([hello], { handshake: () => ({ kind: 'stall' }) })
    line.model.prewarm(WARM)
    const stop = new AbortController()
    const asking = line.ask(REQUEST, stop.signal)
    const reason = new Error('stop')
    stop.abort(reason)
    assert.equal((await asking).error, reason)
  })

  it('ends with the session', async () => {
    const prewarm = fault({ kind: 'stall', afterEvents: 1 })
    await using server = await ScriptedResponsesServer.start([], { prewarm })
    const model = clientOf(server.baseUrl).open()
    model.prewarm(WARM)
    await model[Symbol.asyncDispose]()
    await server.connections[0]?.closed
  })
})

describe('what follows', () => {
  it('sends only what is new, over the same connection', async () => {
    const call = functionCall('look', {}, 'call_1')
    await using line = await Line.open([{ items: [HELLO, call] }, hello, hello])
    const output: ResponseItem = { type: 'function_call_output', call_id: 'call_1', output: 'x' }
    const second = [user('hi'), ...itemsOf(await line.ask()), output]
    const third = [...second, ...itemsOf(await line.ask({ ...REQUEST, input: second })), user('go')]
    itemsOf(await line.ask({ ...REQUEST, turnMetadata: { turn_id: 't2' }, input: third }))
    assert.deepEqual(line.frames().map(asked), [
      [null, [user('hi')]],
      ['resp_1', [output]],
      ['resp_2', [user('go')]],
    ])
    assert.equal(line.server.connections.length, 1)
  })

  const others: { [name: string]: Partial<ModelRequest> } = {
    'another model': { model: 'gpt-5' },
    'other tools': { tools: [] },
    'another schema': { outputSchema: { type: 'object' } },
    'another effort': { reasoning: { effort: 'high' } },
    'another past': { input: [user('ho'), user('go')] },
    'a shorter past': { input: [user('hi')] },
  }
  for (const [name, other] of Object.entries(others)) {
    it(`is sent in full with ${name}`, async () => {
      await using line = await Line.open([hello, hello])
      const input = [user('hi'), ...itemsOf(await line.ask()), user('go')]
      const request = { ...REQUEST, input, ...other }
      itemsOf(await line.ask(request))
      assert.deepEqual(asked(line.frames()[1]), [null, request.input as unknown as Json])
    })
  }

  it('is sent in full over a new connection, when the server has closed the old one', async () => {
    await using line = await Line.open([hello, hello])
    const input = [user('hi'), ...itemsOf(await line.ask()), user('go')]
    const [connection] = line.server.connections
    connection?.close('cleanly')
    await connection?.closed
    itemsOf(await line.ask({ ...REQUEST, input }))
    assert.deepEqual(line.frames(1).map(asked), [[null, input as unknown as Json]])
  })

  it('is sent again in full, in silence, when the server has forgotten the past', async () => {
    const forgotten = { status: 400, error: { code: 'previous_response_not_found', message: 'no' } }
    await using line = await Line.open([hello, errorFrame(forgotten), hello])
    const input = [user('hi'), ...itemsOf(await line.ask()), user('go')]
    itemsOf(await line.ask({ ...REQUEST, input }))
    assert.deepEqual(line.frames().map(asked), [
      [null, [user('hi')]],
      ['resp_1', [user('go')]],
      [null, input as unknown as Json],
    ])
  })

  it('does not ask for ever when the server forgets what it was not asked for', async () => {
    const forgotten = { status: 400, error: { code: 'previous_response_not_found', message: 'no' } }
    await using line = await Line.open([errorFrame(forgotten)])
    const { error } = await line.ask()
    assert.deepEqual(facts(error), {
      message: JSON.stringify({ type: 'error', ...forgotten }),
      codexErrorInfo: 'other',
      isRetryable: false,
    })
    assert.equal(line.frames().length, 1)
  })

  it('hears nothing of what the server said unasked', async () => {
    await using line = await Line.open([hello, { items: [] }])
    itemsOf(await line.ask())
    const unasked = { type: 'response.output_item.done', item: assistantMessage('late') }
    await line.server.connections[0]?.say(JSON.stringify(unasked))
    await line.server.connections[0]?.say('{"type":"response.failed","response":{}}')
    assert.deepEqual(itemsOf(await line.ask()), [])
  })
})

interface Fate {
  readonly step: ScriptedStep
  readonly message: string
  readonly info?: Json
  readonly isRetryable: boolean
  readonly provider?: Partial<ModelProvider>
}

const FATES: { readonly [name: string]: Fate } = {
  'a cut': {
    step: fault({ kind: 'cut', afterEvents: 2 }, [HELLO]),
    message: `${BROKEN}WebSocket protocol error: Connection reset without closing handshake`,
    isRetryable: true,
  },
  'a clean close': {
    step: fault({ kind: 'close', afterEvents: 2 }, [HELLO]),
    message: `${BROKEN}websocket closed by server before response.completed`,
    isRetryable: true,
  },
  silence: {
    step: fault({ kind: 'stall', afterEvents: 2 }, [HELLO]),
    message: `${BROKEN}idle timeout waiting for websocket`,
    isRetryable: true,
    provider: { streamIdleTimeoutMs: 400 },
  },
  'a frame that is no JSON, and silence': {
    step: fault({ kind: 'garbage', text: 'welcome' }),
    message: `${BROKEN}idle timeout waiting for websocket`,
    isRetryable: true,
    provider: { streamIdleTimeoutMs: 400 },
  },
  'a binary frame': {
    step: fault({ kind: 'binary', afterEvents: 1, bytes: [1, 2] }),
    message: `${BROKEN}unexpected binary websocket event`,
    isRetryable: true,
  },
  'a frame without end': {
    step: fault({ kind: 'oversized', afterEvents: 1, sizeBytes: 33_000_000 }),
    message: 'the model sent an event of over 32 million bytes',
    isRetryable: false,
  },
  'a failed response': {
    step: fault({ kind: 'failed', error: { code: 'strange', message: 'boom' } }),
    message: `${BROKEN}boom`,
    isRetryable: true,
  },
  'the limit of the connection': {
    step: errorFrame({
      status: 400,
      error: { code: 'websocket_connection_limit_reached', message: 'an hour' },
    }),
    message: `${BROKEN}an hour`,
    isRetryable: true,
  },
  'an error of status 429': {
    step: errorFrame({ status: 429, error: { type: 'rate', message: 'slow' } }),
    message: 'exceeded retry limit, last status: 429 Too Many Requests',
    info: { responseTooManyFailedAttempts: { httpStatusCode: 429 } },
    isRetryable: false,
  },
  'an error of status 400': {
    step: errorFrame({ status: 400, error: { message: 'bad' } }),
    message: '{"type":"error","status":400,"error":{"message":"bad"}}',
    isRetryable: false,
  },
  'an error of status 400, context length': {
    step: errorFrame({ status: 400, error: { code: 'context_length_exceeded' } }),
    message:
      "Codex ran out of room in the model's context window. Start a new thread or clear earlier " +
      'history before retrying.',
    info: 'contextWindowExceeded',
    isRetryable: false,
  },
  'an error of status 401': {
    step: errorFrame({ status: 401, error: { message: 'who?' } }),
    message: 'unexpected status 401 Unauthorized: who?, url: URL',
    isRetryable: true,
  },
  'an error of status 500': {
    step: errorFrame({ status_code: 500, error: { message: 'oops' } }),
    message: "We're currently experiencing high demand, which may cause temporary errors.",
    info: 'internalServerError',
    isRetryable: true,
  },
  'an error of status 503, overloaded': {
    step: errorFrame({ status: 503, error: { code: 'server_is_overloaded' } }),
    message: 'Selected model is at capacity. Please try a different model.',
    info: 'serverOverloaded',
    isRetryable: false,
  },
  'an error without a status': {
    step: errorFrame({ error: { message: 'oops' } }),
    message: `${BROKEN}oops`,
    isRetryable: true,
  },
}

describe('how a response fails', () => {
  for (const [name, fate] of Object.entries(FATES)) {
    it(`by ${name}; the next one is whole, over another connection`, async () => {
      await using line = await Line.open([fate.step, hello], {}, fate.provider)
      const { error } = await line.ask()
      const url = `${line.server.baseUrl.replace('http', 'ws')}/responses`
      assert.deepEqual(facts(error), {
        message: fate.message.replace('URL', url),
        codexErrorInfo: fate.info ?? 'other',
        isRetryable: fate.isRetryable,
      })
      const { events } = await line.ask()
      assert.equal(events.at(-1)?.type, 'completed')
      assert.deepEqual(line.frames(1).map(asked), [[null, [user('hi')]]])
    })
  }

  it('keeps the rate limits that came with a usage limit', async () => {
    const headers = { 'X-Codex-Primary-Used-Percent': '100' }
    const frame = { status: 429, error: { type: 'usage_limit_reached' }, headers }
    await using line = await Line.open([errorFrame(frame)])
    const { error } = await line.ask()
    assert.ok(error instanceof ModelError)
    const primary = { used_percent: 100, window_minutes: null, resets_at: null }
    assert.deepEqual(
      [error.message, error.rateLimits?.primary],
      ["You've hit your usage limit.", primary],
    )
  })

  it('takes the wait that the server asks for', async () => {
    const frame = { status: 500, error: {}, headers: { 'retry-after': 3 } }
    await using line = await Line.open([errorFrame(frame)])
    const { error } = await line.ask()
    assert.ok(error instanceof ModelError)
    assert.equal(error.retryAfterMs, 3000)
  })
})

describe('a handshake that fails', () => {
  const fates: { readonly [name: string]: [Handshake, string, boolean] } = {
    'is cut': [{ kind: 'cut' }, `${BROKEN}error sending request for url (URL)`, true],
    'is not answered': [{ kind: 'stall' }, 'request timed out', true],
    'is refused by 401': [
      refuse(401, '{"error":{"message":"who?"}}'),
      'unexpected status 401 Unauthorized: who?, url: URL',
      true,
    ],
    'is refused by 301': [
      refuse(301, 'there'),
      'unexpected status 301 Moved Permanently: there, url: URL',
      true,
    ],
    'is refused by 400': [refuse(400, '{"x":1}'), '{"x":1}', false],
    'is refused by 429': [
      refuse(429),
      'exceeded retry limit, last status: 429 Too Many Requests',
      false,
    ],
  }
  for (const [name, [handshake, message, isRetryable]] of Object.entries(fates)) {
    it(`because it ${name} says so, and the next may succeed`, async () => {
      const options = { handshake: (index: number) => (index === 0 ? handshake : accept) }
      await using line = await Line.open([hello], options, { websocketConnectTimeoutMs: 400 })
      const url = `${line.server.baseUrl.replace('http', 'ws')}/responses`
      const { error } = await line.ask()
      const { message: said, isRetryable: may } = facts(error)
      assert.deepEqual([said, may], [message.replace('URL', url), isRetryable])
      itemsOf(await line.ask())
      assert.ok(line.model.isKept)
    })
  }

  it('because nobody listens says so', async () => {
    const server = await ScriptedResponsesServer.start([])
    const { baseUrl } = server
    await server[Symbol.asyncDispose]()
    await using model = clientOf(baseUrl).open()
    const { error } = await attempt(model, { request: REQUEST, signal: never })
    const url = `${baseUrl.replace('http', 'ws')}/responses`
    assert.equal(facts(error).message, `${BROKEN}error sending request for url (${url})`)
  })

  it('can be aborted', async () => {
    await using line = await Line.open([], { handshake: () => ({ kind: 'stall' }) })
    const stop = new AbortController()
    const asking = line.ask(REQUEST, stop.signal)
    const reason = new Error('stop')
    setImmediate(() => stop.abort(reason))
    assert.equal((await asking).error, reason)
  })
})

const accept: Handshake = { kind: 'accept' }

describe('HTTP instead', () => {
  it('is taken at once, for good and in silence, when no upgrade is wanted (426)', async () => {
    await using line = await Line.open([hello, hello], { handshake: () => refuse(426) })
    line.model.prewarm(WARM)
    itemsOf(await line.ask())
    itemsOf(await line.ask())
    const { connections, modelRequests } = line.server
    assert.deepEqual(
      [connections.length, modelRequests.map(({ method }) => method), line.model.isKept],
      [1, ['POST', 'POST'], false],
    )
    assert.equal(line.model.fallBack(), false)
  })

  it('is what a session falls back to, once', async () => {
    await using line = await Line.open([hello, hello])
    itemsOf(await line.ask())
    assert.deepEqual([line.model.fallBack(), line.model.fallBack()], [true, false])
    await line.server.connections[0]?.closed
    itemsOf(await line.ask())
    assert.equal(line.server.modelRequests[1]?.method, 'POST')
  })

  it('is all there is where the provider has no WebSocket', async () => {
    await using line = await Line.open([hello], {}, { supportsWebsockets: false })
    line.model.prewarm(WARM)
    itemsOf(await line.ask())
    assert.deepEqual([line.server.connections, line.model.fallBack()], [[], false])
  })
})

describe('an abort', () => {
  it('in the midst of a response ends the connection; the next turn hears nothing', async () => {
    const arrived = Promise.withResolvers<void>()
    await using line = await Line.open([fault({ kind: 'stall', afterEvents: 3 }, [HELLO]), hello])
    const stop = new AbortController()
    const reason = new Error('stop')
    const asking = (async () => {
      for await (const event of line.model.stream(REQUEST, stop.signal)) {
        if (event.type === 'textDelta') arrived.resolve()
      }
    })()
    await arrived.promise
    stop.abort(reason)
    await assert.rejects(asking, reason)
    await line.server.connections[0]?.closed
    assert.equal(itemsOf(await line.ask()).length, 1)
    assert.equal(line.server.connections.length, 2)
  })

  it('by leaving the loop ends the connection', async () => {
    await using line = await Line.open([hello, hello])
    for await (const event of line.model.stream(REQUEST, never)) {
      if (event.type === 'itemDone') break
    }
    await line.server.connections[0]?.closed
    itemsOf(await line.ask())
  })

  it('behind the response leaves the connection as it is', async () => {
    await using line = await Line.open([hello, hello])
    const stop = new AbortController()
    itemsOf(await line.ask(REQUEST, stop.signal))
    stop.abort()
    itemsOf(await line.ask())
    assert.equal(line.server.connections.length, 1)
  })

  it('before the request sends nothing', async () => {
    await using line = await Line.open([])
    const reason = new Error('stop')
    assert.equal((await line.ask(REQUEST, AbortSignal.abort(reason))).error, reason)
    assert.equal(line.server.connections.length, 0)
  })
})

describe('a session that ends', () => {
  it('closes its connection, and only its own', async () => {
    await using line = await Line.open([hello, hello, hello])
    await using other = clientOf(line.server.baseUrl).open()
    itemsOf(await line.ask())
    itemsOf(await attempt(other, { request: REQUEST, signal: never }))
    await line.model[Symbol.asyncDispose]()
    await line.model[Symbol.asyncDispose]()
    await line.server.connections[0]?.closed
    itemsOf(await attempt(other, { request: REQUEST, signal: never }))
    assert.deepEqual(
      line.server.connections.map(({ frames }) => frames.length),
      [1, 2],
    )
  })
})
