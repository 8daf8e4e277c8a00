import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { describe, it } from 'node:test'
import {
  attempt,
  clientOf,
  fault,
  REQUEST,
  THREAD,
  type Tried,
} from '../../../test/support/model-client.ts'
import {
  ScriptedResponsesServer,
  type ScriptedStep,
} from '../../../test/support/responses-server.ts'
import { TestClock } from '../../../test/support/test-clock.ts'
import type { JsonObject } from '../../base/index.ts'
import { ModelError, type ModelRequest } from './model-client.ts'
import type { ModelProvider } from './provider.ts'
import { assistantMessage, functionCall } from './script.ts'

async function tryScript(
  script: readonly ScriptedStep[],
  provider: Partial<ModelProvider> = {},
): Promise<Tried & { server: ScriptedResponsesServer; clock: TestClock }> {
  await using server = await ScriptedResponsesServer.start(script)
  const clock = new TestClock(() => true)
  const tried = await attempt(clientOf(server.baseUrl, provider, { clock }))
  return { ...tried, server, clock }
}

function status(code: number, body: string, headers: { [name: string]: string } = {}) {
  return fault({ kind: 'status', status: code, body, headers })
}

function errorFacts(error: unknown) {
  assert.ok(error instanceof ModelError, `${error}`)
  const { message, codexErrorInfo, isRetryable } = error
  return { message, codexErrorInfo, isRetryable }
}

/** A server of one answer, byte by byte as the test likes. */
async function rawServer(answer: (response: ServerResponse, count: number) => void) {
  const sockets: Socket[] = []
  let count = 0
  const server = createServer((request, response) => {
    count += 1
    request.resume()
    request.on('end', () => answer(response, count))
  })
  server.on('connection', (socket) => sockets.push(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    sockets,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

/** However it came to its end. */
function whenClosed(socket: Socket | undefined): Promise<void> {
  assert.ok(socket)
  socket.on('error', () => undefined)
  return new Promise((closed) => {
    if (socket.closed) closed()
    else socket.once('close', () => closed())
  })
}

function frame(event: JsonObject): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`
}

const COMPLETED = { type: 'response.completed', response: { id: 'r' } }
const HELLO = assistantMessage('hello', { id: 'msg_1' })

describe('the request', () => {
  it('has the body of 0.133.0, key by key and in its order', async () => {
    const { server } = await tryScript([{ items: [] }])
    const body = {
      model: 'gpt-5.4',
      instructions: 'Be brief.',
      input: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'hi' }] }],
      tools: [{ type: 'function', name: 'look' }],
      tool_choice: 'auto',
      parallel_tool_calls: true,
      reasoning: { effort: 'medium' },
      store: false,
      stream: true,
      include: ['reasoning.encrypted_content'],
      prompt_cache_key: THREAD,
      client_metadata: { 'x-codex-installation-id': 'home-1' },
    }
    assert.equal(JSON.stringify(server.modelRequests[0]?.body), JSON.stringify(body))
  })

  it('includes nothing and reasons nothing for a model without reasoning', async () => {
    await using server = await ScriptedResponsesServer.start([{ items: [] }])
    await attempt(clientOf(server.baseUrl), { request: { ...REQUEST, reasoning: null } })
    const { reasoning, include, text } = server.modelRequests[0]?.body ?? {}
    assert.deepEqual(
      { reasoning, include, text },
      { reasoning: null, include: [], text: undefined },
    )
  })

  it('has verbosity and output schema under `text`, before the client metadata', async () => {
    await using server = await ScriptedResponsesServer.start([{ items: [] }])
    const outputSchema = { type: 'object' }
    const request: ModelRequest = { ...REQUEST, verbosity: 'low', outputSchema }
    await attempt(clientOf(server.baseUrl), { request })
    const body = server.modelRequests[0]?.body ?? {}
    assert.deepEqual(Object.keys(body).slice(-3), ['prompt_cache_key', 'text', 'client_metadata'])
    assert.deepEqual(body.text, {
      verbosity: 'low',
      format: {
        type: 'json_schema',
        strict: true,
        schema: { type: 'object' },
        name: 'codex_output_schema',
      },
    })
  })

  it('has the service tier before the cache key, where one is set', async () => {
    await using server = await ScriptedResponsesServer.start([{ items: [] }])
    const request: ModelRequest = { ...REQUEST, serviceTier: 'flex' }
    await attempt(clientOf(server.baseUrl), { request })
    const members = Object.entries(server.modelRequests[0]?.body ?? {})
    assert.deepEqual(members.slice(10, 12), [
      ['service_tier', 'flex'],
      ['prompt_cache_key', THREAD],
    ])
  })

  it('names the agent that asks, and whose child it is', async () => {
    await using server = await ScriptedResponsesServer.start([{ items: [] }])
    const root = { sessionId: 'root', subagent: 'collab_spawn', parentThreadId: 'parent' }
    await attempt(clientOf(server.baseUrl), { request: { ...REQUEST, ...root } })
    const { headers } = server.modelRequests[0] ?? assert.fail()
    const names = ['session-id', 'thread-id', 'x-openai-subagent', 'x-codex-parent-thread-id']
    const values = names.map((name) => headers[name])
    assert.deepEqual(values, ['root', THREAD, 'collab_spawn', 'parent'])
  })

  it('has the headers of 0.133.0, and turn metadata in pure ASCII', async () => {
    const turnMetadata = { turn_id: 't', thread_source: 'Zoë ✓\u007f' }
    await using server = await ScriptedResponsesServer.start([{ items: [] }])
    await attempt(clientOf(server.baseUrl), { request: { ...REQUEST, turnMetadata } })
    const { headers, url, method } = server.modelRequests[0] ?? assert.fail()
    const {
      host: _host,
      connection: _connection,
      'content-length': length,
      'user-agent': agent,
      ...rest
    } = headers
    const escaped = '{"turn_id":"t","thread_source":"Zo\\u00eb \\u2713\\u007f"}'
    assert.deepEqual(
      { method, url, rest },
      {
        method: 'POST',
        url: '/v1/responses',
        rest: {
          'x-codex-turn-metadata': escaped,
          'x-codex-window-id': `${THREAD}:2`,
          'x-client-request-id': THREAD,
          'session-id': THREAD,
          'thread-id': THREAD,
          accept: 'text/event-stream',
          'content-type': 'application/json',
          originator: 'lab',
        },
      },
    )
    assert.ok(Number(length) > 0)
    assert.match(agent ?? '', /^lab\/1\.2\.3 \(/)
    assert.deepEqual(JSON.parse(escaped), turnMetadata)
  })

  it('carries the token, the headers and query parameters of the provider', async () => {
    const { server } = await tryScript([{ items: [] }], {
      bearerToken: 'secret',
      headers: { 'X-Team': 'blue', Originator: 'other' },
      queryParams: { 'api-version': '2026-01-01 x' },
    })
    const { headers, url } = server.modelRequests[0] ?? assert.fail()
    const seen = [url, headers.authorization, headers['x-team'], headers.originator]
    const query = '?api-version=2026-01-01+x'
    assert.deepEqual(seen, [`/v1/responses${query}`, 'Bearer secret', 'blue', 'other'])
  })

  it('survives names that no header can hold', async () => {
    await using server = await ScriptedResponsesServer.start([{ items: [HELLO] }])
    const client = clientOf(server.baseUrl, {}, { originator: 'Zoë ✓\nx: y' })
    const { error } = await attempt(client)
    assert.equal(error, undefined)
    assert.equal(server.modelRequests[0]?.headers.originator, 'Zo_ __x: y')
  })

  it('echoes the turn state that it was given', async () => {
    await using server = await ScriptedResponsesServer.start([
      { items: [], headers: { 'x-codex-turn-state': 'abc' } },
      { items: [] },
    ])
    const client = clientOf(server.baseUrl)
    const first = await attempt(client)
    const started = first.events[0]
    assert.ok(started?.type === 'started')
    assert.equal(started.turnState, 'abc')
    await attempt(client, { request: { ...REQUEST, turnState: 'abc' } })
    const echoed = server.modelRequests.map(({ headers }) => headers['x-codex-turn-state'])
    assert.deepEqual(echoed, [undefined, 'abc'])
  })
})

describe('a whole response', () => {
  it('is told event by event, the items in their stored form', async () => {
    const call = functionCall('look', { at: 1 }, 'call_1')
    const { events, error } = await tryScript([
      {
        items: [HELLO, call],
        deltas: 2,
        usage: { input_tokens: 7, cached_input_tokens: 3, output_tokens: 2 },
        headers: { 'x-codex-primary-used-percent': '12.5' },
      },
    ])
    assert.equal(error, undefined)
    const [started, ...rest] = events
    assert.ok(started?.type === 'started')
    assert.deepEqual(started.rateLimits?.primary, {
      used_percent: 12.5,
      window_minutes: null,
      resets_at: null,
    })
    const content = [{ type: 'output_text', text: 'hello' }]
    assert.deepEqual(rest, [
      { type: 'itemAdded', id: 'msg_1', item: { type: 'message', role: 'assistant', content: [] } },
      { type: 'textDelta', itemId: 'msg_1', delta: 'hel' },
      { type: 'textDelta', itemId: 'msg_1', delta: 'lo' },
      { type: 'itemDone', id: 'msg_1', item: { type: 'message', role: 'assistant', content } },
      {
        type: 'itemAdded',
        id: call.id,
        item: { type: 'function_call', name: 'look', arguments: '{"at":1}', call_id: 'call_1' },
      },
      {
        type: 'itemDone',
        id: call.id,
        item: { type: 'function_call', name: 'look', arguments: '{"at":1}', call_id: 'call_1' },
      },
      {
        type: 'completed',
        usage: {
          input_tokens: 7,
          cached_input_tokens: 3,
          output_tokens: 2,
          reasoning_output_tokens: 0,
          total_tokens: 9,
        },
        endTurn: true,
      },
    ])
  })

  it('may lack its usage', async () => {
    const { events } = await tryScript([{ items: [], usage: null, endTurn: false }])
    assert.deepEqual(events.at(-1), { type: 'completed', usage: null, endTurn: false })
  })

  it('keeps characters whole that came in two chunks', async () => {
    const text = 'naïve – ✓ 🙂'
    const item = assistantMessage(text, { id: 'm' })
    const bytes = Buffer.from(frame({ type: 'response.output_item.done', item }) + frame(COMPLETED))
    await using server = await rawServer(async (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      for (const byte of bytes) {
        await new Promise<void>((sent) => response.write(Buffer.of(byte), () => sent()))
      }
      response.end()
    })
    const { events, error } = await attempt(clientOf(server.baseUrl))
    assert.equal(error, undefined)
    assert.deepEqual(events[1], {
      type: 'itemDone',
      id: 'm',
      item: { type: 'message', role: 'assistant', content: [{ type: 'output_text', text }] },
    })
  })

  it('skips frames that are no JSON, kinds it does not know and malformed items', async () => {
    const done = (item: JsonObject) => frame({ type: 'response.output_item.done', item })
    const text = [
      ': a comment\n\n',
      'data: {"type":"response.output_item.done"\n\n',
      'data: 5\n\n',
      'nonsense without a colon\n\n',
      frame({ type: 'response.something_new', item: HELLO }),
      done({ type: 'message', role: 'assistant' }),
      done({ type: 'message', role: 'assistant', content: [null] }),
      done({ type: 'message', role: 'assistant', content: [{ type: 'output_text' }] }),
      done({ type: 'reasoning', summary: ['x'] }),
      done({ type: 'reasoning', summary: [], content: [7] }),
      done({ type: 'function_call', name: 'look', call_id: 'c' }),
      frame({ type: 'response.output_item.done' }),
      done(HELLO),
      frame(COMPLETED),
    ].join('')
    const { events, error } = await tryScript([fault({ kind: 'garbage', text })])
    assert.equal(error, undefined)
    assert.deepEqual(
      events.map((event) => (event.type === 'itemDone' ? event.id : event.type)),
      ['started', 'msg_1', 'completed'],
    )
  })

  it('is not read beyond its completion', async () => {
    await using server = await rawServer((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(frame(COMPLETED) + frame({ type: 'response.failed', response: {} }))
    })
    const { events, error } = await attempt(clientOf(server.baseUrl))
    assert.equal(error, undefined)
    assert.deepEqual(events.at(-1)?.type, 'completed')
  })

  it('leaves a connection that the next request can use, or replaces a stale one', async () => {
    await using server = await rawServer((response, count) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.end(frame(COMPLETED))
      if (count === 2) response.socket?.destroySoon()
    })
    const client = clientOf(server.baseUrl)
    for (let round = 0; round < 4; round += 1) {
      const { error } = await attempt(client)
      assert.equal(error, undefined)
    }
  })
})

describe('attempts of one request', () => {
  it('repeats 5xx in silence, up to the limit, waiting twice as long each time', async () => {
    const script = [...Array(4).fill(status(502, 'bad')), { items: [HELLO] }]
    const { events, error, clock, server } = await tryScript(script, { requestMaxRetries: 4 })
    assert.equal(error, undefined)
    assert.equal(events[0]?.type, 'started')
    assert.equal(server.modelRequests.length, 5)
    const doublings = clock.sleeps.map((ms) => Math.abs(Math.round(Math.log2(ms / 200))))
    assert.deepEqual(doublings, [0, 1, 2, 3])
  })

  it('repeats an overloaded model too, although its stream is not tried again', async () => {
    const busy = status(503, json({ code: 'slow_down' }))
    const { error, server } = await tryScript([busy, busy], { requestMaxRetries: 1 })
    assert.equal(server.modelRequests.length, 2)
    assert.deepEqual(errorFacts(error), {
      message: CAPACITY,
      codexErrorInfo: 'serverOverloaded',
      isRetryable: false,
    })
  })

  it('does not repeat a refusal that has a cause of its own', async () => {
    const refusals = [
      status(400, json({ code: 'context_length_exceeded' })),
      status(429, json({ type: 'usage_limit_reached' })),
    ]
    for (const refusal of refusals) {
      const { server } = await tryScript([refusal, { items: [] }], { requestMaxRetries: 4 })
      assert.equal(server.modelRequests.length, 1)
    }
  })

  it('gives the last failure when the limit is reached', async () => {
    const script = Array(3).fill(status(503, '{"error":{"message":"busy"}}'))
    const { error, clock, server } = await tryScript(script, { requestMaxRetries: 2 })
    assert.equal(server.modelRequests.length, 3)
    assert.equal(clock.sleeps.length, 2)
    assert.deepEqual(errorFacts(error), {
      message: `unexpected status 503 Service Unavailable: busy, url: ${urlOf(server)}`,
      codexErrorInfo: 'other',
      isRetryable: true,
    })
  })

  it('waits as long as the server asks, but no longer than a minute', async () => {
    const at = new Date(new TestClock().now + 5000).toUTCString()
    const script = [
      status(500, '', { 'retry-after': '2' }),
      status(500, '', { 'retry-after': '86400' }),
      status(500, '', { 'retry-after': at }),
      { items: [] },
    ]
    const { error, clock } = await tryScript(script, { requestMaxRetries: 4 })
    assert.equal(error, undefined)
    assert.deepEqual(clock.sleeps, [2000, 60_000, 5000])
  })

  it('does not count the wait between attempts as idle time', async () => {
    await using server = await ScriptedResponsesServer.start([status(500, ''), { items: [HELLO] }])
    const clock = new TestClock()
    const client = clientOf(
      server.baseUrl,
      { requestMaxRetries: 1, streamIdleTimeoutMs: 40 },
      { clock },
    )
    const sleeping = clock.slept(() => true)
    const attempting = attempt(client)
    await sleeping
    await new Promise((done) => setTimeout(done, 80))
    clock.wake()
    assert.equal((await attempting).error, undefined)
  })

  it('repeats a refused connection', async () => {
    const server = await ScriptedResponsesServer.start([])
    const { baseUrl } = server
    await server[Symbol.asyncDispose]()
    const clock = new TestClock(() => true)
    const { error } = await attempt(clientOf(baseUrl, { requestMaxRetries: 3 }, { clock }))
    assert.equal(clock.sleeps.length, 3)
    assert.deepEqual(errorFacts(error), {
      message:
        'stream disconnected before completion: ' +
        `error sending request for url (${baseUrl}/responses)`,
      codexErrorInfo: 'other',
      isRetryable: true,
    })
    const { origin, host } = new URL(baseUrl)
    assert.equal(causeText(error), `connect ECONNREFUSED ${host} (${origin})`)
  })

  it('says why a connection cannot be secured', async () => {
    await using server = await ScriptedResponsesServer.start([])
    const baseUrl = server.baseUrl.replace('http:', 'https:')
    const { error } = await attempt(clientOf(baseUrl, { requestMaxRetries: 0 }))
    assert.match(causeText(error), /SSL.*\(https:\/\/127\.0\.0\.1:\d+\)$/s)
  })

  for (const code of [400, 401, 403, 404, 409, 422, 429]) {
    it(`does not repeat ${code}`, async () => {
      const script = [status(code, 'no'), { items: [] }]
      const { error, clock, server } = await tryScript(script, { requestMaxRetries: 4 })
      assert.ok(error instanceof ModelError)
      assert.equal(server.modelRequests.length, 1)
      assert.deepEqual(clock.sleeps, [])
    })
  }
})

function urlOf(server: ScriptedResponsesServer): string {
  const { headers, url } = server.modelRequests[0] ?? assert.fail()
  return `http://${headers.host}${url}`
}

interface Fate {
  readonly name: string
  readonly step: ScriptedStep
  readonly message: string | RegExp
  readonly info: unknown
  readonly isRetryable: boolean
}

const DISCONNECTED = 'stream disconnected before completion: '
const NO_ROOM =
  "Codex ran out of room in the model's context window. Start a new thread or clear earlier " +
  'history before retrying.'
const CAPACITY = 'Selected model is at capacity. Please try a different model.'

function failed(code: string | undefined, message?: string): ScriptedStep {
  const error = { ...(code ? { code } : {}), ...(message ? { message } : {}) }
  return fault({ kind: 'failed', error })
}

function json(error: JsonObject): string {
  return JSON.stringify({ error })
}

/** The rows of C8; `URL` stands for the endpoint. */
const FATES: readonly Fate[] = [
  ...(
    [
      [401, 'Unauthorized'],
      [403, 'Forbidden'],
      [404, 'Not Found'],
      [409, 'Conflict'],
      [418, "I'm a Teapot"],
      [502, 'Bad Gateway'],
    ] as const
  ).map(([code, text]) => ({
    name: `${code}`,
    step: status(code, json({ message: 'no such key' })),
    message: `unexpected status ${code} ${text}: no such key, url: URL`,
    info: 'other',
    isRetryable: true,
  })),
  {
    name: '404 in HTML behind a proxy',
    step: status(404, '<h1>gone</h1>', { 'cf-ray': 'ray-1' }),
    message: 'unexpected status 404 Not Found: <h1>gone</h1>, url: URL, cf-ray: ray-1',
    info: 'other',
    isRetryable: true,
  },
  {
    name: '403 without a word',
    step: status(403, ''),
    message: 'unexpected status 403 Forbidden: Unknown error, url: URL',
    info: 'other',
    isRetryable: true,
  },
  {
    name: '400',
    step: status(400, '{"error":{"message":"bad"}}'),
    message: '{"error":{"message":"bad"}}',
    info: 'other',
    isRetryable: false,
  },
  {
    name: '400, invalid image',
    step: status(400, json({ message: 'The image data does not represent a valid image' })),
    message: 'Invalid image in your last message. Please remove it and try again.',
    info: 'badRequest',
    isRetryable: false,
  },
  {
    name: '400, cyber policy',
    step: status(400, json({ code: 'cyber_policy', message: 'not that' })),
    message: 'not that',
    info: 'cyberPolicy',
    isRetryable: false,
  },
  {
    name: '400, context length (0.133.0 does not see it)',
    step: status(400, json({ code: 'context_length_exceeded', message: 'long' })),
    message: NO_ROOM,
    info: 'contextWindowExceeded',
    isRetryable: false,
  },
  {
    name: '429, usage limit',
    step: status(429, json({ type: 'usage_limit_reached', resets_at: 1_795_167_825 })),
    message: /^You've hit your usage limit\. Try again at .+2026.+\.$/,
    info: 'usageLimitExceeded',
    isRetryable: false,
  },
  {
    name: '429, usage limit without a time',
    step: status(429, json({ type: 'usage_limit_reached', resets_at: 1e300 })),
    message: "You've hit your usage limit.",
    info: 'usageLimitExceeded',
    isRetryable: false,
  },
  {
    name: '429, plan',
    step: status(429, json({ type: 'usage_not_included' })),
    message: 'Your plan does not include this model. Upgrade it, or choose another model.',
    info: 'usageLimitExceeded',
    isRetryable: false,
  },
  {
    name: '429, any other',
    step: status(429, json({ type: 'insufficient_quota' }), { 'retry-after': '1' }),
    message: 'exceeded retry limit, last status: 429 Too Many Requests',
    info: { responseTooManyFailedAttempts: { httpStatusCode: 429 } },
    isRetryable: false,
  },
  {
    name: '500',
    step: status(500, json({ message: 'oops' })),
    message: "We're currently experiencing high demand, which may cause temporary errors.",
    info: 'internalServerError',
    isRetryable: true,
  },
  ...['server_is_overloaded', 'slow_down'].map((code) => ({
    name: `503, ${code}`,
    step: status(503, json({ code })),
    message: CAPACITY,
    info: 'serverOverloaded',
    isRetryable: false,
  })),
  {
    name: 'failed, context length',
    step: failed('context_length_exceeded', 'long'),
    message: NO_ROOM,
    info: 'contextWindowExceeded',
    isRetryable: false,
  },
  {
    name: 'failed, quota',
    step: failed('insufficient_quota', 'x'),
    message: 'Quota exceeded. Check your plan and billing details.',
    info: 'usageLimitExceeded',
    isRetryable: false,
  },
  {
    name: 'failed, plan',
    step: failed('usage_not_included', 'x'),
    message: 'Your plan does not include this model. Upgrade it, or choose another model.',
    info: 'usageLimitExceeded',
    isRetryable: false,
  },
  ...['server_is_overloaded', 'slow_down'].map((code) => ({
    name: `failed, ${code}`,
    step: failed(code, 'x'),
    message: CAPACITY,
    info: 'serverOverloaded',
    isRetryable: false,
  })),
  {
    name: 'failed, cyber policy',
    step: failed('cyber_policy', 'not that'),
    message: 'not that',
    info: 'cyberPolicy',
    isRetryable: false,
  },
  {
    name: 'failed, invalid prompt',
    step: failed('invalid_prompt', 'rephrase'),
    message: 'rephrase',
    info: 'other',
    isRetryable: false,
  },
  {
    name: 'failed, anything else',
    step: failed('strange', 'boom'),
    message: `${DISCONNECTED}boom`,
    info: 'other',
    isRetryable: true,
  },
  {
    name: 'failed without a word',
    step: failed(undefined),
    message: `${DISCONNECTED}response.failed event received`,
    info: 'other',
    isRetryable: true,
  },
  {
    name: 'incomplete',
    step: fault({ kind: 'incomplete', reason: 'max_output_tokens' }),
    message: `${DISCONNECTED}Incomplete response returned, reason: max_output_tokens`,
    info: 'other',
    isRetryable: true,
  },
  {
    name: 'clean close',
    step: fault({ kind: 'close', afterEvents: 2 }, [HELLO]),
    message: `${DISCONNECTED}stream closed before response.completed`,
    info: 'other',
    isRetryable: true,
  },
  {
    name: 'no stream at all',
    step: fault({ kind: 'garbage', text: '<html>welcome</html>' }),
    message: `${DISCONNECTED}stream closed before response.completed`,
    info: 'other',
    isRetryable: true,
  },
  {
    name: 'cut',
    step: fault({ kind: 'cut', afterEvents: 2 }, [HELLO]),
    message: `${DISCONNECTED}Transport error: network error: error decoding response body`,
    info: 'other',
    isRetryable: true,
  },
  {
    name: 'malformed usage',
    step: fault({
      kind: 'garbage',
      text: frame({ type: 'response.completed', response: { usage: { input_tokens: 1 } } }),
    }),
    message: `${DISCONNECTED}failed to parse ResponseCompleted: missing field \`output_tokens\``,
    info: 'other',
    isRetryable: true,
  },
]

describe('how a request fails [C8]', () => {
  for (const { name, step, message, info, isRetryable } of FATES) {
    it(name, async () => {
      const { error, server } = await tryScript([step])
      const facts = errorFacts(error)
      const text = typeof message === 'string' ? message.replace('URL', urlOf(server)) : message
      if (typeof text === 'string') assert.equal(facts.message, text)
      else assert.match(facts.message, text)
      assert.deepEqual([facts.codexErrorInfo, facts.isRetryable], [info, isRetryable])
    })
  }

  for (const [text, waitMs] of [
    ['Please try again in 1.2s.', 1200],
    ['Try again in 250ms', 250],
    ['try again in 3 seconds', 3000],
    ['try again in 90000s', 60_000],
    ['try again soon', undefined],
  ] as const) {
    it(`takes the wait from "${text}", within a minute`, async () => {
      const { error } = await tryScript([failed('rate_limit_exceeded', text)])
      assert.ok(error instanceof ModelError)
      assert.deepEqual([error.retryAfterMs, error.isRetryable], [waitMs, true])
    })
  }

  it('reads no more of an endless error than it can show', { timeout: 5000 }, async () => {
    await using server = await rawServer((response) => {
      response.writeHead(400)
      const more = () => {
        if (!response.destroyed) response.write('x'.repeat(64 * 1024), more)
      }
      more()
    })
    const { error } = await attempt(clientOf(server.baseUrl))
    const { message, isRetryable } = errorFacts(error)
    assert.ok(message.length < 1024 * 1024 && !isRetryable)
  })

  it('gives up on a frame without end', { timeout: 5000 }, async () => {
    await using server = await rawServer((response) => {
      response.writeHead(200)
      response.write('data: ')
      const more = () => {
        if (!response.destroyed) response.write('x'.repeat(1024 * 1024), more)
      }
      more()
    })
    const { error } = await attempt(clientOf(server.baseUrl))
    assert.deepEqual(errorFacts(error), {
      message: 'the model sent an event of over 32 million characters',
      codexErrorInfo: 'other',
      isRetryable: false,
    })
  })
})

function causeText(error: unknown): string {
  assert.ok(error instanceof ModelError && error.cause instanceof Error)
  return error.cause.message
}

describe('a silent server', () => {
  const IDLE = `${DISCONNECTED}idle timeout waiting for SSE`

  it('that accepts and never answers is given up after the idle time', async () => {
    await using server = await ScriptedResponsesServer.start(() => new Promise(() => undefined))
    const { events, error } = await attempt(clientOf(server.baseUrl, { streamIdleTimeoutMs: 30 }))
    assert.deepEqual(events, [])
    assert.deepEqual(errorFacts(error), {
      message: IDLE,
      codexErrorInfo: 'other',
      isRetryable: true,
    })
    assert.equal(causeText(error), `nothing came for 0.03 s (${new URL(server.baseUrl).origin})`)
  })

  it('that stalls in the middle is given up too, and what had come was told', async () => {
    const { events, error } = await tryScript([fault({ kind: 'stall', afterEvents: 3 }, [HELLO])], {
      streamIdleTimeoutMs: 30,
    })
    assert.deepEqual(
      events.map((event) => event.type),
      ['started', 'itemAdded', 'textDelta'],
    )
    assert.equal(errorFacts(error).message, IDLE)
  })

  it('that stalls inside an error is given up too', async () => {
    await using server = await rawServer((response) => {
      response.writeHead(400, { 'content-length': '100' })
      response.write('half')
    })
    const { error } = await attempt(clientOf(server.baseUrl, { streamIdleTimeoutMs: 30 }))
    assert.equal(errorFacts(error).message, IDLE)
  })

  it('is not to blame when the reader of the events is slow', async () => {
    await using server = await ScriptedResponsesServer.start([{ items: [HELLO], deltas: 5 }])
    const client = clientOf(server.baseUrl, { streamIdleTimeoutMs: 40 })
    const types: string[] = []
    for await (const event of client.stream(REQUEST, new AbortController().signal)) {
      if (types.push(event.type) === 1) await new Promise((done) => setTimeout(done, 80))
    }
    assert.equal(types.at(-1), 'completed')
  })

  it('may be waited for longer than a timer can count', async () => {
    const { error } = await tryScript([{ items: [] }], { streamIdleTimeoutMs: 1e12 })
    assert.equal(error, undefined)
  })
})

describe('an abort', () => {
  it('before the request sends nothing', async () => {
    await using server = await ScriptedResponsesServer.start([{ items: [] }])
    const reason = new Error('stop')
    const { error } = await attempt(clientOf(server.baseUrl), { signal: AbortSignal.abort(reason) })
    assert.equal(error, reason)
    assert.equal(server.requests.length, 0)
  })

  for (const where of ['before the headers', 'in the middle of the stream'] as const) {
    it(`${where} throws its reason at once and frees the socket`, async () => {
      const arrived = Promise.withResolvers<void>()
      await using server = await rawServer((response) => {
        if (where === 'in the middle of the stream') {
          response.writeHead(200)
          response.write(frame({ type: 'response.output_item.done', item: HELLO }))
        }
        arrived.resolve()
      })
      const stop = new AbortController()
      const reason = new Error('stop')
      const attempting = attempt(clientOf(server.baseUrl), { signal: stop.signal })
      await arrived.promise
      const closed = whenClosed(server.sockets[0])
      stop.abort(reason)
      assert.equal((await attempting).error, reason)
      await closed
    })
  }

  it('between two attempts throws its reason', async () => {
    await using server = await ScriptedResponsesServer.start([status(500, ''), { items: [] }])
    const clock = new TestClock()
    const stop = new AbortController()
    const reason = new Error('stop')
    const sleeping = clock.slept(() => true)
    const client = clientOf(server.baseUrl, { requestMaxRetries: 4 }, { clock })
    const attempting = attempt(client, { signal: stop.signal })
    await sleeping
    stop.abort(reason)
    assert.equal((await attempting).error, reason)
    assert.equal(server.modelRequests.length, 1)
  })

  it('ends a stream whose next events have arrived already', async () => {
    const items = Array.from({ length: 50 }, (_, at) => assistantMessage('x', { id: `m${at}` }))
    const text = items.map((item) => frame({ type: 'response.output_item.done', item })).join('')
    await using server = await ScriptedResponsesServer.start([fault({ kind: 'garbage', text })])
    const stop = new AbortController()
    const seen: string[] = []
    const reading = (async () => {
      for await (const event of clientOf(server.baseUrl).stream(REQUEST, stop.signal)) {
        if (seen.push(event.type) === 3) stop.abort(new Error('stop'))
      }
    })()
    await assert.rejects(reading, /^Error: stop$/)
    assert.equal(seen.length, 3)
  })

  it('by leaving the loop frees the socket', async () => {
    await using server = await rawServer((response) => {
      response.writeHead(200)
      response.write(frame({ type: 'response.output_item.done', item: HELLO }))
    })
    for await (const event of clientOf(server.baseUrl).stream(
      REQUEST,
      new AbortController().signal,
    )) {
      if (event.type === 'itemDone') break
    }
    await whenClosed(server.sockets[0])
  })
})
