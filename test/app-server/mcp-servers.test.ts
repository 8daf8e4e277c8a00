/** Rule: clients reach the MCP servers of a thread; a thread has those of its own configuration. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { isObject, type JsonObject, objectAt, stringAt } from '../../src/base/index.ts'
import { loadConfig } from '../../src/config/index.ts'
import { assistantMessage } from '../../src/core/index.ts'
import { parseThreadId } from '../../src/protocol/index.ts'
import { AppServerKit, KIT_CONFIG } from '../support/app-server-kit.ts'

const SERVER = join(import.meta.dirname, '..', 'support', 'mcp', 'stdio-server.ts')

const withServer = (name: string) => `${KIT_CONFIG}
[mcp_servers.${name}]
command = ${JSON.stringify(process.execPath)}
args = [${JSON.stringify(SERVER)}]
`

describe('MCP servers over the protocol', () => {
  it('are called and read for clients, and the model does not hear of it', async () => {
    await using kit = await AppServerKit.open([{ items: [assistantMessage('Hi')] }], {
      config: withServer('fake'),
    })
    const threadId = await kit.startThread()
    const call = (more: JsonObject) =>
      kit.client.request('mcpServer/tool/call', { threadId, server: 'fake', ...more })
    const echoed = await call({ tool: 'echo', arguments: { text: 'x' } })
    assert.deepEqual(echoed, { content: [{ type: 'text', text: 'x' }] })
    const contents = [{ uri: 'file:///a', mimeType: 'text/plain', text: 'of a' }]
    for (const about of [{}, { threadId }]) {
      const params = { ...about, server: 'fake', uri: 'file:///a' }
      assert.deepEqual(await kit.client.request('mcpServer/resource/read', params), { contents })
    }
    await kit.client.runTurn(threadId, 'Hello')
    assert.ok(!JSON.stringify(kit.model.requests).includes('"x"'))
  })

  it('ask the clients of a thread also when no turn runs, and are let go with it', async () => {
    await using kit = await AppServerKit.open([], {
      config: withServer('fake').replace('"never"', '"on-request"'),
    })
    const threadId = await kit.startThread()
    const params = { threadId, server: 'fake', tool: 'ask' }
    const asking = kit.client.request('mcpServer/tool/call', params)
    const { params: asked } = await kit.client.waitForRequest('mcpServer/elicitation/request')
    assert.equal(asked.turnId, null)
    const status = await kit.client.waitFor('thread/status/changed')
    assert.deepEqual(status.params.status, { type: 'active', activeFlags: ['waitingOnApproval'] })
    const id = parseThreadId(threadId)
    assert.ok(id)
    await kit.session.manager.remove(id)
    await assert.rejects(asking, /closed/)
  })

  it('are those of the configuration that the thread has its other settings from', async () => {
    let count = 0
    await using kit = await AppServerKit.open([], {
      server: {
        loadConfig: (overrides) => {
          count += 1
          const config = loadConfig({ home: '/nowhere', environment: {}, overrides, file: FILE })
          const [server] = config.mcpServers
          assert.ok(server)
          return { ...config, model: `m${count}`, mcpServers: [{ ...server, name: `s${count}` }] }
        },
      },
    })
    const started = await Promise.all([1, 2, 3].map(() => kit.client.request('thread/start', {})))
    for (const { thread, model } of started) {
      const id = parseThreadId(isObject(thread) ? (stringAt(thread, 'id') ?? '') : '')
      const names = id && kit.session.manager.get(id)?.mcpServers.map(({ name }) => name)
      assert.deepEqual(names, [String(model).replace('m', 's')])
    }
  })
})

const FILE: JsonObject = {
  model_provider: 'mock',
  model_providers: { mock: { name: 'mock', base_url: 'http://127.0.0.1:9/v1' } },
  mcp_servers: { one: { command: 'nosuch-command' } },
}

describe('an approval of what was denied', () => {
  it('is in what the model reads next', async () => {
    await using kit = await AppServerKit.open([{ items: [assistantMessage('Hi')] }])
    const threadId = await kit.startThread()
    const action = { type: 'command', source: 'shell', command: 'rm denied', cwd: '/tmp' }
    const event = { id: 'g', status: 'denied', action }
    await kit.client.request('thread/approveGuardianDeniedAction', { threadId, event })
    const passed = { ...event, status: 'approved', action: { ...action, command: 'rm passed' } }
    await kit.client.request('thread/approveGuardianDeniedAction', { threadId, event: passed })
    await kit.client.runTurn(threadId, 'Go on')
    const text = JSON.stringify(kit.model.requests.at(-1))
    assert.match(text, /"role":"developer".*rm denied.*allowed/)
    assert.ok(!text.includes('rm passed'))
  })
})

describe('a configuration that cannot be used', () => {
  it('is told to every client behind its handshake', async () => {
    const warning = { summary: 'Invalid', details: 'line 1' }
    await using kit = await AppServerKit.open([], { server: { configWarnings: [warning] } })
    const other = await kit.connect()
    for (const client of [kit.client, other]) {
      await client.waitFor('remoteControl/status/changed')
      assert.deepEqual(client.told(), ['configWarning', 'remoteControl/status/changed'])
      assert.deepEqual(objectAt({ ...client.notifications[0] }, 'params'), warning)
    }
  })
})
