import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { assistantMessage, functionCall, SessionError } from '../../src/core/index.ts'
import type { FaultPlan } from '../support/faulty-file-system.ts'
import { completed, hangsAfter, itemEvents, started } from '../support/played-model.ts'
import { runTurn, SessionKit, text, Watch } from '../support/session-kit.ts'

const done = { items: [assistantMessage('done')] }
const HEADER_AND_START = [
  'session_meta',
  'event_msg task_started',
  'response_item message developer',
  'response_item message user',
  'turn_context',
  'response_item message user',
  'event_msg user_message',
]
const START = [HEADER_AND_START[1], ...HEADER_AND_START.slice(4)]
const ANSWER = ['event_msg agent_message', 'response_item message assistant']
const END = ['event_msg token_count', 'event_msg task_complete']
const ERROR_END = ['event_msg error', 'event_msg task_complete']

function runs(cmd: string, callId: string, args: object = {}) {
  return functionCall('exec_command', { cmd, login: false, ...args }, callId)
}

const full: FaultPlan = ({ method }) =>
  method === 'file.write' ? { kind: 'fail', code: 'ENOSPC' } : undefined
const tearing: FaultPlan = ({ method }) =>
  method === 'file.write' ? { kind: 'cut', bytes: 40, code: 'ENOSPC' } : undefined
const unsynced: FaultPlan = ({ method }) =>
  method === 'file.sync' ? { kind: 'fail', code: 'EIO' } : undefined
const fine: FaultPlan = () => undefined

function isNotKept(error: unknown): boolean {
  assert.ok(error instanceof SessionError)
  assert.equal(error.code, 'not_kept')
  assert.match(error.message, /^the conversation could not be saved: .*(ENOSPC|EIO)/)
  return true
}

describe('storage that fails', () => {
  for (const [name, plan] of Object.entries({ full, tearing, unsynced })) {
    it(`at the start (${name}) refuses the turn, and a later one works`, async () => {
      // The model may have been asked before the refusal.
      await using kit = await SessionKit.open([done, done, done])
      const handle = await kit.start()
      using watch = new Watch(handle)
      kit.files.plan = plan
      await assert.rejects(handle.startTurn(text('one')), isNotKept)
      await assert.rejects(handle.startTurn(text('two')), isNotKept)
      assert.deepEqual(watch.events, [])
      kit.files.plan = fine
      assert.equal((await runTurn(handle, 'three')).status, 'completed')
      assert.equal(kit.turns().at(-1)?.status, 'completed')
      const said = kit.payloads('event_msg user_message').map(({ message }) => message)
      assert.deepEqual(said, ['one', 'two', 'three'])
      const begun = kit.turns().map(({ status }) => status)
      assert.ok(!begun.slice(0, -1).includes('completed'), `${begun}`)
    })
  }

  it('at the start does not wait for a model that was asked already', async () => {
    await using kit = await SessionKit.open([hangsAfter(), done])
    const handle = await kit.start()
    kit.files.plan = unsynced
    await assert.rejects(handle.startTurn(text('one')), isNotKept)
    kit.files.plan = fine
    kit.model.add(done)
    const again = await handle.startTurn(text('two'))
    assert.ok(again)
    await handle.interrupt()
  })

  for (const [name, plan] of Object.entries({ full, tearing })) {
    it(`in the middle (${name}) fails the turn, and the next one saves everything`, async () => {
      await using kit = await SessionKit.open([])
      kit.model.add(async function* () {
        yield started()
        yield* itemEvents(assistantMessage('kept', { id: 'm1' }))
        kit.files.plan = plan
        yield* itemEvents(assistantMessage('lost?', { id: 'm2' }))
        yield completed()
      }, done)
      const handle = await kit.start()
      using watch = new Watch(handle)
      const end = await runTurn(handle, 'one')
      assert.equal(end.status, 'failed')
      assert.match(
        end.error?.message ?? '',
        /^the conversation could not be saved: cannot write to the rollout .*ENOSPC/,
      )
      const told = watch.of('itemCompleted').map(({ item }) => item.id)
      assert.ok(told.includes('m1') && !told.includes('m2'))
      kit.files.plan = fine
      await runTurn(handle, 'two')
      assert.deepEqual(kit.kinds(), [
        ...HEADER_AND_START,
        ...ANSWER,
        ...ANSWER,
        ...ERROR_END,
        ...START,
        ...ANSWER,
        ...END,
      ])
      assert.deepEqual(
        kit.payloads('event_msg agent_message').map(({ message }) => message),
        ['kept', 'lost?', 'done'],
      )
      const [first, second] = kit.turns()
      assert.deepEqual([first?.status, first?.error], ['failed', end.error])
      assert.equal(second?.status, 'completed')
    })
  }

  it('while a command runs fails the turn, and stops the command', async () => {
    await using kit = await SessionKit.open([])
    kit.model.add(async function* (_request, signal) {
      yield started()
      yield* itemEvents(runs('echo up; exec sleep 100', 'call_1'))
      await up
      kit.files.plan = full
      yield* itemEvents(assistantMessage('lost?'))
      signal.throwIfAborted()
    }, done)
    const handle = await kit.start()
    using watch = new Watch(handle)
    const up = watch.next((event) => event.type === 'commandOutputDelta')
    assert.equal((await runTurn(handle, 'one')).status, 'failed')
    kit.files.plan = fine
    await runTurn(handle, 'two')
    const outputs = kit.payloads('response_item function_call_output')
    assert.deepEqual(
      outputs.map(({ call_id, output }) => [call_id, output]),
      [['call_1', 'aborted after 0.1s']],
    )
    assert.equal(kit.payloads('event_msg exec_command_end')[0]?.status, 'failed')
  })

  it('at the end of a command keeps the outputs of the other calls', async () => {
    const items = [
      functionCall('update_plan', { plan: [] }, 'call_1'),
      runs('echo hi', 'call_2'),
      functionCall('update_plan', { plan: [] }, 'call_3'),
    ]
    await using kit = await SessionKit.open([{ items }, done])
    const handle = await kit.start()
    handle.listen((event) => {
      if (event.type === 'commandOutputDelta') kit.files.plan = full
    })
    const end = await runTurn(handle, 'one')
    assert.match(end.error?.message ?? '', /^the conversation could not be saved/)
    kit.files.plan = fine
    await runTurn(handle, 'two')
    const outputs = kit.payloads('response_item function_call_output')
    assert.deepEqual(
      outputs.map(({ call_id, output }) => [call_id, output]),
      [
        ['call_1', 'Plan updated'],
        ['call_2', 'aborted after 0.1s'],
        ['call_3', 'Plan updated'],
      ],
    )
    const { input = [] } = kit.model.requests[1] ?? {}
    assert.equal(input.filter((item) => item.type === 'function_call_output').length, 3)
  })

  it('at the end of a turn says so, and never says completed', async () => {
    for (const plan of [full, unsynced]) {
      await using kit = await SessionKit.open([])
      kit.model.add(async function* () {
        yield started()
        yield* itemEvents(assistantMessage('done'))
        yield completed()
      }, done)
      const handle = await kit.start()
      handle.listen((event) => {
        if (event.type === 'tokenCount') kit.files.plan = plan
      })
      const end = await runTurn(handle, 'one')
      assert.equal(end.status, 'failed')
      assert.match(end.error?.message ?? '', /^the conversation could not be saved/)
      kit.files.plan = fine
      await handle.close()
      const unsaved = [...HEADER_AND_START, ...ANSWER, ...END, 'event_msg error']
      assert.deepEqual(kit.kinds(), unsaved)
    }
  })

  it('while an interrupt is kept ends the turn all the same', async () => {
    await using kit = await SessionKit.open([hangsAfter(), done])
    const handle = await kit.start()
    using watch = new Watch(handle)
    await handle.startTurn(text('one'))
    kit.files.plan = full
    await handle.interrupt()
    assert.equal(watch.of('turnCompleted')[0]?.status, 'failed')
    kit.files.plan = fine
    assert.equal((await runTurn(handle, 'two')).status, 'completed')
  })

  it('between turns does not fail the next one, when it works again by then', async () => {
    const cmd = 'echo up; until test -e go; do sleep 0.01; done'
    await using kit = await SessionKit.open([
      { items: [runs(cmd, 'call_1', { yield_time_ms: 250 })] },
      done,
      { items: [runs('echo again', 'call_2')] },
      done,
    ])
    const handle = await kit.start()
    using watch = new Watch(handle)
    const up = watch.next((event) => event.type === 'commandOutputDelta')
    const yielding = kit.clock.slept((ms) => ms === 250)
    const first = runTurn(handle, 'one')
    await Promise.all([up, yielding])
    kit.clock.wake()
    await first
    const failed = Promise.withResolvers<void>()
    kit.files.plan = (call) => {
      const fault = full(call)
      if (fault) failed.resolve()
      return fault
    }
    writeFileSync(kit.at('project', 'go'), '')
    await failed.promise
    kit.files.plan = fine
    const end = await runTurn(handle, 'two')
    assert.deepEqual([end.status, end.error], ['completed', null])
    const ends = kit.payloads('event_msg exec_command_end').map(({ call_id }) => call_id)
    assert.deepEqual(ends, ['call_1', 'call_2'])
  })

  it('at closing is told, and closing can be tried again', async () => {
    await using kit = await SessionKit.open([hangsAfter()])
    const handle = await kit.start()
    await handle.startTurn(text('one'))
    kit.files.plan = full
    await assert.rejects(handle.close(), /ENOSPC/)
    await assert.rejects(handle.startTurn(text('two')), { code: 'closed' })
    await assert.rejects(kit.resume(handle.threadId), { code: 'already_loaded' })
    kit.files.plan = fine
    await handle.close()
    assert.deepEqual(kit.kinds().slice(-2), ['event_msg turn_aborted', 'event_msg error'])
    await using again = await kit.resume(handle.threadId)
    assert.equal(again.threadId, handle.threadId)
  })

  it('at disposing lets the thread go, and is told once', async () => {
    await using kit = await SessionKit.open([hangsAfter(), hangsAfter()])
    const told = await kit.start()
    const untold = await kit.start()
    await told.startTurn(text('one'))
    await untold.startTurn(text('two'))
    kit.files.plan = full
    await assert.rejects(told.close(), /ENOSPC/)
    await assert.rejects(kit.manager[Symbol.asyncDispose](), /ENOSPC/)
    assert.equal(kit.manager.get(told.threadId), undefined)
    assert.equal(kit.manager.get(untold.threadId), undefined)
    kit.files.plan = fine
    await kit.restart()
    const again = await kit.resume(told.threadId)
    kit.model.add(done)
    assert.equal((await runTurn(again, 'three')).status, 'completed')
  })
})
