/**
 * Rule: over the same MCP server Bobbin offers the tools that real Codex 0.133.0 offers, by the
 * same names, and tells, keeps and answers their calls as it does.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'

import { arrayAt, isObject, type Json, type JsonObject, objectAt } from '../../src/base/index.ts'
import { functionCall } from '../../src/core/model/script.ts'
import { HttpToolServer } from '../support/mcp/http-server.ts'
import { ScriptedResponsesServer } from '../support/responses-server.ts'
import { bobbinExec, showBobbinThread } from './bobbin-exec.ts'
import { type BothSides, runBoth, type Side } from './both.ts'
import { CodexAppServer } from './codex-app-server.ts'
import { codexVersions } from './programs.ts'
import { Scratch } from './scratch.ts'
import { concludes, says } from './scripts.ts'

const SERVER = join(import.meta.dirname, '..', 'support', 'mcp', 'stdio-server.ts')
/** Real Codex takes in the first page of a server's tools alone. */
const ALL_TOOLS = '100'

function mcpConfig(name: string, ...settings: readonly string[]): string[] {
  const command = [`command=${JSON.stringify(process.execPath)}`]
  return [...command, `args=${JSON.stringify([SERVER, ALL_TOOLS])}`, ...settings].map(
    (setting) => `mcp_servers.${name}.${setting}`,
  )
}

/** A call of a tool of the server; `text`: its arguments as they are. */
function calls(name: string, callId: string, text = '{}'): JsonObject {
  return { ...functionCall(name, {}, callId), namespace: 'mcp__fake__', arguments: text }
}

function asks(name: string, callId: string, args: JsonObject = {}): JsonObject {
  return functionCall(name, args, callId)
}

const script = [
  says(calls('echo', 'call_echo', '{"text":"hé \\"x\\""}')),
  says(calls('plain', 'call_plain')),
  says(calls('write', 'call_write', '{"b":1,"a":[null]}')),
  says(calls('echo', 'call_none', '')),
  says(calls('echo', 'call_list', '[1,2]')),
  says(calls('structured', 'call_structured')),
  says(calls('picture', 'call_picture')),
  says(calls('fails', 'call_fails')),
  says(calls('refuses', 'call_refuses')),
  says(calls('ask', 'call_ask')),
  says(calls('nothing', 'call_unknown')),
  says(functionCall('mcp__fake__echo', { text: 'x' }, 'call_flat')),
  says(asks('list_mcp_resources', 'call_resources')),
  says(asks('list_mcp_resources', 'call_resources_of', { server: 'fake' })),
  says(asks('list_mcp_resource_templates', 'call_templates')),
  says(asks('read_mcp_resource', 'call_read', { server: 'fake', uri: 'file:///a' })),
  says(asks('read_mcp_resource', 'call_read_nobody', { server: 'nobody', uri: 'file:///a' })),
  says(asks('read_mcp_resource', 'call_read_what', { server: 'fake' })),
  concludes('All tried.'),
]

describe('an MCP server', () => {
  let both: BothSides
  before(async () => {
    both = await runBoth({ script, prompts: ['try it'], config: mcpConfig('fake') })
  })

  it('offers the same tools', () => {
    const [codex, bobbin] = [both.codex, both.bobbin].map(mcpTools)
    assert.deepEqual(bobbin, codex)
    assert.equal(codex?.length, 4)
  })

  it('is told of in the same events', () => {
    assert.deepEqual(printed(both.bobbin), printed(both.codex))
  })

  it('leaves the same lines', () => {
    assert.deepEqual(lines(both.bobbin), lines(both.codex))
  })
})

describe('calls that Bobbin has kept', () => {
  for (const { version, binary } of codexVersions) {
    it(`are shown alike by Codex ${version}`, { timeout: 60_000 }, async () => {
      await using server = await ScriptedResponsesServer.start(script)
      await using scratch = await Scratch.create()
      await scratch.useModelServer(server.baseUrl)
      const run = { prompt: 'try it', config: mcpConfig('fake') }
      const { threadId, stderr } = await bobbinExec(scratch, run)
      assert.notEqual(threadId, '', stderr)
      const { turns } = await showBobbinThread(scratch, threadId)
      await using codex = await CodexAppServer.start(binary, scratch)
      const read = await codex.request('thread/read', { threadId, includeTurns: true })
      const known = arrayAt(objectAt(read, 'thread') ?? {}, 'turns') ?? []
      const items = callItems(turns)
      assert.deepEqual(items, callItems(known.filter(isObject)))
      assert.equal(items.length, 15)
    })
  }
})

describe('an MCP server that has to be asked for', () => {
  it('is refused in the same words where nobody can be asked', async () => {
    const { codex, bobbin } = await runBoth({
      script: [
        says(calls('write', 'call_write')),
        says(calls('echo', 'call_echo', '{"text":"x"}')),
        says(calls('plain', 'call_plain')),
        concludes('Refused.'),
      ],
      prompts: ['try it'],
      config: [
        'sandbox_mode="workspace-write"',
        ...mcpConfig(
          'fake',
          'default_tools_approval_mode="prompt"',
          'tools.plain.approval_mode="approve"',
          'enabled_tools=["write","echo","plain"]',
        ),
      ],
    })
    assert.deepEqual(printed(bobbin), printed(codex))
    assert.deepEqual(lines(bobbin), lines(codex))
  })
})

describe('an MCP server over HTTP', () => {
  it('is used alike', async () => {
    await using server = await HttpToolServer.start(100)
    const { codex, bobbin } = await runBoth({
      script: script.slice(0, 10).concat(concludes('Done.')),
      prompts: ['try it'],
      config: [`mcp_servers.fake.url="${server.url}"`, 'mcp_servers.fake.http_headers={X-One="1"}'],
    })
    assert.deepEqual(printed(bobbin), printed(codex))
    assert.deepEqual(lines(bobbin), lines(codex))
    assert.ok(server.headers.every((headers) => headers['x-one'] === '1'))
  })
})

describe('an MCP server that does not answer in time', () => {
  it('fails that call in the same words', async () => {
    const { codex, bobbin } = await runBoth({
      script: [says(calls('never', 'call_never')), concludes('Late.')],
      prompts: ['try it'],
      config: mcpConfig('fake', 'tool_timeout_sec=1'),
    })
    assert.deepEqual(lines(bobbin), lines(codex))
  })
})

describe('an MCP server that does not start', () => {
  it('does not keep the turn from going on', async () => {
    const { codex, bobbin } = await runBoth({
      script: [says(calls('echo', 'call_echo')), concludes('Without it.')],
      prompts: ['try it'],
      config: ['mcp_servers.fake.command="/nowhere/server"'],
    })
    assert.deepEqual(lines(bobbin), lines(codex))
    assert.deepEqual(printed(bobbin), printed(codex))
  })
})

function callItems(turns: readonly JsonObject[]): JsonObject[] {
  const items = turns.flatMap((turn) => (arrayAt(turn, 'items') ?? []).filter(isObject))
  return items
    .filter(({ type }) => type === 'mcpToolCall')
    .map(({ id, server, tool, status, arguments: args, result, error, durationMs }) => {
      return { id, server, tool, status, arguments: args, result, error, durationMs }
    })
}

/** Descriptions of our own functions are each program's own. */
function mcpTools({ requests }: Side): Json[] {
  const tools = (arrayAt(requests[0]?.body ?? {}, 'tools') ?? []).filter(isObject)
  return tools.flatMap((tool): Json[] => {
    const name = String(tool.name)
    if (tool.type === 'namespace') return [tool]
    if (!name.includes('_mcp_')) return []
    const { properties, ...parameters } = objectAt(tool, 'parameters') ?? {}
    return [{ name, parameters, properties: isObject(properties) ? Object.keys(properties) : null }]
  })
}

function printed(side: Side): Json {
  return side.normalise(side.runs.map(({ events, code }) => [...events, { exitCode: code }]))
}

function lines({ rollout, normalise }: Side): Json {
  const payloads = rollout.flatMap(({ payload }) => (isObject(payload) ? [payload] : []))
  const kept = payloads.filter(({ type }) =>
    /^(mcp_tool_call_end|function_call)/.test(String(type)),
  )
  return normalise(
    kept.map((payload) =>
      payload.type === 'mcp_tool_call_end' ? { ...payload, duration: '<time>' } : payload,
    ),
  )
}
