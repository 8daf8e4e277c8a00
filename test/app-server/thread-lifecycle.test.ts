import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import type { JsonObject } from '../../src/base/index.ts'
import { assistantMessage } from '../../src/core/index.ts'
import { AppServerKit, type KitClient } from '../support/app-server-kit.ts'
import { completed, hangsAfter, itemEvents, type Step, started } from '../support/played-model.ts'
import { runTurn } from '../support/session-kit.ts'
import { TestClock } from '../support/test-clock.ts'

const says = (text: string): Step => ({ items: [assistantMessage(text)] })
const input = (text: string) => [{ type: 'text', text, text_elements: [] }]
const UNKNOWN = '01a1fd73-4bc5-7000-8000-000000000000'

function order(client: KitClient, from: number): string[] {
  return client.messages.slice(from).map(({ method, params }) => {
    const status = (params as { status?: JsonObject } | undefined)?.status
    return method === undefined ? 'answer' : [method, status?.type].filter(Boolean).join(' ')
  })
}

const threadOf = (result: JsonObject) => result.thread as JsonObject
const turnsOf = (result: JsonObject) => threadOf(result).turns as JsonObject[]

/** As another process would find the home. */
async function reload(kit: AppServerKit, threadId: string): Promise<void> {
  await kit.session.manager.remove(threadId as never)
}

describe('starting a thread over the protocol [6.1]', () => {
  it('answers what is in force, then tells all; lists wait for a turn', async () => {
    await using kit = await AppServerKit.open([says('a')])
    const other = await kit.connect()
    const from = kit.client.messages.length
    const result = await kit.client.request('thread/start', {
      model: 'gpt-5.4-mini',
      sandbox: 'read-only',
      developerInstructions: 'Be brief.',
    })
    const thread = threadOf(result)
    assert.deepEqual(order(kit.client, from), ['answer', 'thread/started'])
    assert.equal(other.told().filter((method) => method === 'thread/started').length, 1)
    assert.deepEqual(
      [result.model, result.modelProvider, result.sandbox, result.approvalPolicy, result.cwd],
      ['gpt-5.4-mini', 'mock', { type: 'readOnly', networkAccess: false }, 'never', kit.project],
    )
    assert.deepEqual([thread.turns, thread.preview, thread.ephemeral], [[], '', false])
    assert.deepEqual((await kit.client.request('thread/list', {})).data, [])
    const unread = await kit.client.refused('thread/read', {
      threadId: String(thread.id),
      includeTurns: true,
    })
    assert.match(String(unread.message), /is not materialized yet/)
    await kit.client.runTurn(String(thread.id), 'hi')
    assert.deepEqual(kit.session.logs(), [thread.path])
    const sent = JSON.stringify(kit.model.requests[0]?.input)
    assert.match(sent, /Be brief\./)
    assert.equal(other.told().includes('turn/started'), false)
  })

  it('is a promise: who was answered can resume it after the death of the process', async () => {
    await using kit = await AppServerKit.open([says('a')])
    const threadId = await kit.startThread({ model: 'gpt-5.4-mini' })
    // As it was at the answer: whatever is done from here on may not have happened.
    const [log = ''] = kit.session.logs()
    const [line, ...others] = (await readFile(log, 'utf8')).trimEnd().split('\n')
    assert.equal(JSON.parse(line ?? '').type, 'session_meta')
    assert.deepEqual(others, [])
    await kit.client.request('thread/start', { ephemeral: true })
    assert.deepEqual(kit.session.logs(), [log])
    await kit.session.restart()
    const again = await kit.session.resume(threadId as never)
    assert.equal((await runTurn(again, 'hi')).status, 'completed')
  })

  it('keeps base instructions and client tools; ephemeral keeps nothing', async () => {
    await using kit = await AppServerKit.open([says('a'), says('b')])
    const dynamicTools = [{ name: 'look', description: 'Looks.', inputSchema: { type: 'object' } }]
    const threadId = await kit.startThread({ baseInstructions: 'You are a cat.', dynamicTools })
    await kit.client.runTurn(threadId, 'hi')
    await reload(kit, threadId)
    await kit.client.request('thread/resume', { threadId })
    await kit.client.runTurn(threadId, 'again')
    for (const request of kit.model.requests) {
      assert.equal(request.instructions, 'You are a cat.')
      assert.ok(request.tools.some(({ name }) => name === 'look'))
    }
    const ephemeral = await kit.client.request('thread/start', { ephemeral: true })
    assert.deepEqual([threadOf(ephemeral).ephemeral, threadOf(ephemeral).path], [true, null])
  })

  it('refuses what cannot be, in the words that clients know', async () => {
    await using kit = await AppServerKit.open()
    const cases: [JsonObject, string][] = [
      [
        { permissions: ':read-only', sandbox: 'read-only' },
        '`permissions` cannot be combined with `sandbox`',
      ],
      [{ modelProvider: 'nope' }, 'failed to load configuration: Model provider `nope` not found'],
      [
        { permissions: 'mine' },
        'failed to load configuration: default_permissions requires a `[permissions]` table',
      ],
      [
        { dynamicTools: [{ name: '', description: 'x', inputSchema: {} }] },
        'dynamic tool name must not be empty',
      ],
      [{ model: 5 }, 'Invalid request: invalid type: integer `5`, expected a string'],
    ]
    for (const [params, message] of cases) {
      assert.deepEqual(await kit.client.refused('thread/start', params), { code: -32600, message })
    }
    const plain = await kit.connect({ initialize: false })
    await plain.initialize({})
    const dynamicTools: JsonObject[] = []
    assert.equal(
      (await plain.refused('thread/start', { dynamicTools })).message,
      'thread/start.dynamicTools requires experimentalApi capability',
    )
  })
})

describe('resuming a thread over the protocol [6.2]', () => {
  it('cold: idle, the answer with all turns, what was used, the goal', async () => {
    await using kit = await AppServerKit.open([says('a'), says('b')])
    const threadId = await kit.startThread()
    await kit.client.runTurn(threadId, 'one')
    await reload(kit, threadId)
    const from = kit.client.messages.length
    const result = await kit.client.request('thread/resume', { threadId })
    await kit.client.waitFor('thread/goal/cleared')
    assert.deepEqual(order(kit.client, from), [
      'thread/status/changed idle',
      'answer',
      'thread/tokenUsage/updated',
      'thread/goal/cleared',
    ])
    const [turn, ...others] = turnsOf(result)
    const items = ((turn?.items ?? []) as JsonObject[]).map(({ type }) => type)
    assert.deepEqual(
      [others, turn?.itemsView, items],
      [[], 'full', ['userMessage', 'agentMessage']],
    )
    await kit.client.runTurn(threadId, 'two')
  })

  it('of a loaded thread joins it, whatever is asked for, and misses nothing', async () => {
    const asked = Promise.withResolvers<void>()
    const gate = Promise.withResolvers<void>()
    const step: Step = async function* () {
      yield started()
      yield* itemEvents(assistantMessage('first'))
      asked.resolve()
      await gate.promise
      yield* itemEvents(assistantMessage('second'))
      yield completed()
    }
    await using kit = await AppServerKit.open([step])
    const threadId = await kit.startThread()
    await kit.client.request('turn/start', { threadId, input: input('go') })
    await asked.promise
    const second = await kit.connect()
    const result = await second.request('thread/resume', { threadId, model: 'other' })
    assert.equal(result.model, 'gpt-5.4')
    assert.deepEqual(threadOf(result).status, { type: 'active', activeFlags: [] })
    const [turn] = turnsOf(result)
    const texts = ((turn?.items ?? []) as JsonObject[]).map(({ text }) => text)
    assert.deepEqual([turn?.status, texts], ['inProgress', [undefined, 'first']])
    gate.resolve()
    await second.waitFor('turn/completed')
    const told = second.notifications.flatMap(({ method, params }) =>
      method === 'item/completed' ? [(params.item as JsonObject).text] : [],
    )
    assert.deepEqual(told, ['second'])
  })

  it('by path and by history; what does not fit is refused', async () => {
    await using kit = await AppServerKit.open([says('a'), says('b'), says('c')])
    const threadId = await kit.startThread()
    await kit.client.runTurn(threadId, 'one')
    const path = kit.session.logs()[0] ?? ''
    const history = [
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'h' }] },
    ]
    const refused = async (params: JsonObject) =>
      (await kit.client.refused('thread/resume', params)).message
    assert.equal(
      await refused({ threadId, history }),
      `cannot resume thread ${threadId} with history while it is already running`,
    )
    assert.equal(await refused({ threadId: UNKNOWN }), `no rollout found for thread id ${UNKNOWN}`)
    await reload(kit, threadId)
    const byPath = await kit.client.request('thread/resume', { threadId: '', path })
    assert.equal(threadOf(byPath).id, threadId)
    const made = await kit.client.request('thread/resume', { threadId: UNKNOWN, history })
    assert.notEqual(threadOf(made).id, threadId)
    assert.deepEqual(threadOf(made).turns, [])
    await kit.client.runTurn(String(threadOf(made).id), 'go on')
    assert.match(JSON.stringify(kit.model.requests.at(-1)?.input), /"h"/)
  })
})

describe('forking, rolling back and leaving [6.3, 6.4, 12]', () => {
  it('forks with all turns, or up to a turn, and tells everybody of the new thread', async () => {
    await using kit = await AppServerKit.open([says('a'), says('b'), says('c')])
    const threadId = await kit.startThread()
    const first = await kit.client.runTurn(threadId, 'one')
    await kit.client.runTurn(threadId, 'two')
    const from = kit.client.messages.length
    const whole = await kit.client.request('thread/fork', { threadId })
    assert.deepEqual(order(kit.client, from), [
      'answer',
      'thread/tokenUsage/updated',
      'thread/started',
    ])
    assert.deepEqual([threadOf(whole).forkedFromId, turnsOf(whole).length], [threadId, 2])
    const part = await kit.client.request('thread/fork', {
      threadId,
      lastTurnId: String(first.id),
      ephemeral: true,
      excludeTurns: true,
    })
    assert.deepEqual([threadOf(part).ephemeral, threadOf(part).turns], [true, []])
    await kit.client.runTurn(String(threadOf(part).id), 'three')
    assert.doesNotMatch(JSON.stringify(kit.model.requests.at(-1)?.input), /"two"/)
    assert.equal(
      (await kit.client.refused('thread/fork', { threadId: String(threadOf(part).id) })).message,
      `no rollout found for thread id ${String(threadOf(part).id)}`,
    )
  })

  it('rolls back: what is used, then the thread with the turns that are left', async () => {
    await using kit = await AppServerKit.open([says('a'), says('b'), hangsAfter()])
    const threadId = await kit.startThread()
    await kit.client.runTurn(threadId, 'one')
    await kit.client.runTurn(threadId, 'two')
    const from = kit.client.messages.length
    const result = await kit.client.request('thread/rollback', { threadId, numTurns: 1 })
    assert.deepEqual(order(kit.client, from), [
      'thread/tokenUsage/updated',
      'account/rateLimits/updated',
      'answer',
    ])
    assert.equal(turnsOf(result).length, 1)
    const all = await kit.client.request('thread/rollback', { threadId, numTurns: 99 })
    assert.deepEqual(turnsOf(all), [])
    const refused = async (numTurns: number) =>
      (await kit.client.refused('thread/rollback', { threadId, numTurns })).message
    assert.equal(await refused(0), 'numTurns must be >= 1')
    await kit.client.request('turn/start', { threadId, input: input('go') })
    assert.equal(await refused(1), 'Cannot rollback while a turn is in progress.')
  })

  it('leaves: nothing more is told, the turn goes on, others may come back', async () => {
    await using kit = await AppServerKit.open([hangsAfter(assistantMessage('half'))])
    const threadId = await kit.startThread()
    const result = await kit.client.request('turn/start', { threadId, input: input('go') })
    await kit.client.waitFor('item/agentMessage/delta')
    const leave = (id: string) => kit.client.request('thread/unsubscribe', { threadId: id })
    assert.deepEqual(await leave(threadId), { status: 'unsubscribed' })
    assert.deepEqual(await leave(threadId), { status: 'notSubscribed' })
    assert.deepEqual(await leave(UNKNOWN), { status: 'notLoaded' })
    const from = kit.client.messages.length
    const { id: turnId } = result.turn as JsonObject
    await kit.client.request('turn/interrupt', { threadId, turnId: String(turnId) })
    // Everybody hears of the status, only those who watch of the rest.
    assert.deepEqual(order(kit.client, from), ['answer', 'thread/status/changed idle'])
  })

  it('serves the requests of one thread in order, however they are piped', async () => {
    await using kit = await AppServerKit.open([says('a'), says('b')])
    const threadId = await kit.startThread()
    await kit.client.runTurn(threadId, 'one')
    await reload(kit, threadId)
    const answers = await Promise.all([
      kit.client.request('thread/resume', { threadId }),
      kit.client.request('turn/start', { threadId, input: input('two') }),
      kit.client.request('thread/unsubscribe', { threadId }),
    ])
    assert.deepEqual(
      answers.map((answer) => Object.keys(answer)[0]),
      ['thread', 'turn', 'status'],
    )
  })
})

describe('a client that had lost its connection', () => {
  it('asks for what it has missed, and is told that once, and then the rest', async () => {
    const gate = Promise.withResolvers<void>()
    const step: Step = async function* () {
      yield started()
      yield* itemEvents(assistantMessage('first'))
      await gate.promise
      yield* itemEvents(assistantMessage('second'))
      yield completed()
    }
    await using kit = await AppServerKit.open([step])
    const threadId = await kit.startThread()
    const lost = await kit.connect({ initialize: false })
    await lost.initialize({ experimentalApi: true, eventCursors: true })
    await lost.request('thread/resume', { threadId })
    await kit.client.request('turn/start', { threadId, input: input('go') })
    const seen = await lost.waitFor('turn/started')
    lost.close()
    await kit.client.waitFor('item/completed', ({ item }) => (item as JsonObject).text === 'first')
    const back = await kit.connect({ initialize: false })
    await back.initialize({ experimentalApi: true, eventCursors: true })
    const afterEventCursor = String(seen.params.eventCursor)
    await back.request('thread/resume', { threadId, afterEventCursor })
    gate.resolve()
    await back.waitFor('turn/completed')
    await kit.client.waitFor('turn/completed')
    const watched = (client: KitClient) =>
      client.notifications
        .filter(({ method }) => /^(item|turn|account|thread.tokenUsage)/.test(method))
        .map(({ method, params }) => [method, (params.item as JsonObject | undefined)?.type])
    const all = watched(kit.client)
    assert.deepEqual(
      watched(back),
      all.slice(all.findIndex(([name]) => name === 'turn/started') + 1),
    )
    const cursors = back.notifications.map(({ params }) => params.eventCursor).filter(Boolean)
    assert.equal(new Set(cursors).size, cursors.length)
    for (const cursor of ['nope', 'abc:1', `${afterEventCursor}99999`]) {
      const params = { threadId, afterEventCursor: cursor }
      const { message } = await back.refused('thread/resume', params)
      assert.equal(message, `events after cursor ${cursor} are gone; resume without a cursor`)
    }
  })
})

describe('a thread that nobody needs', () => {
  it('is let go after half an hour without watchers and turns, and that is told', async () => {
    const clock = new TestClock()
    await using kit = await AppServerKit.open([says('a'), says('b')], { clock })
    const kept = await kit.startThread()
    const left = await kit.startThread()
    await kit.client.request('thread/unsubscribe', { threadId: left })
    clock.now += 31 * 60_000
    const looked = clock.slept((ms) => ms === 60_000)
    clock.wake()
    await kit.client.waitFor('thread/closed', ({ threadId }) => threadId === left)
    await looked
    const told = kit.client.notifications.slice(-2)
    assert.deepEqual(
      told.map(({ method, params }) => [method, params.threadId]),
      [
        ['thread/status/changed', left],
        ['thread/closed', left],
      ],
    )
    assert.equal((await kit.client.runTurn(kept, 'still here')).status, 'completed')
  })
})
