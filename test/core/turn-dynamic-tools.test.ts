import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { JsonObject } from '../../src/base/index.ts'
import { parseDynamicTools, type ThreadHandle } from '../../src/core/index.ts'
import { functionCall } from '../../src/core/model/script.ts'
import type {
  ClientAnswer,
  DynamicToolCall,
  DynamicToolContent,
  SessionEvent,
} from '../../src/protocol/index.ts'
import { runTurn, SessionKit, Watch } from '../support/session-kit.ts'

const SCHEMA = { type: 'object', properties: { q: { type: 'string' } } }
const done = { items: [] }

function tool(name: string, fields: JsonObject = {}): JsonObject {
  return { name, description: `What ${name} does.`, inputSchema: SCHEMA, ...fields }
}

async function start(kit: SessionKit, tools: readonly JsonObject[]): Promise<ThreadHandle> {
  return await kit.manager.start({ settings: kit.settings, dynamicTools: parseDynamicTools(tools) })
}

function inNamespace(namespace: string, call: JsonObject): JsonObject {
  return { ...call, namespace }
}

const text = (said: string) => ({ type: 'inputText', text: said }) as const
const image = { type: 'inputImage', imageUrl: 'data:image/png;base64,AAAA' } as const

/** Serves all tools with these answers, by the tool's name. */
function serve(
  handle: ThreadHandle,
  answers: { [tool: string]: unknown },
): { asked: DynamicToolCall[] } {
  const asked: DynamicToolCall[] = []
  handle.answerRequests({
    dynamicToolCall: async (params) => {
      asked.push(params)
      const answer = answers[params.tool]
      if (answer instanceof Error) throw answer
      return answer as ClientAnswer<'dynamicToolCall'>
    },
  })
  return { asked }
}

const result = (contentItems: readonly DynamicToolContent[], success = true) => ({
  contentItems,
  success,
})

function outputs(kit: SessionKit): unknown[] {
  return kit.payloads('response_item function_call_output').map(({ output }) => output)
}

function itemsOf(events: readonly SessionEvent[], id: string): unknown[] {
  return events.flatMap((event) =>
    'item' in event && event.item.id === id ? [[event.type, event.item]] : [],
  )
}

describe("a client's tools", () => {
  it('are told to the model behind the built-in ones, unless deferred', async () => {
    await using kit = await SessionKit.open([done])
    const handle = await start(kit, [
      tool('look'),
      tool('b', { namespace: 'crm' }),
      tool('a', { namespace: 'crm' }),
      tool('hidden', { namespace: 'crm', deferLoading: true }),
      tool('old', { namespace: 'only', exposeToContext: false }),
    ])
    await runTurn(handle, 'go')
    const spec = (name: string) => ({
      type: 'function',
      name,
      description: `What ${name} does.`,
      strict: false,
      parameters: SCHEMA,
    })
    assert.deepEqual(kit.model.requests[0]?.tools.slice(6), [
      spec('look'),
      {
        type: 'namespace',
        name: 'crm',
        description: 'Tools in the crm namespace.',
        tools: [spec('a'), spec('b')],
      },
    ])
  })

  it('are called by asking the client, told live and read back', async () => {
    const call = inNamespace('crm', functionCall('find', { q: 'Ada' }, 'call_1'))
    await using kit = await SessionKit.open([{ items: [call] }, done])
    const handle = await start(kit, [tool('find', { namespace: 'crm', deferLoading: true })])
    const { asked } = serve(handle, { find: result([text('found'), image]) })
    using watch = new Watch(handle)
    await runTurn(handle, 'go')
    const about = { namespace: 'crm', tool: 'find', arguments: { q: 'Ada' } }
    assert.deepEqual(asked, [{ callId: 'call_1', ...about }])
    const item = { type: 'dynamicToolCall', id: 'call_1', ...about } as const
    const ended = {
      ...item,
      status: 'completed',
      contentItems: [text('found'), image],
      success: true,
      durationMs: 0,
    }
    const open = { status: 'inProgress', contentItems: null, success: null, durationMs: null }
    assert.deepEqual(itemsOf(watch.events, 'call_1'), [
      ['itemStarted', { ...item, ...open }],
      ['itemCompleted', ended],
    ])
    assert.deepEqual(kit.turns()[0]?.items[1], ended)
    assert.deepEqual(outputs(kit), [
      [
        { type: 'input_text', text: 'found' },
        { type: 'input_image', image_url: image.imageUrl, detail: 'high' },
      ],
    ])
    const kinds = kit.kinds().slice(7, 10)
    assert.deepEqual(kinds, [
      'response_item function_call',
      'event_msg dynamic_tool_call_response',
      'response_item function_call_output',
    ])
  })

  it('give the model what the client said, or that it said nothing of use', async () => {
    const answers: { [name: string]: unknown } = {
      one: result([text('one')]),
      failed: result([text('went wrong')], false),
      two: result([text('a'), text('b')]),
      nothing: result([]),
      picture: result([image]),
      broken: new Error('no'),
      invalid: { nonsense: 1 },
      odd: { contentItems: [{ type: 'weird' }], success: true },
      many: result(Array(1001).fill(text(''))),
      large: result([text('x'.repeat(17 << 20))]),
    }
    const names = Object.keys(answers)
    const calls = names.map((name) => functionCall(name, {}, `call_${name}`))
    await using kit = await SessionKit.open([{ items: calls }, done])
    const handle = await start(
      kit,
      names.map((name) => tool(name)),
    )
    serve(handle, answers)
    using watch = new Watch(handle)
    await runTurn(handle, 'go')
    assert.deepEqual(outputs(kit), [
      'one',
      'went wrong',
      [
        { type: 'input_text', text: 'a' },
        { type: 'input_text', text: 'b' },
      ],
      [],
      [{ type: 'input_image', image_url: image.imageUrl, detail: 'high' }],
      'dynamic tool request failed',
      'dynamic tool response was invalid',
      'dynamic tool response was invalid',
      'dynamic tool response was too large',
      'dynamic tool response was too large',
    ])
    const told = watch.of('itemCompleted').map(({ item }) => item)
    const calledItems = told.filter((item) => item.type === 'dynamicToolCall')
    assert.deepEqual(
      calledItems.map(({ tool: name, status, success }) => [name, status, success]),
      names.map((name) => {
        const isGood = ['one', 'two', 'nothing', 'picture'].includes(name)
        return [name, isGood ? 'completed' : 'failed', isGood]
      }),
    )
    assert.deepEqual(kit.turns()[0]?.items.slice(1), calledItems)
  })

  it('fail where no client is', async () => {
    await using kit = await SessionKit.open([{ items: [functionCall('look', {}, 'c1')] }, done])
    const { status } = await runTurn(await start(kit, [tool('look')]), 'go')
    assert.deepEqual([status, outputs(kit)], ['completed', ['dynamic tool request failed']])
  })

  it('are asked nothing when the arguments are no JSON', async () => {
    const deep = '['.repeat(101) + ']'.repeat(101)
    const inputs = ['not json', '', '{}x', deep, '[1]']
    const calls = inputs.map((input, index) => functionCall('look', input, `c${index}`))
    await using kit = await SessionKit.open([{ items: calls }, done])
    const handle = await start(kit, [tool('look')])
    const { asked } = serve(handle, { look: result([text('seen')]) })
    await runTurn(handle, 'go')
    const broken = 'failed to parse function arguments: '
    assert.deepEqual(outputs(kit), [
      `${broken}expected ident at line 1 column 2`,
      `${broken}EOF while parsing a value at line 1 column 0`,
      `${broken}trailing characters at line 1 column 3`,
      `${broken}recursion limit exceeded`,
      'seen',
    ])
    assert.deepEqual(
      asked.map((each) => each.arguments),
      [[1]],
    )
  })

  it('run one after the other', async () => {
    const calls = ['c1', 'c2'].map((id) => functionCall('look', {}, id))
    await using kit = await SessionKit.open([{ items: calls }, done])
    const handle = await start(kit, [tool('look')])
    serve(handle, { look: result([]) })
    using watch = new Watch(handle)
    await runTurn(handle, 'go')
    const told = watch.events.flatMap((event) =>
      'item' in event && event.item.type === 'dynamicToolCall' ? [event.type] : [],
    )
    const [began, ended] = ['itemStarted', 'itemCompleted']
    assert.deepEqual(told, [began, ended, began, ended])
  })

  it('never take the place of a built-in tool, but may share its name in a namespace', async () => {
    const items = [
      functionCall('update_plan', { plan: [] }, 'c1'),
      inNamespace('my', functionCall('update_plan', {}, 'c2')),
    ]
    await using kit = await SessionKit.open([{ items }, done])
    const handle = await start(kit, [tool('update_plan'), tool('update_plan', { namespace: 'my' })])
    serve(handle, { update_plan: result([text('mine')]) })
    await runTurn(handle, 'go')
    assert.deepEqual(outputs(kit), ['Plan updated', 'mine'])
    const names = kit.model.requests[0]?.tools.map((each) => each.name)
    assert.equal(names?.filter((name) => name === 'update_plan').length, 1)
  })

  it('are failed, live and later, when the turn is interrupted', async () => {
    await using kit = await SessionKit.open([{ items: [functionCall('look', {}, 'c1')] }])
    const handle = await start(kit, [tool('look')])
    handle.answerRequests({ dynamicToolCall: () => new Promise(() => undefined) })
    using watch = new Watch(handle)
    const asked = watch.next((event) => event.type === 'requestOpened')
    const turnId = await handle.startTurn([{ type: 'text', text: 'go' }])
    await asked
    await handle.interrupt(turnId)
    const item = {
      type: 'dynamicToolCall',
      id: 'c1',
      namespace: null,
      tool: 'look',
      arguments: {},
      status: 'failed',
      contentItems: null,
      success: false,
      durationMs: 0,
    }
    assert.deepEqual(itemsOf(watch.events, 'c1').at(-1), ['itemCompleted', item])
    assert.deepEqual(kit.turns()[0]?.items[1], item)
    assert.match(String(outputs(kit)[0]), /^aborted by user after /)
  })

  it('are kept in the header, and are there again when the thread is resumed', async () => {
    await using kit = await SessionKit.open([done])
    const definitions = [tool('look'), tool('find', { namespace: 'crm', deferLoading: true })]
    const handle = await start(kit, definitions)
    await runTurn(handle, 'one')
    const [look, find] = definitions
    assert.deepEqual(kit.lines()[0]?.payload.dynamic_tools, [
      { ...look, deferLoading: false },
      { namespace: 'crm', ...find },
    ])
    await kit.restart()
    const call = inNamespace('crm', functionCall('find', {}, 'c1'))
    kit.model.replace({ items: [call] }, done)
    const resumed = await kit.resume(handle.threadId)
    serve(resumed, { find: result([text('still here')]) })
    await runTurn(resumed, 'two')
    assert.deepEqual(outputs(kit), ['still here'])
    assert.ok(kit.model.requests[1]?.tools.some((each) => each.name === 'look'))
  })

  it('are found by the words of their calls', async () => {
    const call = inNamespace('crm', functionCall('find', { q: 'Lovelace' }, 'c1'))
    await using kit = await SessionKit.open([{ items: [call] }, done])
    const handle = await start(kit, [tool('find', { namespace: 'crm' })])
    serve(handle, { find: result([]) })
    await runTurn(handle, 'go')
    await kit.restart()
    for (const query of ['Lovelace', '"crm find"']) {
      const { hits } = await kit.store.searchThreads({ query, limit: 10, includeSubagents: false })
      assert.deepEqual(
        hits.map(({ thread }) => thread.threadId),
        [handle.threadId],
      )
    }
  })
})
