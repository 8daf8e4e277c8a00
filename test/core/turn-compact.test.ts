import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  assistantMessage,
  functionCall,
  ModelError,
  type ThreadHandle,
} from '../../src/core/index.ts'
import { messageText, type ResponseItem } from '../../src/protocol/index.ts'
import { hangsAfter, type Step } from '../support/played-model.ts'
import { runTurn, SessionKit, text, Watch } from '../support/session-kit.ts'

const say = (words: string, total = 100): Step => ({
  items: [assistantMessage(words)],
  usage: { input_tokens: total - 10, output_tokens: 10 },
})

function fails(code: string): Step {
  return () => {
    throw new ModelError('no', { codexErrorInfo: code })
  }
}

function texts(items: readonly ResponseItem[] | undefined): string[] {
  return (items ?? []).map((item) => (item.type === 'message' ? messageText(item) : item.type))
}

/** The words of the last request, without the context messages. */
function sent(kit: SessionKit, at = -1): string[] {
  const all = texts(kit.model.requests.at(at)?.input)
  return all
    .filter((each) => !/^<|^# AGENTS/.test(each))
    .map((each) => each.split('\n').at(-1) ?? '')
}

async function compacted(handle: ThreadHandle) {
  using watch = new Watch(handle)
  const ended = watch.next((event) => event.type === 'turnCompleted')
  await handle.compact()
  await ended
  return { end: watch.of('turnCompleted').at(-1), events: watch.events.map(({ type }) => type) }
}

describe('condensing a thread [F3]', () => {
  it('on request is a turn of its own, after which the whole context goes out again', async () => {
    await using kit = await SessionKit.open([say('a1'), say('the notes'), say('a2')])
    const handle = await kit.start()
    await runTurn(handle, 'u1')
    const before = kit.kinds().length
    const { end, events } = await compacted(handle)
    assert.equal(end?.status, 'completed')
    assert.deepEqual(events, [
      'turnStarted',
      'itemStarted',
      'tokenCount',
      'tokenCount',
      'itemCompleted',
      'warning',
      'turnCompleted',
    ])
    assert.deepEqual(kit.kinds().slice(before), [
      'event_msg task_started',
      'event_msg token_count',
      'compacted',
      'event_msg token_count',
      'event_msg context_compacted',
      'event_msg task_complete',
    ])
    assert.deepEqual(kit.model.requests[1]?.tools, [])
    await runTurn(handle, 'u2')
    assert.deepEqual(sent(kit), ['u1', 'the notes', 'u2'])
    const roles = kit.model.requests[2]?.input.flatMap((each) =>
      each.type === 'message' ? [each.role] : [],
    )
    assert.deepEqual(roles, ['user', 'user', 'developer', 'user', 'user'])
    assert.equal(kit.model.requests[2]?.windowNumber, 1)
  })

  it('reads back the same: a thread that is resumed goes on from the summary', async () => {
    await using kit = await SessionKit.open([say('a1'), say('notes'), say('a2')])
    const handle = await kit.start()
    await runTurn(handle, 'u1')
    await compacted(handle)
    await kit.restart()
    await runTurn(await kit.resume(handle.threadId), 'u2')
    assert.deepEqual(sent(kit), ['u1', 'notes', 'u2'])
    assert.equal(kit.model.requests.at(-1)?.windowNumber, 1)
    assert.deepEqual(
      kit.turns().map(({ items }) => items.map(({ type }) => type)),
      [['userMessage', 'agentMessage'], ['contextCompaction'], ['userMessage', 'agentMessage']],
    )
  })

  it('happens by itself before a request that would not fit', async () => {
    const settings = { autoCompactTokens: 1000 }
    await using kit = await SessionKit.open([say('a1', 2000), say('notes'), say('a2')], {
      settings,
    })
    const handle = await kit.start()
    await runTurn(handle, 'u1')
    assert.equal(kit.model.requests.length, 1)
    await runTurn(handle, 'u2')
    assert.deepEqual(sent(kit), ['u1', 'u2', 'notes'])
    kit.model.add(say('a3'))
    await runTurn(handle, 'u3')
    assert.deepEqual(sent(kit), ['u1', 'u2', 'notes', 'a2', 'u3'])
  })

  it('in a turn that goes on keeps its context, and the turn goes on', async () => {
    const call = functionCall('exec_command', { cmd: 'true', login: false }, 'c1')
    const usage = { input_tokens: 2000, output_tokens: 10 }
    const settings = { autoCompactTokens: 1000 }
    const steps = [{ items: [call], usage }, say('notes'), say('a1')]
    await using kit = await SessionKit.open(steps, { settings })
    const handle = await kit.start()
    const end = await runTurn(handle, 'u1')
    assert.equal(end.status, 'completed')
    assert.deepEqual(sent(kit), ['u1', 'notes'])
    const roles = texts(kit.model.requests[2]?.input).map((each) => each.slice(0, 13))
    assert.equal(roles.length, 4)
    assert.equal(kit.kinds().filter((kind) => kind === 'turn_context').length, 2)
    kit.model.add(say('a2'))
    await kit.restart()
    await runTurn(await kit.resume(handle.threadId), 'u2')
    assert.deepEqual(sent(kit), ['u1', 'notes', 'a1', 'u2'])
  })

  it('leaves out the oldest as long as even that is too much for the model', async () => {
    const overflow = fails('contextWindowExceeded')
    await using kit = await SessionKit.open([say('a1'), overflow, overflow, say('notes')])
    const handle = await kit.start()
    await runTurn(handle, 'u1')
    const { end } = await compacted(handle)
    assert.equal(end?.status, 'completed')
    const lengths = kit.model.requests.slice(1).map(({ input }) => input.length)
    assert.deepEqual(lengths, [5, 4, 3])
  })

  it('changes nothing when it fails or is interrupted', async () => {
    await using kit = await SessionKit.open([say('a1'), fails('other'), say(' ')])
    const handle = await kit.start()
    await runTurn(handle, 'u1')
    for (const _ of ['refused', 'empty']) {
      assert.equal((await compacted(handle)).end?.status, 'failed')
    }
    kit.model.add(hangsAfter())
    using watch = new Watch(handle)
    const begun = watch.next((event) => event.type === 'itemStarted')
    const turnId = await handle.compact()
    await begun
    await assert.rejects(handle.steerTurn(text('x'), turnId), { code: 'not_steerable' })
    await assert.rejects(handle.startTurn(text('x')), { code: 'turn_running' })
    await handle.interrupt()
    kit.model.add(say('a2'))
    await runTurn(handle, 'u2')
    assert.deepEqual(sent(kit).slice(0, 2), ['u1', 'a1'])
    assert.equal(sent(kit).at(-1), 'u2')
  })
})
