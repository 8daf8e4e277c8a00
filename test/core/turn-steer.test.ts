import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { JsonObject } from '../../src/base/index.ts'
import type { ModelEvent } from '../../src/core/index.ts'
import { assistantMessage, functionCall } from '../../src/core/index.ts'
import { completed, hangsAfter, itemEvents, type Step, started } from '../support/played-model.ts'
import { SessionKit, text, Watch } from '../support/session-kit.ts'

/** Says an item, waits until it is let go on, and ends its response. */
function held(...items: readonly JsonObject[]): { step: Step; letGo: () => void } {
  const gate = Promise.withResolvers<void>()
  const step = async function* (): AsyncGenerator<ModelEvent> {
    yield started()
    yield* itemEvents(...items)
    await gate.promise
    yield completed()
  }
  return { step, letGo: gate.resolve }
}

const isAnswer = (event: { type: string; item?: { type: string } }) =>
  event.type === 'itemCompleted' && event.item?.type === 'agentMessage'

function said(kit: SessionKit): unknown[] {
  return kit.payloads('event_msg user_message').map(({ message }) => message)
}

describe('steering a turn [B5]', () => {
  it('sends what is said with one more request, behind the response, in order', async () => {
    const first = held(assistantMessage('half'))
    await using kit = await SessionKit.open([first.step, { items: [assistantMessage('done')] }])
    const handle = await kit.start()
    using watch = new Watch(handle)
    const answered = watch.next(isAnswer)
    const ended = watch.next((event) => event.type === 'turnCompleted')
    const turnId = await handle.startTurn(text('go'))
    await answered
    const steers = ['left', 'right'].map((word) => handle.steerTurn(text(word), turnId))
    first.letGo()
    assert.deepEqual(await Promise.all(steers), [turnId, turnId])
    assert.deepEqual(said(kit), ['go', 'left', 'right'])
    await ended
    assert.equal(kit.model.requests.length, 2)
    const input = JSON.stringify(kit.model.requests[1]?.input.slice(-3))
    assert.match(input, /half.*left.*right/)
    const [turn, ...others] = kit.turns()
    assert.deepEqual(
      [others, turn?.items.map(({ type }) => type)],
      [[], ['userMessage', 'agentMessage', 'userMessage', 'userMessage', 'agentMessage']],
    )
  })

  it('waits for the outputs of tools that were called', async () => {
    const call = held(functionCall('exec_command', { cmd: 'true', login: false }, 'c1'))
    await using kit = await SessionKit.open([call.step, { items: [assistantMessage('done')] }])
    const handle = await kit.start()
    using watch = new Watch(handle)
    const called = watch.next(({ type }) => type === 'itemStarted' || type === 'itemCompleted')
    const ended = watch.next((event) => event.type === 'turnCompleted')
    await handle.startTurn(text('go'))
    await called
    const steered = handle.steerTurn(text('more'))
    call.letGo()
    await steered
    await ended
    const kinds = kit.model.requests[1]?.input.slice(-3).map((item) => item.type)
    assert.deepEqual(kinds, ['function_call', 'function_call_output', 'message'])
  })

  it('is refused without a turn, for another turn, without input, and too late', async () => {
    await using kit = await SessionKit.open([hangsAfter(assistantMessage('half'))])
    const handle = await kit.start()
    await assert.rejects(handle.steerTurn(text('x')), { code: 'no_turn' })
    using watch = new Watch(handle)
    const answered = watch.next(isAnswer)
    const turnId = await handle.startTurn(text('go'))
    await answered
    await assert.rejects(handle.steerTurn([], turnId), { code: 'empty_input' })
    const other = turnId.replace(/.$/, turnId.endsWith('0') ? '1' : '0') as typeof turnId
    await assert.rejects(handle.steerTurn(text('x'), other), { code: 'other_turn' })
    const steered = handle.steerTurn(text('too late'))
    const refused = assert.rejects(steered, { code: 'turn_stopped' })
    await handle.interrupt()
    await refused
    assert.deepEqual(said(kit), ['go'])
    await handle.close()
    await assert.rejects(handle.steerTurn(text('x')), { code: 'closed' })
  })

  it('says so when it cannot be kept, and the turn fails', async () => {
    const first = held(assistantMessage('half'))
    await using kit = await SessionKit.open([first.step])
    const handle = await kit.start()
    using watch = new Watch(handle)
    const answered = watch.next(isAnswer)
    const ended = watch.next((event) => event.type === 'turnCompleted')
    await handle.startTurn(text('go'))
    await answered
    const steered = handle.steerTurn(text('more'))
    const refused = assert.rejects(steered, { code: 'not_kept' })
    let writes = 0
    kit.files.plan = ({ method }) => {
      if (method !== 'file.write') return undefined
      writes += 1
      // The first is of the response's token count.
      return writes === 1 ? undefined : { kind: 'fail', code: 'ENOSPC' }
    }
    first.letGo()
    await refused
    await ended
    assert.equal(watch.of('turnCompleted').at(-1)?.status, 'failed')
    kit.files.plan = () => undefined
  })
})
