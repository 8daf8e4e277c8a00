import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { HttpToolServer } from '../../../test/support/mcp/http-server.ts'
import { httpConfig, McpKit, stdioConfig } from '../../../test/support/mcp/kit.ts'
import { PIXEL } from '../../../test/support/mcp/tool-server.ts'
import { TempFolder } from '../../../test/support/temp-folder.ts'
import { TestClock } from '../../../test/support/test-clock.ts'
import type { SessionError } from '../errors.ts'
import type { McpServerConfig } from './index.ts'

const output = (text: string) =>
  `Wall time: <t> seconds\nOutput:\n${JSON.stringify([{ type: 'text', text }])}`

const failed = (tool: string, cause: string) =>
  output(`tool call error: tool call failed for \`fake/${tool}\`\n\nCaused by:\n    ${cause}`)

const fake = (more: Partial<McpServerConfig> = {}) => stdioConfig('stdio-server', [], more)
const broken = (fault: string, more: Partial<McpServerConfig> = {}) =>
  stdioConfig('broken-server', [fault], more)

const textOf = (value: unknown): string =>
  JSON.parse(String(value).slice(String(value).indexOf('[')))[0].text

function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}`) && !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')
}

describe('MCP servers of a session', () => {
  it('are started when made, and offer their tools in a namespace, in order of name', async () => {
    await using kit = await McpKit.open([fake()])
    assert.deepEqual(kit.statuses, ['fake starting', 'fake ready'])
    assert.deepEqual(
      kit.names,
      ['ask', 'ask_page', 'cancelled', 'echo', 'exit', 'fails', 'grow', 'large', 'never', 'picture']
        .concat(['plain', 'refuses', 'structured', 'surroundings', 'write'])
        .map((name) => `mcp__fake__${name}`),
    )
    const { spec, namespace } = kit.tool('echo')
    assert.deepEqual(namespace, {
      name: 'mcp__fake__',
      description: 'Use the fake server with care.',
    })
    assert.deepEqual(spec, {
      type: 'function',
      name: 'echo',
      description: 'Says it again.',
      strict: false,
      parameters: {
        type: 'object',
        properties: { text: { type: 'string' } },
        required: ['text'],
      },
    })
    const call = { callId: 'c', name: 'x', kind: 'function', input: '{}' } as const
    assert.equal(kit.tool('echo').isParallel(call), true)
    assert.equal(kit.tool('write').isParallel(call), false)
  })

  it('answer in the words of real Codex', async () => {
    await using kit = await McpKit.open([fake()])
    assert.equal(await kit.call('echo', { text: 'hi' }), output('hi'))
    assert.equal(await kit.call('structured'), 'Wall time: <t> seconds\nOutput:\n{"a":1}')
    assert.equal(await kit.call('fails'), output('it failed'))
    assert.equal(
      await kit.call('refuses'),
      failed('refuses', 'Mcp error: -32603: it broke({"why":1})'),
    )
    assert.equal(
      await kit.call('echo', '[1]'),
      failed('echo', 'MCP tool arguments must be a JSON object, got [1]'),
    )
    assert.match(String(await kit.call('echo', '{bad')), /"err: /)
    const deep = `{"text":${'['.repeat(100_000)}${']'.repeat(100_000)}}`
    assert.match(String(await kit.call('echo', deep)), /"err: /)
    assert.equal(await kit.call('plain', ''), output('ok plain'))
    assert.deepEqual(await kit.call('picture'), [
      { type: 'input_text', text: 'Wall time: <t> seconds\nOutput:' },
      { type: 'input_text', text: 'see' },
      { type: 'input_image', image_url: `data:image/png;base64,${PIXEL}`, detail: 'high' },
    ])
    const large = String(await kit.call('large'))
    assert.match(large, /x…3016 tokens truncated…x/)
    assert.ok(large.length < 48_100)
  })

  it('have their calls told, kept and told again', async () => {
    const clock = new TestClock()
    await using kit = await McpKit.open([fake()], { clock })
    await kit.call('structured')
    await kit.call('refuses', '')
    const ok = {
      type: 'mcpToolCall',
      id: 'call_1',
      server: 'fake',
      tool: 'structured',
      arguments: {},
      error: null,
    }
    const message =
      'tool call error: tool call failed for `fake/refuses`\n\nCaused by:\n    ' +
      'Mcp error: -32603: it broke({"why":1})'
    const bad = { ...ok, id: 'call_2', tool: 'refuses', arguments: null, result: null }
    const content = [{ type: 'text', text: '{"a":1}' }]
    const result = { content, structuredContent: { a: 1 }, _meta: { k: 'v' } }
    const started = { status: 'inProgress', result: null, durationMs: null }
    assert.deepEqual(kit.told, [
      { type: 'itemStarted', turnId: 'turn', item: { ...ok, ...started } },
      {
        type: 'itemCompleted',
        turnId: 'turn',
        item: { ...ok, status: 'completed', result, durationMs: 0 },
      },
      { type: 'itemStarted', turnId: 'turn', item: { ...bad, ...started } },
      {
        type: 'itemCompleted',
        turnId: 'turn',
        item: { ...bad, status: 'failed', error: { message }, durationMs: 0 },
      },
    ])
    const end = { type: 'mcp_tool_call_end', duration: { secs: 0, nanos: 0 } }
    assert.deepEqual(
      kit.kept.map((line) => line.payload),
      [
        {
          ...end,
          call_id: 'call_1',
          invocation: { server: 'fake', tool: 'structured', arguments: {} },
          result: { Ok: result },
        },
        {
          ...end,
          call_id: 'call_2',
          invocation: { server: 'fake', tool: 'refuses', arguments: null },
          result: { Err: message },
        },
      ],
    )
  })

  it('see a few variables, those that are configured, and the folder of the thread', async () => {
    const endpoint = { ...fake().endpoint, env: { MINE: '1', TERM: 'mine' }, envVars: ['LISTED'] }
    const environment = { PATH: process.env.PATH, TERM: 'x', LISTED: 'l', SECRET: 's', TZ: 'UTC' }
    await using kit = await McpKit.open([fake({ endpoint } as Partial<McpServerConfig>)], {
      environment,
    })
    const { env, cwd } = JSON.parse(textOf(await kit.call('surroundings')))
    const { PATH } = process.env
    assert.deepEqual(env, { PATH, TERM: 'mine', LISTED: 'l', TZ: 'UTC', MINE: '1' })
    assert.equal(cwd, kit.settings.cwd)
  })

  it('offer what the configuration lets through', async () => {
    const some = { enabledTools: ['echo', 'plain'], disabledTools: ['plain'] }
    await using kit = await McpKit.open([
      fake(some),
      fake({ name: 'off', isEnabled: false }),
      fake({ name: 'my-srv', enabledTools: ['fails'] }),
    ])
    assert.deepEqual(kit.names, ['mcp__fake__echo', 'mcp__my_srv__fails'])
    assert.deepEqual(kit.statuses.toSorted(), [
      'fake ready',
      'fake starting',
      'my-srv ready',
      'my-srv starting',
    ])
  })

  it('may change their list while it is being read', async () => {
    await using kit = await McpKit.open([broken('early')])
    assert.deepEqual(kit.names, ['mcp__fake__go', 'mcp__fake__later'])
  })

  it('may change their list', async () => {
    await using kit = await McpKit.open([fake()])
    await kit.call('grow')
    await kit.servers.ready()
    assert.ok(kit.names.includes('mcp__fake__grown_15'))
  })
})

describe('resources of MCP servers', () => {
  it('are listed and read by functions', async () => {
    await using kit = await McpKit.open([fake(), broken('went', { name: 'bare' })])
    const entry = { server: 'fake', uri: 'file:///a', name: 'a', mimeType: 'text/plain' }
    const template = { server: 'fake', uriTemplate: 'file:///{x}', name: 'any' }
    const answers = [
      await kit.call('list_mcp_resources', ''),
      await kit.call('list_mcp_resources', { server: 'fake' }),
      await kit.call('list_mcp_resource_templates'),
      await kit.call('list_mcp_resource_templates', { server: 'fake' }),
      await kit.call('read_mcp_resource', { server: 'fake', uri: 'file:///a' }),
    ]
    assert.deepEqual(
      answers.map((answer) => JSON.parse(String(answer))),
      [
        { resources: [entry] },
        { server: 'fake', resources: [entry] },
        { resourceTemplates: [template] },
        { server: 'fake', resourceTemplates: [template] },
        {
          server: 'fake',
          uri: 'file:///a',
          contents: [{ uri: 'file:///a', mimeType: 'text/plain', text: 'of a' }],
        },
      ],
    )
    const invocations = kit.kept.map((line) => (line.payload as { invocation: unknown }).invocation)
    assert.deepEqual(invocations.slice(0, 2), [
      { server: 'codex', tool: 'list_mcp_resources', arguments: null },
      { server: 'fake', tool: 'list_mcp_resources', arguments: { server: 'fake' } },
    ])
  })

  it('that are not there are told in the words of real Codex', async () => {
    await using kit = await McpKit.open([fake()])
    assert.equal(
      await kit.call('read_mcp_resource', { server: 'fake', uri: 'file:///zzz' }),
      'resources/read failed: resources/read failed for `fake` (file:///zzz): ' +
        'Mcp error: -32602: no such resource({"uri":"file:///zzz"})',
    )
    assert.equal(
      await kit.call('list_mcp_resources', { server: 'nope' }),
      "resources/list failed: unknown MCP server 'nope'",
    )
    await assert.rejects(kit.call('read_mcp_resource', { server: 'fake' }), {
      message: 'failed to parse function arguments: missing field `uri`',
    })
    await assert.rejects(kit.call('list_mcp_resources', '{bad'), /^ArgumentsError: failed to parse/)
  })

  it('are not offered where there are no servers', async () => {
    await using kit = await McpKit.open([fake({ isEnabled: false })])
    assert.deepEqual(kit.servers.resourceTools, [])
  })
})

describe('an MCP server that does not start', () => {
  it('for it hangs is given up in time', async () => {
    const clock = new TestClock((ms) => ms === 7000)
    const hung = broken('hangs', { startupTimeoutMs: 7000 })
    await using kit = await McpKit.open([hung], { clock })
    assert.deepEqual(kit.statuses, [
      'fake starting',
      'fake failed MCP client for `fake` timed out after 7 seconds. Add or adjust ' +
        '`startup_timeout_sec` in your config.toml:\n' +
        '[mcp_servers.fake]\nstartup_timeout_sec = XX',
    ])
    assert.deepEqual(kit.names, [])
  })

  it('and is required fails what waits for it', async () => {
    const required = broken('exits', { isRequired: true })
    await using kit = new McpKit([required, broken('exits', { name: 'other' })])
    await assert.rejects(kit.servers.ready(), (error: SessionError) => {
      assert.equal(error.code, 'not_started')
      assert.match(error.message, /^required MCP servers failed to initialize: fake: [^,]+$/)
      return true
    })
  })

  it('for it exits is told with its last words', async () => {
    await using kit = await McpKit.open([broken('exits')])
    assert.match(
      kit.statuses[1] ?? '',
      /^fake failed MCP client for `fake` failed to start: .*: cannot find my settings$/,
    )
  })

  it('for it is not there is told, and the others work', async () => {
    const endpoint = { ...fake().endpoint, command: '/nowhere/server' }
    const missing = fake({ name: 'gone', endpoint } as Partial<McpServerConfig>)
    await using kit = await McpKit.open([missing, fake()])
    const told = kit.statuses.find((status) => status.startsWith('gone failed'))
    assert.match(told ?? '', /failed to start: MCP startup failed: spawn \/nowhere\/server ENOENT/)
    assert.equal(await kit.call('echo', { text: 'hi' }), output('hi'))
  })

  it('before the session ends is cancelled', async () => {
    const kit = new McpKit([broken('hangs')])
    await kit[Symbol.asyncDispose]()
    assert.deepEqual(kit.statuses, ['fake starting', 'fake cancelled'])
    await kit.servers.ready()
  })
})

describe('an MCP server that misbehaves', () => {
  it('by talking rubbish is heard all the same', async () => {
    await using kit = await McpKit.open([broken('rubbish')])
    assert.deepEqual(kit.names, ['mcp__fake__go'])
    assert.equal(await kit.call('go'), output('behind rubbish'))
  })

  for (const fault of ['shape', 'empty', 'deep']) {
    it(`by an answer that is none (${fault}) fails that call alone`, async () => {
      await using kit = await McpKit.open([broken(fault)])
      const none = failed('go', 'Unexpected response type')
      assert.deepEqual([await kit.call('go'), await kit.call('go')], [none, none])
    })
  }

  it('by flooding is cut off, and started again by the next call', async () => {
    await using kit = await McpKit.open([broken('flood')])
    const cause = 'the server sent more than 16 MiB in one message'
    assert.equal(await kit.call('go'), failed('go', cause))
    assert.equal(await kit.call('go'), failed('go', cause))
  })

  it('by a failure as long as a book is quoted to a limit', async () => {
    await using kit = await McpKit.open([broken('verbose')])
    assert.ok(String(await kit.call('go')).length < 10_000)
  })

  it('by a list without end is heard to a limit', async () => {
    await using kit = await McpKit.open([broken('endless')])
    assert.deepEqual(kit.names, ['mcp__fake__go'])
  })

  it('by much noise beside the protocol is heard all the same', async () => {
    await using kit = await McpKit.open([broken('noisy')])
    assert.equal(await kit.call('go'), output('noisy went'))
  })

  it('by dying during a call is told, and started again by the next call', async () => {
    await using kit = await McpKit.open([fake()])
    const before = JSON.parse(textOf(await kit.call('surroundings'))).pid
    assert.equal(await kit.call('exit'), failed('exit', 'Transport closed'))
    assert.equal(await kit.call('echo', { text: 'again' }), output('again'))
    const after = JSON.parse(textOf(await kit.call('surroundings'))).pid
    assert.notEqual(after, before)
  })

  it('by not answering is waited for as configured, and told to stop', async () => {
    const clock = new TestClock()
    await using kit = await McpKit.open([fake({ toolTimeoutMs: 9000 })], { clock })
    const slept = clock.slept((ms) => ms === 9000)
    const waiting = kit.call('never')
    await slept
    await kit.call('echo', { text: 'the other has arrived before' })
    clock.wake()
    assert.equal(await waiting, failed('never', 'timed out awaiting tools/call after 9s'))
    assert.equal(await kit.call('cancelled'), output('1'))
  })

  it('by ignoring the end is killed, with its children', async () => {
    await using folder = await TempFolder.create()
    const file = folder.at('pids')
    const clock = new TestClock((ms) => ms === 1000)
    const deaf = stdioConfig('broken-server', ['deaf', file])
    const kit = await McpKit.open([deaf], { clock })
    const pids: number[] = JSON.parse(readFileSync(file, 'utf8'))
    assert.deepEqual(pids.map(isAlive), [true, true])
    await kit[Symbol.asyncDispose]()
    await kit[Symbol.asyncDispose]()
    // The kernel buries the killed when it comes to it.
    for (let looks = 0; pids.some(isAlive) && looks < 200; looks += 1) await sleep(10)
    assert.deepEqual(pids.map(isAlive), [false, false])
  })
})

describe('a call that the end of the turn cuts off', () => {
  it('is cancelled at the server, and kept as failed', async () => {
    await using kit = await McpKit.open([fake()])
    const waiting = kit.call('never')
    await kit.call('echo', { text: 'the other has arrived before' })
    kit.kept.length = 0
    kit.stop.abort(new Error('the turn was interrupted'))
    await assert.rejects(waiting, /the turn was interrupted/)
    const [line] = kit.kept
    assert.ok(line)
    const { result } = line.payload as { result: unknown }
    assert.deepEqual(result, { Err: 'the turn was interrupted' })
    kit.stop = new AbortController()
    assert.equal(await kit.call('cancelled'), output('1'))
  })
})

describe('an MCP server over HTTP', () => {
  it('is sent the configured headers, and works like all others', async () => {
    await using server = await HttpToolServer.start()
    const endpoint = {
      kind: 'http',
      url: server.url,
      bearerTokenEnvVar: 'TOKEN',
      headers: { 'X-One': '1' },
      envHeaders: { 'X-Two': 'TWO', 'X-Three': 'THREE' },
    } as const
    const environment = { TOKEN: 't0ken', TWO: '2' }
    await using kit = await McpKit.open([httpConfig(server.url, { endpoint })], { environment })
    assert.deepEqual(kit.statuses, ['fake starting', 'fake ready'])
    assert.equal(await kit.call('echo', { text: 'hi' }), output('hi'))
    await kit.call('grow')
    for (const headers of server.headers) {
      assert.equal(headers.authorization, 'Bearer t0ken')
      assert.deepEqual(
        [headers['x-one'], headers['x-two'], headers['x-three']],
        ['1', '2', undefined],
      )
    }
    await kit[Symbol.asyncDispose]()
    assert.equal(server.methods.at(-1), 'DELETE')
  })

  it('that cannot be used is told without any secret', async () => {
    await using server = await HttpToolServer.start()
    server.refuseWith = 500
    const { endpoint } = httpConfig(server.url)
    const withToken = (more: object) =>
      ({ endpoint: { ...endpoint, ...more } }) as Partial<McpServerConfig>
    await using kit = await McpKit.open([
      httpConfig(server.url, { name: 'down', ...withToken({ bearerToken: 's3cret' }) }),
      httpConfig(server.url, { name: 'unset', ...withToken({ bearerTokenEnvVar: 'NO_TOKEN' }) }),
      httpConfig(server.url, { name: 'bad', ...withToken({ bearerToken: 's3cret\n\u0000' }) }),
      httpConfig('nonsense', { name: 'nowhere' }),
      httpConfig('http://127.0.0.1:9/mcp', { name: 'closed' }),
    ])
    const failures = kit.statuses.filter((status) => status.includes(' failed ')).toSorted()
    assert.equal(failures.length, 5)
    assert.doesNotMatch(failures.join(), /s3cret/)
    assert.match(failures[0] ?? '', /^bad .*: header Authorization cannot be sent$/)
    assert.match(failures[1] ?? '', /^closed .*: fetch failed: .+$/)
    assert.match(failures[3] ?? '', /^nowhere .*: its url is no URL$/)
    assert.match(failures[4] ?? '', /^unset .*: environment variable NO_TOKEN with its token/)
  })

  it('asks the person like all others', async () => {
    await using server = await HttpToolServer.start()
    const settings = { approvalPolicy: 'on-request' } as const
    await using kit = await McpKit.open([httpConfig(server.url)], { settings })
    const answer = { action: 'accept', content: { name: 'Bob' } }
    kit.clients = { canAsk: () => true, ask: async () => answer as never }
    assert.equal(await kit.call('ask'), output(JSON.stringify(answer)))
  })

  it('that has forgotten the session is reached for again', async () => {
    await using server = await HttpToolServer.start()
    await using kit = await McpKit.open([httpConfig(server.url)])
    server.forgetSessions()
    assert.match(String(await kit.call('echo', { text: 'lost' })), /tool call error/)
    assert.equal(await kit.call('echo', { text: 'again' }), output('again'))
  })

  for (const form of ['json', 'events'] as const) {
    it(`that floods is cut off (${form})`, async () => {
      await using server = await HttpToolServer.start()
      await using kit = await McpKit.open([httpConfig(server.url)])
      server.floodWith = form
      const cause = 'the server sent too large a message'
      assert.equal(await kit.call('echo', { text: 'x' }), failed('echo', cause))
    })
  }
})
