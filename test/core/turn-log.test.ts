import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { assistantMessage, functionCall, reasoning } from '../../src/core/index.ts'
import type { TurnItem } from '../../src/protocol/index.ts'
import { runTurn, SessionKit, text, Watch } from '../support/session-kit.ts'

const hello = assistantMessage('hello', { id: 'm1', phase: 'final_answer' })
const FIRST_TURN = [
  'session_meta',
  'event_msg task_started',
  'response_item message developer',
  'response_item message user',
  'turn_context',
  'response_item message user',
  'event_msg user_message',
  'event_msg agent_message',
  'response_item message assistant',
  'event_msg token_count',
  'event_msg task_complete',
]
const LATER_TURN = [
  'event_msg task_started',
  'turn_context',
  'response_item message user',
  'event_msg user_message',
  'event_msg agent_message',
  'response_item message assistant',
  'event_msg token_count',
  'event_msg task_complete',
]

describe('the log of a turn [B2]', () => {
  it('has nothing before the first turn', async () => {
    await using kit = await SessionKit.open([])
    const handle = await kit.start()
    await handle.close()
    assert.deepEqual(kit.logs(), [])
  })

  it('has the lines of a first turn in order, with all that readers need', async () => {
    const usage = { input_tokens: 1000, cached_input_tokens: 400, output_tokens: 50 }
    await using kit = await SessionKit.open([{ items: [hello], usage }])
    const handle = await kit.start()
    const end = await runTurn(handle, text('hi', 'there'))
    assert.deepEqual(kit.kinds(), FIRST_TURN)
    const [meta, begun, , , context, , said, answered, answer, tokens, ended] = kit.lines()
    const { base_instructions, ...header } = meta?.payload ?? {}
    assert.equal(typeof (base_instructions as { text?: unknown } | undefined)?.text, 'string')
    assert.deepEqual(header, {
      id: handle.threadId,
      timestamp: '2026-11-20T12:00:00.000Z',
      cwd: kit.project,
      originator: 'lab',
      cli_version: '0.0.0',
      source: 'exec',
      model_provider: 'mock',
    })
    assert.deepEqual(begun?.payload, {
      type: 'task_started',
      turn_id: end.turnId,
      started_at: 1795176000,
      model_context_window: 258_400,
      collaboration_mode_kind: 'default',
    })
    const { timezone, ...inForce } = context?.payload ?? {}
    assert.equal(typeof timezone, 'string')
    assert.deepEqual(inForce, {
      turn_id: end.turnId,
      cwd: kit.project,
      current_date: '2026-11-20',
      approval_policy: 'never',
      sandbox_policy: { type: 'danger-full-access' },
      permission_profile: { type: 'disabled' },
      model: 'gpt-5.4',
      collaboration_mode: {
        mode: 'default',
        settings: { model: 'gpt-5.4', reasoning_effort: null, developer_instructions: null },
      },
      realtime_active: false,
      summary: 'auto',
    })
    assert.deepEqual(said?.payload, {
      type: 'user_message',
      message: 'hithere',
      images: [],
      local_images: [],
      text_elements: [],
    })
    assert.deepEqual(answered?.payload, {
      type: 'agent_message',
      message: 'hello',
      phase: 'final_answer',
      memory_citation: null,
    })
    assert.deepEqual(answer?.payload, {
      type: 'message',
      role: 'assistant',
      content: [{ type: 'output_text', text: 'hello' }],
      phase: 'final_answer',
    })
    const counts = {
      input_tokens: 1000,
      cached_input_tokens: 400,
      output_tokens: 50,
      reasoning_output_tokens: 0,
      total_tokens: 1050,
    }
    assert.deepEqual(tokens?.payload, {
      type: 'token_count',
      info: {
        total_token_usage: counts,
        last_token_usage: counts,
        model_context_window: 258_400,
      },
      rate_limits: null,
    })
    assert.deepEqual(ended?.payload, {
      type: 'task_complete',
      turn_id: end.turnId,
      last_agent_message: 'hello',
      completed_at: 1795176000,
      duration_ms: 0,
      time_to_first_token_ms: 0,
    })
  })

  it('has only what belongs to a later turn when nothing has changed', async () => {
    await using kit = await SessionKit.open([{ items: [hello] }, { items: [hello] }])
    const handle = await kit.start()
    await runTurn(handle, 'one')
    await runTurn(handle, 'two')
    assert.deepEqual(kit.kinds(), [...FIRST_TURN, ...LATER_TURN])
    const usage = kit.payloads('event_msg token_count').map(({ info }) => info) as unknown[]
    const total = (at: number) =>
      (usage[at] as { total_token_usage: { total_tokens: number } }).total_token_usage.total_tokens
    assert.deepEqual([total(0), total(1)], [120, 240])
  })

  it('has calls and their outputs before the token count of their response', async () => {
    const plan = functionCall('update_plan', { plan: [] }, 'call_1')
    const steps = [{ items: [reasoning('Hm'), plan] }, { items: [hello] }]
    await using kit = await SessionKit.open(steps)
    await runTurn(await kit.start(), 'hi')
    assert.deepEqual(kit.kinds().slice(7), [
      'event_msg agent_reasoning',
      'response_item reasoning',
      'response_item function_call',
      'response_item function_call_output',
      'event_msg token_count',
      ...LATER_TURN.slice(4),
    ])
    const { type, ...output } = kit.payloads('response_item function_call_output')[0] ?? {}
    assert.deepEqual(output, { call_id: 'call_1', output: 'Plan updated' })
  })

  it('never has an item of a kind that is not known', async () => {
    const steps = [{ items: [{ type: 'hologram', id: 'h' }, hello] }]
    await using kit = await SessionKit.open(steps)
    assert.equal((await runTurn(await kit.start(), 'hi')).status, 'completed')
    assert.deepEqual(kit.kinds(), FIRST_TURN)
  })

  it('has an empty turn when the model says nothing', async () => {
    await using kit = await SessionKit.open([{ items: [], usage: null }])
    await runTurn(await kit.start(), 'hi')
    assert.deepEqual(kit.kinds().slice(7), ['event_msg token_count', 'event_msg task_complete'])
    assert.equal(kit.payloads('event_msg task_complete')[0]?.last_agent_message, null)
    assert.equal(kit.payloads('event_msg token_count')[0]?.info, null)
  })

  it('asks again while the model says that it is not done', async () => {
    const steps = [{ items: [], endTurn: false }, { items: [hello] }]
    await using kit = await SessionKit.open(steps)
    assert.equal((await runTurn(await kit.start(), 'hi')).status, 'completed')
    assert.equal(kit.model.requests.length, 2)
  })
})

describe('what is told', () => {
  it('comes in the order of the wire', async () => {
    const search = {
      type: 'web_search_call',
      id: 'w1',
      action: { type: 'search', query: 'cats' },
    }
    const thought = { ...reasoning('Hm'), id: 'r1' }
    const steps = [{ items: [thought, search, hello], deltas: 2, usage: null }]
    await using kit = await SessionKit.open(steps)
    const handle = await kit.start()
    using watch = new Watch(handle)
    const { turnId } = await runTurn(handle, 'hi')
    const said = { type: 'agentMessage', id: 'm1', memoryCitation: null }
    const person = watch.of('itemStarted')[0]?.item
    assert.deepEqual(person, {
      type: 'userMessage',
      id: person?.id,
      content: [{ type: 'text', text: 'hi', text_elements: [] }],
    })
    const reasoned = { type: 'reasoning', id: 'r1', content: [] }
    const action = { type: 'search', query: 'cats' }
    const searched = { type: 'webSearch', id: 'w1', query: 'cats', action }
    // As the provider announces them: all but the text.
    assert.deepEqual(watch.events, [
      { type: 'turnStarted', turnId, startedAtS: 1795176000 },
      { type: 'itemStarted', turnId, item: person },
      { type: 'itemCompleted', turnId, item: person },
      { type: 'itemStarted', turnId, item: { ...reasoned, summary: ['Hm'] } },
      { type: 'itemCompleted', turnId, item: { ...reasoned, summary: ['Hm'] } },
      { type: 'itemStarted', turnId, item: searched },
      { type: 'itemCompleted', turnId, item: searched },
      { type: 'itemStarted', turnId, item: { ...said, text: '', phase: 'final_answer' } },
      { type: 'agentMessageDelta', turnId, itemId: 'm1', delta: 'hel' },
      { type: 'agentMessageDelta', turnId, itemId: 'm1', delta: 'lo' },
      { type: 'itemCompleted', turnId, item: { ...said, text: 'hello', phase: 'final_answer' } },
      { type: 'tokenCount', turnId, info: null },
      { type: 'turnCompleted', turnId, status: 'completed', error: null, durationMs: 0 },
    ])
  })

  it('is in the file when it is told', async () => {
    const run = functionCall('exec_command', { cmd: 'echo hi', login: false }, 'call_1')
    const steps = [
      { items: [reasoning('Hm'), assistantMessage('looking'), run] },
      { items: [hello] },
    ]
    await using kit = await SessionKit.open(steps)
    const handle = await kit.start()
    const seen: string[] = []
    const file = () => JSON.stringify(kit.lines())
    handle.listen((event) => {
      if (event.type === 'turnStarted') assert.match(file(), /"user_message"/)
      if (event.type === 'turnCompleted') assert.match(file(), /"task_complete"/)
      if (event.type !== 'itemCompleted') return
      const { item } = event
      seen.push(item.type)
      if (item.type === 'userMessage') assert.match(file(), /"user_message","message":"go"/)
      if (item.type === 'reasoning') assert.match(file(), /"agent_reasoning","text":"Hm"/)
      if (item.type === 'agentMessage') {
        assert.ok(file().includes(`"agent_message","message":"${item.text}"`))
      }
      if (item.type === 'commandExecution') {
        assert.match(file(), /"exec_command_end","call_id":"call_1"/)
      }
    })
    const faults: unknown[] = []
    const onWarning = (warning: unknown) => faults.push(warning)
    process.on('warning', onWarning)
    await runTurn(handle, 'go')
    await new Promise((done) => setImmediate(done))
    process.off('warning', onWarning)
    assert.deepEqual(faults, [])
    assert.deepEqual(seen, [
      'userMessage',
      'reasoning',
      'agentMessage',
      'commandExecution',
      'agentMessage',
    ])
  })

  it('is told again by the file, item for item', async () => {
    const run = functionCall('exec_command', { cmd: 'echo hi; exit 3', login: false }, 'call_1')
    const steps = [{ items: [reasoning('Hm'), run] }, { items: [hello] }]
    await using kit = await SessionKit.open(steps)
    const handle = await kit.start()
    using watch = new Watch(handle)
    const { turnId, durationMs } = await runTurn(handle, 'go')
    // Only calls keep their id; a message read back is `item-1`.
    const comparable = (items: readonly TurnItem[]) =>
      items.map((item) => (item.type === 'commandExecution' ? item : { ...item, id: '' }))
    const told = watch.of('itemCompleted').map(({ item }) => item)
    const [turn, ...others] = kit.turns()
    assert.equal(others.length, 0)
    const { items, ...facts } = turn ?? assert.fail()
    assert.deepEqual(comparable(items), comparable(told))
    assert.deepEqual(facts, {
      id: turnId,
      status: 'completed',
      error: null,
      startedAtS: 1795176000,
      completedAtS: 1795176000,
      durationMs,
    })
  })
})

describe('the duration of a turn', () => {
  it('is told as it is kept, however long the keeping took', async () => {
    await using kit = await SessionKit.open([{ items: [hello] }])
    const handle = await kit.start()
    kit.files.plan = ({ method }) => {
      if (method === 'file.write' || method === 'file.sync') kit.clock.now += 50
      return undefined
    }
    const { durationMs } = await runTurn(handle, 'hi')
    assert.ok(durationMs > 50)
    assert.equal(kit.payloads('event_msg task_complete')[0]?.duration_ms, durationMs)
  })
})

describe('the start of a turn', () => {
  it('is answered when the message is in the file', async () => {
    await using kit = await SessionKit.open([{ items: [hello] }])
    const handle = await kit.start()
    const turnId = await handle.startTurn(text('keep me'))
    const message = kit.payloads('event_msg user_message')[0]
    assert.deepEqual([message?.message, kit.turns()[0]?.id], ['keep me', turnId])
    await handle.interrupt()
  })

  it('refuses empty input, and changes nothing by it', async () => {
    await using kit = await SessionKit.open([{ items: [hello] }])
    const handle = await kit.start()
    await assert.rejects(handle.startTurn([]), { code: 'empty_input' })
    assert.deepEqual(kit.logs(), [])
    assert.equal((await runTurn(handle, 'hi')).status, 'completed')
  })
})
