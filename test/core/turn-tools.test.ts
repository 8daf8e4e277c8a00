import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { assistantMessage, customToolCall, functionCall } from '../../src/core/index.ts'
import { completed, itemEvents, started } from '../support/played-model.ts'
import { kindOf, runTurn, SessionKit, Watch } from '../support/session-kit.ts'

const done = { items: [assistantMessage('done')] }

function runs(cmd: string, callId: string, args: object = {}) {
  return functionCall('exec_command', { cmd, login: false, ...args }, callId)
}

function patches(lines: readonly string[], callId: string) {
  const text = ['*** Begin Patch', ...lines, '*** End Patch'].join('\n')
  return customToolCall('apply_patch', text, callId)
}

interface Output {
  readonly type: string
  readonly call_id: string
  readonly output: string
}

/** The outputs that the file holds, in its order. */
function outputs(kit: SessionKit): Output[] {
  const lines = kit.lines().filter((line) => kindOf(line).endsWith('call_output'))
  return lines.map((line) => line.payload as unknown as Output)
}

/** A command's text after its `Output:` line. */
function printed({ output }: Output): string {
  return output.split('\nOutput:\n')[1] ?? output
}

describe('tools of a turn', () => {
  it('have their outputs kept in the order of the calls, whichever ends first', async () => {
    const slow = runs('until test -e go; do sleep 0.01; done; echo slow', 'call_slow')
    const fast = runs('echo fast', 'call_fast')
    await using kit = await SessionKit.open([{ items: [slow, fast] }, done])
    const handle = await kit.start()
    using watch = new Watch(handle)
    using _ = handle.listen((event) => {
      const isFast = event.type === 'itemCompleted' && event.item.id === 'call_fast'
      if (isFast) writeFileSync(join(kit.project, 'go'), '')
    })
    await runTurn(handle, 'go')
    const told = watch.of('itemCompleted').map(({ item }) => item.id)
    assert.deepEqual(told.slice(1, 3), ['call_fast', 'call_slow'])
    assert.deepEqual(
      outputs(kit).map((each) => [each.call_id, printed(each)]),
      [
        ['call_slow', 'slow\n'],
        ['call_fast', 'fast\n'],
      ],
    )
    const sent = kit.model.requests[1]?.input.slice(-4).map((item) => item.type)
    const [call, output] = ['function_call', 'function_call_output']
    assert.deepEqual(sent, [call, call, output, output])
  })

  it('run side by side; a patch waits for those before it, holds up those behind', async () => {
    const items = [
      runs('touch a; until test -e b; do sleep 0.01; done; test -e new || echo early', 'call_1'),
      runs('touch b; until test -e a; do sleep 0.01; done; test -e new || echo early', 'call_2'),
      patches(['*** Add File: new', '+new'], 'call_3'),
      runs('cat new', 'call_4'),
    ]
    await using kit = await SessionKit.open([{ items }, done])
    await runTurn(await kit.start(), 'go')
    assert.deepEqual(outputs(kit).map(printed), [
      'early\n',
      'early\n',
      'Success. Updated the following files:\nA new\n',
      'new\n',
    ])
  })

  it('may be patches through the shell, which wait for each other too', async () => {
    const add = (line: string, callId: string) => {
      const body = ['*** Begin Patch', '*** Update File: list', '@@', ' zero', `+${line}`]
      const cmd = ["apply_patch <<'EOF'", ...body, '*** End Patch', 'EOF'].join('\n')
      return functionCall('exec_command', { cmd }, callId)
    }
    const items = [
      patches(['*** Add File: list', '+zero'], 'call_0'),
      ...['one', 'two', 'three', 'four'].map((line) => add(line, `call_${line}`)),
    ]
    await using kit = await SessionKit.open([{ items }, done])
    await runTurn(await kit.start(), 'go')
    const text = readFileSync(kit.at('project', 'list'), 'utf8')
    assert.equal(text, 'zero\nfour\nthree\ntwo\none\n')
  })

  it('tell a patch as a file change, before its output is kept', async () => {
    await using kit = await SessionKit.open([
      { items: [patches(['*** Add File: a.txt', '+one'], 'call_1')] },
      done,
    ])
    const handle = await kit.start()
    using watch = new Watch(handle)
    const { turnId } = await runTurn(handle, 'go')
    const path = kit.at('project', 'a.txt')
    const item = (status: string) => ({
      type: 'fileChange',
      id: 'call_1',
      changes: [{ path, kind: { type: 'add' }, diff: 'one\n' }],
      status,
    })
    const told = watch.events.filter((event) => 'item' in event && event.item.id === 'call_1')
    assert.deepEqual(told, [
      { type: 'itemStarted', turnId, item: item('inProgress') },
      { type: 'itemCompleted', turnId, item: item('completed') },
    ])
    assert.deepEqual(kit.kinds().slice(7, 11), [
      'response_item custom_tool_call',
      'event_msg patch_apply_end',
      'response_item custom_tool_call_output',
      'event_msg token_count',
    ])
  })

  it('answer for themselves when they are unknown, called wrongly or fail', async () => {
    const items = [
      functionCall('no_such_tool', {}, 'call_1'),
      { ...functionCall('echo', {}, 'call_2'), namespace: 'mcp__x__' },
      customToolCall('no_such_tool', 'x', 'call_3'),
      functionCall('apply_patch', { input: 'x' }, 'call_4'),
      customToolCall('exec_command', 'echo hi', 'call_5'),
      functionCall('exec_command', '{', 'call_6'),
      runs('true', 'call_7', { workdir: '/no/such/folder' }),
      patches(['*** Delete File: missing'], 'call_8'),
    ]
    await using kit = await SessionKit.open([{ items }, done])
    assert.equal((await runTurn(await kit.start(), 'go')).status, 'completed')
    const answers = outputs(kit).map(({ type, output }) => `${type}: ${output}`)
    assert.deepEqual(answers, [
      'function_call_output: unsupported call: no_such_tool',
      'function_call_output: unsupported call: mcp__x__echo',
      'custom_tool_call_output: unsupported custom tool call: no_such_tool',
      'function_call_output: unsupported call: apply_patch',
      'custom_tool_call_output: unsupported custom tool call: exec_command',
      'function_call_output: failed to parse function arguments: ' +
        'EOF while parsing an object at line 1 column 1',
      'function_call_output: exec_command failed for `/bin/sh -c true`: CreateProcess { message: ' +
        '"Rejected(\\"Failed to create unified exec process: ' +
        'No such file or directory (os error 2)\\")" }',
      'custom_tool_call_output: apply_patch verification failed: Failed to read ' +
        `${kit.at('project', 'missing')}: No such file or directory (os error 2)`,
    ])
  })

  it('show a plan, of which only the call is kept', async () => {
    const plan = [{ step: 'Look', status: 'in_progress' }]
    const call = functionCall('update_plan', { explanation: 'why', plan }, 'call_1')
    await using kit = await SessionKit.open([{ items: [call] }, done])
    const handle = await kit.start()
    using watch = new Watch(handle)
    const { turnId } = await runTurn(handle, 'go')
    assert.deepEqual(watch.of('planUpdated'), [
      { type: 'planUpdated', turnId, explanation: 'why', plan },
    ])
  })

  it('may leave a command running, which a later turn talks to', async () => {
    const cmd = 'touch up; until test -e go; do sleep 0.01; done; echo late'
    await using kit = await SessionKit.open([
      { items: [runs(cmd, 'call_1', { yield_time_ms: 250 })] },
      done,
      async function* (request) {
        const output = request.input.findLast((item) => item.type === 'function_call_output')
        const session_id = Number(/session ID (\d+)/.exec(String(output?.output))?.[1])
        yield started()
        yield* itemEvents(functionCall('write_stdin', { session_id, chars: '' }, 'call_2'))
        yield completed()
      },
      done,
    ])
    const handle = await kit.start()
    using watch = new Watch(handle)
    const spawned = watch.next((event) => event.type === 'itemStarted' && isCommand(event.item))
    const yielding = kit.clock.slept((ms) => ms === 250)
    const first = runTurn(handle, 'go')
    await Promise.all([spawned, yielding])
    kit.clock.wake()
    const { turnId } = await first
    writeFileSync(kit.at('project', 'go'), '')
    await runTurn(handle, 'and now?')
    const ends = watch.of('itemCompleted').filter(({ item }) => isCommand(item))
    assert.deepEqual(
      ends.map((event) => [event.turnId, event.item.id]),
      [[turnId, 'call_1']],
    )
    const [, polled] = outputs(kit)
    assert.equal(polled && printed(polled), 'late\n')
    assert.deepEqual(
      kit.turns().map(({ items }) => items.filter(isCommand).length),
      [1, 0],
    )
  })
})

function isCommand(item: { readonly type: string }): boolean {
  return item.type === 'commandExecution'
}

const noSandbox = async () =>
  ({ isThere: false, reason: 'none', [Symbol.dispose]: () => undefined }) as const

describe('commands and permissions', () => {
  it('keep a declined command, tell it, and go on', async () => {
    const cmd = 'touch forbidden'
    await using kit = await SessionKit.open([{ items: [runs(cmd, 'call_1')] }, done], {
      settings: { sandboxPolicy: { type: 'read-only' } },
      manager: { findSandbox: noSandbox },
    })
    const handle = await kit.start()
    using watch = new Watch(handle)
    const end = await runTurn(handle, 'go')
    assert.equal(end.status, 'completed')
    assert.ok(!existsSync(kit.at('project', 'forbidden')))
    const item = {
      type: 'commandExecution',
      id: 'call_1',
      command: "/bin/sh -c 'touch forbidden'",
      cwd: kit.project,
      processId: null,
      source: 'agent',
      status: 'declined',
      commandActions: [{ type: 'unknown', command: cmd }],
      aggregatedOutput: null,
      exitCode: null,
      durationMs: null,
    }
    assert.deepEqual(watch.of('itemCompleted')[1]?.item, item)
    assert.deepEqual(kit.turns()[0]?.items[1], item)
    assert.match(outputs(kit)[0]?.output ?? '', /Rejected\(.*sandbox mode `read-only`/)
  })
})
