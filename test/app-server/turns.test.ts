import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { JsonObject } from '../../src/base/index.ts'
import { assistantMessage, functionCall } from '../../src/core/index.ts'
import { AppServerKit, type KitClient, type Told } from '../support/app-server-kit.ts'
import { completed, hangsAfter, itemEvents, type Step, started } from '../support/played-model.ts'

const says = (text: string): Step => ({ items: [assistantMessage(text)] })
const runs = (cmd: string, id: string) => functionCall('exec_command', { cmd, login: false }, id)
const input = (text: string) => [{ type: 'text', text, text_elements: [] }]

/** Asks, waits until it is let go on, and answers. */
function held(words: string) {
  const asked = Promise.withResolvers<void>()
  const gate = Promise.withResolvers<void>()
  const step: Step = async function* () {
    yield started()
    asked.resolve()
    await gate.promise
    yield* itemEvents(assistantMessage(words))
    yield completed()
  }
  return { step, asked: asked.promise, letGo: gate.resolve }
}

/** Everything that came, in order: methods, and answers by their id. */
function order(client: KitClient, from = 0): string[] {
  return client.messages.slice(from).map((message) => {
    if (message.method === undefined) return 'answer'
    const { item, status } = (message.params ?? {}) as { item?: JsonObject; status?: JsonObject }
    return [message.method, item?.type ?? status?.type].filter(Boolean).join(' ')
  })
}

const turnIdOf = (result: JsonObject) => String((result.turn as JsonObject).id)
const isEnd = ({ method }: Told) => method === 'turn/completed'

describe('a turn over the protocol', () => {
  it('is answered first, and told in the order of the wire [10.1]', async () => {
    await using kit = await AppServerKit.open([says('hello')])
    const threadId = await kit.startThread()
    const from = kit.client.messages.length
    const turn = await kit.client.runTurn(threadId, 'hi')
    assert.equal(turn.status, 'completed')
    assert.deepEqual(order(kit.client, from), [
      'answer',
      'thread/status/changed active',
      'turn/started',
      'item/started userMessage',
      'item/completed userMessage',
      'item/started agentMessage',
      'item/agentMessage/delta',
      'item/completed agentMessage',
      'thread/tokenUsage/updated',
      'account/rateLimits/updated',
      'thread/status/changed idle',
      'turn/completed',
    ])
  })

  it('that fails tells systemError, the error, and the same error with its end', async () => {
    await using kit = await AppServerKit.open([], { streamMaxRetries: 0 })
    const threadId = await kit.startThread()
    const from = kit.client.messages.length
    const turn = await kit.client.runTurn(threadId, 'hi')
    assert.deepEqual(order(kit.client, from).slice(-3), [
      'thread/status/changed systemError',
      'error',
      'turn/completed',
    ])
    const told = kit.client.notifications.find(({ method }) => method === 'error')
    assert.deepEqual([turn.status, turn.error], ['failed', told?.params.error])
    kit.model.add(says('again'))
    assert.equal((await kit.client.runTurn(threadId, 'more')).status, 'completed')
  })

  it('takes settings along for good, and tells them only when they change', async () => {
    await using kit = await AppServerKit.open([says('a'), says('b'), says('c')])
    const threadId = await kit.startThread()
    const turn = { model: 'gpt-5.4-mini', sandboxPolicy: { type: 'readOnly' } }
    await kit.client.runTurn(threadId, 'one', turn)
    await kit.client.runTurn(threadId, 'two', turn)
    await kit.client.runTurn(threadId, 'three')
    const told = kit.client.notifications.filter(
      ({ method }) => method === 'thread/settings/updated',
    )
    const settings = told.map(({ params }) => params.threadSettings as JsonObject)
    assert.deepEqual(
      settings.map(({ model, sandboxPolicy }) => [model, sandboxPolicy]),
      [['gpt-5.4-mini', { type: 'readOnly', networkAccess: false }]],
    )
    assert.deepEqual(
      kit.model.requests.map(({ model }) => model),
      ['gpt-5.4-mini', 'gpt-5.4-mini', 'gpt-5.4-mini'],
    )
  })

  it("passes the client's metadata on, by either name; what is built in stays", async () => {
    await using kit = await AppServerKit.open([says('a'), says('b')])
    const threadId = await kit.startThread()
    await kit.client.runTurn(threadId, 'one', {
      clientMetadata: { a: 'old', b: 'old', thread_id: 'mine' },
      responsesapiClientMetadata: { b: 'new' },
    })
    await kit.client.runTurn(threadId, 'two')
    const told = kit.model.requests.map(({ turnMetadata }) => {
      const { a, b, thread_id } = turnMetadata
      return [a, b, thread_id]
    })
    assert.deepEqual(told, [
      ['old', 'new', threadId],
      [undefined, undefined, threadId],
    ])
  })

  it('is interrupted: answer, idle, end; an empty id means whatever runs', async () => {
    await using kit = await AppServerKit.open([hangsAfter(), hangsAfter()])
    const threadId = await kit.startThread()
    for (const name of ['its id', '']) {
      const result = await kit.client.request('turn/start', { threadId, input: input('go') })
      const turnId = turnIdOf(result)
      await kit.client.waitFor('turn/started', ({ turn }) => (turn as JsonObject).id === turnId)
      const from = kit.client.messages.length
      await kit.client.request('turn/interrupt', { threadId, turnId: name === '' ? '' : turnId })
      await kit.client.waitFor('turn/completed', ({ turn }) => (turn as JsonObject).id === turnId)
      assert.deepEqual(order(kit.client, from), [
        'answer',
        'thread/status/changed idle',
        'turn/completed',
      ])
      assert.deepEqual(await kit.client.request('turn/interrupt', { threadId, turnId }), {})
    }
    assert.deepEqual(await kit.client.request('turn/interrupt', { threadId, turnId: '' }), {})
    const other = await kit.client.refused('turn/interrupt', { threadId, turnId: 'x' })
    assert.deepEqual(other, { code: -32600, message: 'no active turn to interrupt' })
  })

  it('takes what is said meanwhile: no id that is answered vanishes', async () => {
    const first = held('a1')
    await using kit = await AppServerKit.open([first.step, says('a2')])
    const threadId = await kit.startThread()
    const start = await kit.client.request('turn/start', { threadId, input: input('one') })
    const turnId = turnIdOf(start)
    await first.asked
    const steered = await kit.client.request('turn/steer', {
      threadId,
      input: input('two'),
      expectedTurnId: turnId,
    })
    assert.deepEqual(steered, { turnId })
    const again = await kit.client.request('turn/start', { threadId, input: input('three') })
    assert.equal(turnIdOf(again), turnId)
    first.letGo()
    await kit.client.waitFor('turn/completed')
    const said = kit.client.notifications.flatMap(({ method, params }) => {
      const item = params.item as JsonObject | undefined
      if (method !== 'item/completed' || item?.type !== 'userMessage') return []
      return [(item.content as { text: string }[])[0]?.text]
    })
    assert.deepEqual(said, ['one', 'two', 'three'])
    assert.equal(kit.client.notifications.filter(isEnd).length, 1)
  })

  it('has what was said to a turn that then failed in the next one', async () => {
    const failing = Promise.withResolvers<void>()
    const asked = Promise.withResolvers<void>()
    const step: Step = async function* () {
      yield started()
      asked.resolve()
      await failing.promise
      throw new Error('broken')
    }
    await using kit = await AppServerKit.open([step, says('a2')])
    const threadId = await kit.startThread()
    const start = await kit.client.request('turn/start', { threadId, input: input('one') })
    const expectedTurnId = turnIdOf(start)
    await asked.promise
    await kit.client.request('turn/steer', { threadId, input: input('two'), expectedTurnId })
    failing.resolve()
    const { params } = await kit.client.waitFor('turn/completed', ({ turn }) => {
      return (turn as JsonObject).id !== expectedTurnId
    })
    assert.equal((params.turn as JsonObject).status, 'completed')
    assert.match(JSON.stringify(kit.model.requests[1]?.input), /"two"/)
  })

  it('refuses what cannot be steered in the words that clients know', async () => {
    const summary = held('notes')
    await using kit = await AppServerKit.open([says('a1'), summary.step, says('a2')])
    const threadId = await kit.startThread()
    const steer = { threadId, input: input('x'), expectedTurnId: 't' }
    const message = async (params: JsonObject) =>
      (await kit.client.refused('turn/steer', { ...steer, ...params })).message
    assert.equal(await message({}), 'no active turn to steer')
    assert.equal(await message({ expectedTurnId: '' }), 'expectedTurnId must not be empty')
    await kit.client.runTurn(threadId, 'one')
    await kit.client.request('thread/compact/start', { threadId })
    await summary.asked
    const begun = kit.client.notifications.filter(({ method }) => method === 'turn/started')
    const turnId = turnIdOf(begun.at(-1)?.params ?? {})
    assert.equal(await message({}), `expected active turn id \`t\` but found \`${turnId}\``)
    assert.deepEqual(await kit.client.refused('turn/steer', { ...steer, expectedTurnId: turnId }), {
      code: -32600,
      message: 'cannot steer a compact turn',
      data: {
        message: 'cannot steer a compact turn',
        codexErrorInfo: { activeTurnNotSteerable: { turnKind: 'compact' } },
        additionalDetails: null,
      },
    })
    // Input during a compaction is kept for behind it.
    const queued = kit.client.request('turn/start', { threadId, input: input('two') })
    summary.letGo()
    const behind = turnIdOf(await queued)
    await kit.client.waitFor('turn/completed', ({ turn }) => (turn as JsonObject).id === behind)
    assert.notEqual(behind, turnId)
  })

  it('refuses what is too large, and what is no thread', async () => {
    await using kit = await AppServerKit.open()
    const threadId = await kit.startThread()
    const large = input('x'.repeat(1_048_577))
    assert.deepEqual(await kit.client.refused('turn/start', { threadId, input: large }), {
      code: -32602,
      message: 'Input exceeds the maximum length of 1048576 characters.',
      data: {
        input_error_code: 'input_too_large',
        max_chars: 1_048_576,
        actual_chars: 1_048_577,
      },
    })
    const unknown = '01a1fd73-4bc5-7000-8000-000000000000'
    const refused = async (id: string) =>
      (await kit.client.refused('turn/start', { threadId: id, input: [] })).message
    assert.equal(await refused(unknown), `thread not found: ${unknown}`)
    assert.equal(
      await refused('nope'),
      'invalid thread id: invalid character: expected an optional prefix of `urn:uuid:` ' +
        'followed by [0-9a-fA-F-], found `n` at 1',
    )
    assert.equal(
      await refused('abc'),
      'invalid thread id: invalid length: expected length 32 for simple format, found 3',
    )
  })
})

describe('questions to clients [8]', () => {
  const ask = 'item/commandExecution/requestApproval'

  async function asked(kit: AppServerKit) {
    const threadId = await kit.startThread({ approvalPolicy: 'untrusted' })
    const result = await kit.client.request('turn/start', { threadId, input: input('go') })
    const request = await kit.client.waitForRequest(ask)
    return { threadId, turnId: turnIdOf(result), request }
  }

  it('go to all who watch, with one id; the first answer counts', async () => {
    await using kit = await AppServerKit.open([{ items: [runs('touch a', 'c1')] }, says('done')])
    const second = await kit.connect()
    const third = await kit.connect()
    const threadId = await kit.startThread({ approvalPolicy: 'untrusted' })
    await second.request('thread/resume', { threadId })
    await kit.client.request('turn/start', { threadId, input: input('go') })
    const [one, two] = await Promise.all([
      kit.client.waitForRequest(ask),
      second.waitForRequest(ask),
    ])
    assert.equal(one.id, two.id)
    third.answer(one.id ?? null, { decision: 'cancel' })
    second.answer(one.id ?? null, { decision: 'accept' })
    kit.client.answer(one.id ?? null, { decision: 'cancel' })
    const { params } = await kit.client.waitFor('turn/completed')
    assert.equal((params.turn as JsonObject).status, 'completed')
    for (const client of [kit.client, second]) {
      const resolved = client.notifications.filter(
        ({ method }) => method === 'serverRequest/resolved',
      )
      assert.deepEqual(
        resolved.map((each) => each.params),
        [{ threadId, requestId: one.id }],
      )
    }
    assert.deepEqual(third.requests, [])
  })

  it('wait when all have left, and are asked again of whoever comes', async () => {
    await using kit = await AppServerKit.open([{ items: [runs('touch a', 'c1')] }, says('done')])
    const { threadId, request } = await asked(kit)
    kit.client.close()
    const next = await kit.connect()
    const { thread } = await next.request('thread/resume', { threadId })
    assert.deepEqual((thread as JsonObject).status, {
      type: 'active',
      activeFlags: ['waitingOnApproval'],
    })
    const again = await next.waitForRequest(ask)
    assert.deepEqual([again.id, again.params], [request.id, request.params])
    next.answer(again.id ?? null, { decision: 'accept' })
    const { params } = await next.waitFor('turn/completed')
    assert.equal((params.turn as JsonObject).status, 'completed')
  })

  it('are withdrawn when the turn ends, behind its end; late answers do nothing', async () => {
    await using kit = await AppServerKit.open([{ items: [runs('touch a', 'c1')] }, says('next')])
    const { threadId, turnId, request } = await asked(kit)
    const from = kit.client.messages.length
    await kit.client.request('turn/interrupt', { threadId, turnId })
    await kit.client.waitFor('serverRequest/resolved')
    assert.deepEqual(order(kit.client, from), [
      'answer',
      'thread/tokenUsage/updated',
      'account/rateLimits/updated',
      'item/completed commandExecution',
      'thread/status/changed idle',
      'turn/completed',
      'serverRequest/resolved',
    ])
    kit.client.answer(request.id ?? null, { decision: 'accept' })
    assert.equal((await kit.client.runTurn(threadId, 'next')).status, 'completed')
  })

  it('that are answered with an error, or in an unreadable way, are declined', async () => {
    const steps = [0, 1].flatMap((n) => [{ items: [runs(`touch a${n}`, `c${n}`)] }, says('done')])
    await using kit = await AppServerKit.open(steps)
    const threadId = await kit.startThread({ approvalPolicy: 'untrusted' })
    const answers: JsonObject[] = [
      { result: { decision: 7 } },
      { error: { code: 1, message: 'x' } },
    ]
    for (const [n, answer] of answers.entries()) {
      const ended = kit.client.runTurn(threadId, 'go')
      const request = await kit.client.waitForRequest(ask, ({ itemId }) => itemId === `c${n}`)
      kit.client.send({ id: request.id ?? null, ...answer })
      assert.equal((await ended).status, 'completed')
      const { params } = await kit.client.waitFor(
        'item/completed',
        ({ item }) => (item as JsonObject).id === `c${n}`,
      )
      assert.equal((params.item as JsonObject).status, 'declined')
    }
  })
})
