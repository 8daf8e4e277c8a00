/** Rule: what clients ask of MCP servers is answered as by real Codex 0.133.0. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { isObject, type Json, type JsonObject, objectAt, stringAt } from '../../src/base/index.ts'
import { type Allowed, compareServers, type Server } from './both-servers.ts'
import type { Scratch } from './scratch.ts'

const LIMIT = { timeout: 120_000 }
const NONE = '01a1fe00-0000-7000-8000-000000000001'
const SERVER = join(import.meta.dirname, '..', 'support', 'mcp', 'stdio-server.ts')

/** Real Codex takes in the first page of a server's tools alone. */
const SERVERS = `
[mcp_servers.fake]
command = ${JSON.stringify(process.execPath)}
args = [${JSON.stringify(SERVER)}, "100"]

[mcp_servers.few]
command = ${JSON.stringify(process.execPath)}
args = [${JSON.stringify(SERVER)}, "100"]
enabled_tools = ["echo", "write"]
disabled_tools = ["write"]

[mcp_servers.gone]
command = "nosuch-cmd"

[mcp_servers.off]
command = "nosuch-cmd"
enabled = false

[mcp_servers.token]
url = "http://127.0.0.1:9/x"
http_headers = { Authorization = "x" }
`

const prepare =
  (approvalPolicy: string) =>
  async ({ home }: Scratch): Promise<void> => {
    const path = join(home, 'config.toml')
    const config = await readFile(path, 'utf8')
    await writeFile(path, config.replace('"never"', `"${approvalPolicy}"`) + SERVERS)
  }

const startWords: Allowed = {
  id: 'start-words',
  change: (answer) =>
    JSON.parse(JSON.stringify(answer).replace(/(MCP startup failed: )[^"]*/, '$1<why>')) as Json,
}

async function threadOf({ client }: Server): Promise<string> {
  const { thread } = await client.request('thread/start', {})
  const ready = (name: string) =>
    client.waitFor('mcpServer/startupStatus/updated', (told) => {
      return told.name === name && told.status !== 'starting'
    })
  await Promise.all(['fake', 'few', 'gone', 'token'].map(ready))
  return isObject(thread) ? (stringAt(thread, 'id') ?? '') : ''
}

describe('MCP servers', () => {
  it('are listed alike, with what they offer', LIMIT, async () => {
    await compareServers({
      prepare: prepare('never'),
      play: async ({ ask }) => {
        await ask('mcpServerStatus/list')
        await ask('mcpServerStatus/list', { detail: 'toolsAndAuthOnly' })
        await ask('mcpServerStatus/list', { limit: 1, cursor: '1', threadId: NONE })
        return null
      },
    })
  })

  it('are called alike, and read from', LIMIT, async () => {
    await compareServers({
      prepare: prepare('never'),
      differences: { 'mcpServer/tool/call': startWords, 'mcpServer/resource/read': startWords },
      play: async (server) => {
        const threadId = await threadOf(server)
        for (const params of calls(threadId)) await server.ask('mcpServer/tool/call', params)
        for (const params of reads(threadId)) await server.ask('mcpServer/resource/read', params)
        return null
      },
    })
  })

  it('ask people alike outside of turns', LIMIT, async () => {
    await compareServers({
      prepare: prepare('on-request'),
      play: async (server) => {
        const { client, ask } = server
        const threadId = await threadOf(server)
        client.onRequest = () => ({ action: 'accept', content: { name: 'Ada' }, _meta: null })
        await ask('mcpServer/tool/call', { threadId, server: 'fake', tool: 'ask' })
        const isOfIt = ({ method }: { readonly method: string }) =>
          method === 'serverRequest/resolved' || method === 'thread/status/changed'
        await client.waitFor('thread/status/changed', (told) => {
          return objectAt(told, 'status')?.type === 'idle'
        })
        const told = client.notifications.filter(isOfIt).map((each): Json => ({ ...each }))
        return { asked: client.requests.map((each): Json => ({ ...each })), told }
      },
    })
  })

  it('are started again when they have ended', LIMIT, async () => {
    await compareServers({
      prepare: prepare('never'),
      differences: {
        'mcpServer/tool/call': {
          id: 'server-started-again',
          change: (answer) => (JSON.stringify(answer).includes('fake/exit') ? answer : null),
        },
      },
      play: async (server) => {
        const threadId = await threadOf(server)
        const call = (tool: string) =>
          server.ask('mcpServer/tool/call', { threadId, server: 'fake', tool })
        await call('exit')
        await call('write')
        return null
      },
    })
  })
})

function calls(threadId: string): JsonObject[] {
  const fake = { threadId, server: 'fake' }
  const known = ['echo', 'plain', 'structured', 'picture', 'fails', 'refuses', 'ask', 'nosuch']
  return [
    {},
    { ...fake },
    { ...fake, threadId: 'x', tool: 'echo' },
    { ...fake, threadId: NONE, tool: 'echo' },
    ...known.map((tool) => ({ ...fake, tool })),
    { ...fake, tool: 'echo', arguments: { text: 'hé' } },
    { ...fake, tool: 'echo', arguments: { text: 'x' }, _meta: { a: 1 } },
    ...[5, [1], 'x', null].map(
      (given): JsonObject => ({ ...fake, tool: 'plain', arguments: given }),
    ),
    { ...fake, tool: 'plain', _meta: 5 },
    ...['echo', 'write', 'plain'].map((tool) => ({ ...fake, server: 'few', tool })),
    ...['nosuch', 'gone', 'off'].map((server) => ({ threadId, server, tool: 'echo' })),
  ]
}

function reads(threadId: string): JsonObject[] {
  const uris = ['file:///a', 'file:///nosuch']
  return [
    {},
    { server: 'fake' },
    { server: 'fake', uri: 5 },
    ...uris.flatMap((uri) => [
      { server: 'fake', uri },
      { threadId, server: 'fake', uri },
    ]),
    ...['nosuch', 'gone', 'off'].flatMap((server) => [
      { server, uri: 'x' },
      { threadId, server, uri: 'x' },
    ]),
    ...['x', NONE].map((id) => ({ threadId: id, server: 'fake', uri: 'file:///a' })),
  ]
}
