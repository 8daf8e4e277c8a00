import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isObject } from '../../src/base/index.ts'
import { assistantMessage, functionCall } from '../../src/core/index.ts'
import { stdioConfig } from '../support/mcp/kit.ts'
import { runTurn, SessionKit, text, Watch } from '../support/session-kit.ts'
import { TestClock } from '../support/test-clock.ts'

const done = { items: [assistantMessage('done')] }
const echo = {
  items: [{ ...functionCall('echo', { text: 'hi' }, 'call_1'), namespace: 'mcp__fake__' }],
}

describe('a turn with MCP servers', () => {
  it('waits for their tools, and uses them', async () => {
    const mcpServers = [stdioConfig('stdio-server')]
    await using kit = await SessionKit.open([echo, done], { manager: { mcpServers } })
    const handle = await kit.start()
    using watch = new Watch(handle)
    assert.equal((await runTurn(handle, 'go')).status, 'completed')
    const names = kit.model.requests[0]?.tools.map((tool) => tool.name)
    assert.deepEqual(names, [
      'exec_command',
      'write_stdin',
      'list_mcp_resources',
      'list_mcp_resource_templates',
      'read_mcp_resource',
      'update_plan',
      'request_user_input',
      'apply_patch',
      'view_image',
      'mcp__fake__',
    ])
    const statuses = watch.of('mcpServerStatus').map(({ server, status }) => [server, status])
    assert.deepEqual(statuses, [
      ['fake', 'starting'],
      ['fake', 'ready'],
    ])
    const [output] = kit.payloads('response_item function_call_output') as { output?: unknown }[]
    assert.equal(
      output?.output,
      'Wall time: 0.0000 seconds\nOutput:\n[{"type":"text","text":"hi"}]',
    )
    assert.deepEqual(
      kit.kinds().filter((kind) => /mcp|function/.test(kind)),
      [
        'response_item function_call',
        'event_msg mcp_tool_call_end',
        'response_item function_call_output',
      ],
    )
    const [item] = kit.turns()[0]?.items.filter((each) => each.type === 'mcpToolCall') ?? []
    const told = watch.of('itemCompleted').map((event) => event.item)
    assert.deepEqual(
      item,
      told.find((each) => each.type === 'mcpToolCall'),
    )
  })

  it('can be interrupted while they start', async () => {
    const mcpServers = [stdioConfig('broken-server', ['hangs'])]
    await using kit = await SessionKit.open([done], { manager: { mcpServers } })
    const handle = await kit.start()
    using watch = new Watch(handle)
    const ended = watch.next((event) => event.type === 'turnCompleted')
    await handle.startTurn(text('go'))
    await handle.interrupt()
    await ended
    assert.equal(watch.of('turnCompleted')[0]?.status, 'interrupted')
    assert.equal(kit.model.requests.length, 0)
  })

  it('goes on without those that do not start', async () => {
    const clock = new TestClock((ms) => ms === 30_000)
    const mcpServers = [stdioConfig('broken-server', ['hangs'])]
    await using kit = await SessionKit.open([echo, done], { clock, manager: { mcpServers } })
    const handle = await kit.start()
    assert.equal((await runTurn(handle, 'go')).status, 'completed')
    const [output] = kit.payloads('response_item function_call_output').filter(isObject)
    assert.equal(output?.output, 'unsupported call: mcp__fake__echo')
  })
})
