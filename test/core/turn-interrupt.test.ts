import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { assistantMessage, functionCall, ModelError } from '../../src/core/index.ts'
import { TURN_ABORTED_MARKER } from '../../src/history/index.ts'
import type { ResponseItem, ThreadId } from '../../src/protocol/index.ts'
import {
  breaksAfter,
  completed,
  hangsAfter,
  itemEvents,
  started,
  untilAborted,
} from '../support/played-model.ts'
import { runTurn, SessionKit, text, Watch } from '../support/session-kit.ts'

const done = { items: [assistantMessage('done')] }
const ABORTED = ['response_item message user', 'event_msg turn_aborted']

function runs(cmd: string, callId: string, args: object = {}) {
  return functionCall('exec_command', { cmd, login: false, ...args }, callId)
}

/** The ids of calls that have no output right behind the calls they came with. */
function unanswered(input: readonly ResponseItem[]): string[] {
  const answered = new Set(
    input.flatMap((item) => (item.type.endsWith('call_output') ? [callId(item)] : [])),
  )
  return input.flatMap((item) =>
    item.type.endsWith('_call') && !answered.has(callId(item)) ? [callId(item) ?? ''] : [],
  )
}

function callId(item: ResponseItem): string | undefined {
  return 'call_id' in item ? (item.call_id ?? undefined) : undefined
}

/** That the thread goes on after an interrupt, with a whole input, in the process and the next. */
async function assertUsable(kit: SessionKit, threadId: ThreadId) {
  const { length } = kit.model.requests
  kit.model.add(done, done)
  const handle = kit.manager.get(threadId) ?? assert.fail()
  assert.equal((await runTurn(handle, 'next')).status, 'completed')
  await kit.restart()
  assert.equal((await runTurn(await kit.resume(threadId), 'after restart')).status, 'completed')
  for (const { input } of kit.model.requests.slice(length)) {
    assert.deepEqual(unanswered(input), [])
    const markers = input.filter((item) => JSON.stringify(item).includes('<turn_aborted>'))
    assert.equal(markers.length, 1)
  }
  assert.deepEqual(
    kit.turns().map(({ status }) => status),
    ['interrupted', 'completed', 'completed'],
  )
}

async function isGone(path: string): Promise<void> {
  const pid = Number(readFileSync(path, 'utf8'))
  const stat = `/proc/${pid}/stat`
  while (existsSync(stat) && !/\) Z/.test(readFileSync(stat, 'latin1'))) {
    await new Promise((resolve) => setImmediate(resolve))
  }
}

describe('an interrupt [B6]', () => {
  it('right after the start lands, and leaves marker and end', async () => {
    await using kit = await SessionKit.open([hangsAfter()])
    const handle = await kit.start()
    using watch = new Watch(handle)
    const turnId = await handle.startTurn(text('go'))
    await handle.interrupt()
    assert.deepEqual(kit.kinds().slice(7), ABORTED)
    const [marker, end] = kit.lines().slice(-2)
    assert.deepEqual(marker?.payload, {
      type: 'message',
      role: 'user',
      content: [{ type: 'input_text', text: TURN_ABORTED_MARKER }],
    })
    assert.deepEqual(end?.payload, {
      type: 'turn_aborted',
      turn_id: turnId,
      reason: 'interrupted',
      completed_at: 1795176000,
      duration_ms: 0,
    })
    const told = { turnId, status: 'interrupted', error: null, durationMs: 0 }
    assert.deepEqual(watch.events.at(-1), { type: 'turnCompleted', ...told })
    await assertUsable(kit, handle.threadId)
  })

  it('before the start is answered lands too', async () => {
    await using kit = await SessionKit.open([])
    const handle = await kit.start()
    using watch = new Watch(handle)
    const starting = handle.startTurn(text('go'))
    await handle.interrupt()
    const turnId = await starting
    assert.deepEqual(
      watch.of('turnCompleted').map((event) => [event.turnId, event.status]),
      [[turnId, 'interrupted']],
    )
    assert.deepEqual(kit.kinds().slice(5, 9), [
      'response_item message user',
      'event_msg user_message',
      ...ABORTED,
    ])
    await assertUsable(kit, handle.threadId)
  })

  it('during streaming keeps what was finished and drops the rest', async () => {
    await using kit = await SessionKit.open([
      async function* (_request, signal) {
        yield started()
        yield* itemEvents(assistantMessage('whole'))
        yield {
          type: 'itemAdded',
          id: 'm2',
          item: { type: 'message', role: 'assistant', content: [] },
        }
        yield { type: 'textDelta', itemId: 'm2', delta: 'ha' }
        await untilAborted(signal)
      },
    ])
    const handle = await kit.start()
    using watch = new Watch(handle)
    const delta = watch.next((event) => event.type === 'agentMessageDelta' && event.delta === 'ha')
    await handle.startTurn(text('go'))
    await delta
    await handle.interrupt()
    assert.deepEqual(kit.kinds().slice(7), [
      'event_msg agent_message',
      'response_item message assistant',
      ...ABORTED,
    ])
    await assertUsable(kit, handle.threadId)
  })

  it('does not take up what a client still yields', async () => {
    const more = Promise.withResolvers<void>()
    await using kit = await SessionKit.open([
      async function* () {
        yield started()
        await more.promise
        yield* itemEvents(assistantMessage('too late'), runs('touch late', 'call_late'))
        yield completed()
      },
    ])
    const handle = await kit.start()
    await handle.startTurn(text('go'))
    const interrupted = handle.interrupt()
    more.resolve()
    await interrupted
    assert.deepEqual(kit.kinds().slice(7), ABORTED)
    assert.ok(!existsSync(kit.at('project', 'late')))
  })

  it('kills a running command with its children; the item fails before the turn ends', async () => {
    const cmd = 'sh -c "echo \\$\\$ > child; exec sleep 100" & echo out; wait'
    await using kit = await SessionKit.open([{ items: [runs(cmd, 'call_1')] }])
    const handle = await kit.start()
    using watch = new Watch(handle)
    const output = watch.next((event) => event.type === 'commandOutputDelta')
    await handle.startTurn(text('go'))
    await output
    const child = kit.at('project', 'child')
    while (!existsSync(child) || readFileSync(child, 'utf8') === '') {
      await new Promise((resolve) => setImmediate(resolve))
    }
    kit.clock.now += 1234
    await handle.interrupt()
    await isGone(child)
    const types = watch.events.slice(-2).map((event) => event.type)
    assert.deepEqual(types, ['itemCompleted', 'turnCompleted'])
    const item = watch.of('itemCompleted').at(-1)?.item
    assert.ok(item?.type === 'commandExecution')
    const { status, aggregatedOutput, exitCode, durationMs } = item
    assert.deepEqual(
      { status, aggregatedOutput, exitCode, durationMs },
      { status: 'failed', aggregatedOutput: 'out\n', exitCode: -1, durationMs: 1234 },
    )
    assert.deepEqual(kit.kinds().slice(7), [
      'response_item function_call',
      'event_msg exec_command_end',
      'response_item function_call_output',
      'event_msg token_count',
      ...ABORTED,
    ])
    const { output: said } = kit.payloads('response_item function_call_output')[0] ?? {}
    assert.equal(said, 'aborted by user after 1.2s')
    assert.deepEqual(kit.turns()[0]?.items.at(-1), item)
    await assertUsable(kit, handle.threadId)
  })

  it('gives every call an output in their order: its own, or that it was aborted', async () => {
    const items = [
      runs('exec sleep 100', 'call_1'),
      functionCall('update_plan', { plan: [] }, 'call_2'),
      functionCall('write_stdin', { session_id: 1, chars: '' }, 'call_3'),
    ]
    await using kit = await SessionKit.open([hangsAfter(...items)])
    const handle = await kit.start()
    using watch = new Watch(handle)
    const seen = Promise.all([
      watch.next((event) => event.type === 'planUpdated'),
      watch.next((event) => event.type === 'itemStarted' && event.item.id === 'call_1'),
    ])
    await handle.startTurn(text('go'))
    await seen
    await handle.interrupt()
    const outputs = kit.payloads('response_item function_call_output')
    assert.deepEqual(
      outputs.map(({ call_id, output }) => [call_id, output]),
      [
        ['call_1', 'aborted by user after 0.1s'],
        ['call_2', 'Plan updated'],
        ['call_3', 'aborted by user after 0.1s'],
      ],
    )
    await assertUsable(kit, handle.threadId)
  })

  it('does not wait for a tool that does not listen', async () => {
    const cmd = 'trap "" TERM INT HUP; echo deaf; while :; do sleep 100; done'
    await using kit = await SessionKit.open([{ items: [runs(cmd, 'call_1')] }])
    const handle = await kit.start()
    using watch = new Watch(handle)
    const output = watch.next((event) => event.type === 'commandOutputDelta')
    await handle.startTurn(text('go'))
    await output
    await handle.interrupt()
    assert.equal(watch.of('turnCompleted').at(-1)?.status, 'interrupted')
  })

  it('during the wait for a retry ends the wait', async () => {
    const lost = new ModelError('lost', { isRetryable: true, httpStatus: 502 })
    await using kit = await SessionKit.open([breaksAfter([], lost)])
    const handle = await kit.start()
    using watch = new Watch(handle)
    const told = watch.next((event) => event.type === 'error' && event.willRetry)
    await handle.startTurn(text('go'))
    await told
    await handle.interrupt()
    assert.deepEqual(
      watch.of('turnCompleted').map(({ status }) => status),
      ['interrupted'],
    )
    assert.deepEqual(kit.kinds().slice(7), ABORTED)
    await assertUsable(kit, handle.threadId)
  })

  it('during a call that was made by a broken stream keeps one output of it', async () => {
    const lost = new ModelError('lost', { isRetryable: true })
    await using kit = await SessionKit.open([
      breaksAfter([runs('echo up; exec sleep 100', 'call_1')], lost),
    ])
    const handle = await kit.start()
    using watch = new Watch(handle)
    const output = watch.next((event) => event.type === 'commandOutputDelta')
    await handle.startTurn(text('go'))
    await output
    await handle.interrupt()
    const outputs = kit.payloads('response_item function_call_output')
    assert.deepEqual(
      outputs.map((each) => each.output),
      ['aborted by user after 0.1s'],
    )
    await assertUsable(kit, handle.threadId)
  })

  it('may come twice, late, or for another turn', async () => {
    await using kit = await SessionKit.open([hangsAfter(), hangsAfter()])
    const handle = await kit.start()
    await handle.interrupt()
    const first = await handle.startTurn(text('one'))
    await Promise.all([handle.interrupt(), handle.interrupt(first), handle.interrupt()])
    await handle.interrupt()
    const second = await handle.startTurn(text('two'))
    await handle.interrupt(first)
    await assert.rejects(handle.startTurn(text('three')), { code: 'turn_running' })
    await handle.interrupt(second)
    assert.deepEqual(
      kit.turns().map(({ id, status }) => [id, status]),
      [
        [first, 'interrupted'],
        [second, 'interrupted'],
      ],
    )
  })

  it('leaves a command of an earlier turn running', async () => {
    const cmd = 'echo $$ > pid; echo up; until test -e go; do sleep 0.01; done'
    await using kit = await SessionKit.open([
      { items: [runs(cmd, 'call_1', { yield_time_ms: 250 })] },
      done,
      hangsAfter(),
    ])
    const handle = await kit.start()
    using watch = new Watch(handle)
    const up = watch.next((event) => event.type === 'commandOutputDelta')
    const yielding = kit.clock.slept((ms) => ms === 250)
    const first = runTurn(handle, 'one')
    await Promise.all([up, yielding])
    kit.clock.wake()
    await first
    await handle.startTurn(text('two'))
    await handle.interrupt()
    const pid = Number(readFileSync(kit.at('project', 'pid'), 'utf8'))
    assert.ok(process.kill(pid, 0))
    await handle.close()
    await isGone(kit.at('project', 'pid'))
  })

  it('from a listener, at any event, ends the turn once', async () => {
    const script = () => [
      {
        items: [
          assistantMessage('a', { id: 'm1' }),
          functionCall('update_plan', { plan: [] }, 'call_1'),
          runs('echo hi', 'call_2'),
        ],
      },
      done,
    ]
    let count = 1
    for (let at = 0; at < count; at += 1) {
      await using kit = await SessionKit.open(script())
      const handle = await kit.start()
      using watch = new Watch(handle)
      let seen = 0
      let interrupting: Promise<void> | undefined
      handle.listen((event) => {
        if (seen === at && event.type !== 'turnCompleted') interrupting = handle.interrupt()
        seen += 1
      })
      const { status } = await runTurn(handle, 'go')
      await interrupting
      count = Math.max(count, seen)
      assert.deepEqual([at, watch.of('turnCompleted').length], [at, 1])
      assert.equal(kit.turns()[0]?.status, status)
      if (interrupting && status === 'interrupted') await assertUsable(kit, handle.threadId)
    }
    assert.ok(count > 10, `${count} events`)
  })
})
