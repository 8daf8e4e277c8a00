import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isObject, type JsonObject, objectAt } from '../../src/base/index.ts'
import { assistantMessage } from '../../src/core/index.ts'
import { AppServerKit, type KitClient } from '../support/app-server-kit.ts'
import { hangsAfter, type Step } from '../support/played-model.ts'
import { runTurn } from '../support/session-kit.ts'

const says = (text: string): Step => ({ items: [assistantMessage(text)] })
const threadOf = (result: JsonObject) => objectAt(result, 'thread') ?? {}

/** What a client got from here on: answers, and names of notifications with status or end. */
function order(client: KitClient, from: number): string[] {
  return client.messages.slice(from).map(({ method, params }) => {
    if (typeof method !== 'string') return 'answer'
    const about = isObject(params) ? params : {}
    const end = objectAt(about, 'status')?.type ?? objectAt(about, 'turn')?.status
    return end === undefined ? method : `${method} ${end}`
  })
}

describe('archiving over the protocol [4]', () => {
  it('interrupts and unloads first, tells it, and then all clients of the archive', async () => {
    await using kit = await AppServerKit.open([hangsAfter(assistantMessage('So far'))])
    const other = await kit.connect()
    const threadId = await kit.startThread()
    await kit.client.request('turn/start', { threadId, input: [{ type: 'text', text: 'Go' }] })
    await kit.client.waitFor('item/completed', (told) => {
      return objectAt(told, 'item')?.type === 'agentMessage'
    })
    const from = kit.client.messages.length
    await kit.client.request('thread/archive', { threadId })
    await other.waitFor('thread/archived')
    assert.deepEqual(order(kit.client, from), [
      'thread/status/changed idle',
      'turn/completed interrupted',
      'thread/status/changed notLoaded',
      'answer',
      'thread/archived',
    ])
    const { data } = await kit.client.request('thread/loaded/list', {})
    assert.deepEqual(data, [])
    const back = await kit.client.request('thread/unarchive', { threadId })
    assert.deepEqual(threadOf(back).status, { type: 'notLoaded' })
    assert.deepEqual((await other.waitFor('thread/unarchived')).params, { threadId })
  })

  it('takes a thread out of the archive that is loaded from there', async () => {
    await using kit = await AppServerKit.open([says('a'), says('b')])
    const threadId = await kit.startThread()
    await kit.client.runTurn(threadId, 'One')
    await kit.client.request('thread/archive', { threadId })
    await kit.client.request('thread/resume', { threadId })
    await kit.client.request('thread/unarchive', { threadId })
    await kit.client.request('thread/resume', { threadId })
    await kit.client.runTurn(threadId, 'Two')
    const read = await kit.client.request('thread/read', { threadId, includeTurns: true })
    assert.equal((threadOf(read).turns as JsonObject[]).length, 2)
  })
})

describe('deleting and reverting over the protocol', () => {
  it('removes a loaded thread for good, and tells all', async () => {
    await using kit = await AppServerKit.open([says('a')])
    const threadId = await kit.startThread()
    const message = `thread is not persisted and cannot be deleted: ${threadId}`
    assert.deepEqual(await kit.client.refused('thread/delete', { threadId }), {
      code: -32600,
      message,
    })
    await kit.client.runTurn(threadId, 'One')
    const from = kit.client.messages.length
    await kit.client.request('thread/delete', { threadId })
    assert.deepEqual(order(kit.client, from), [
      'thread/status/changed notLoaded',
      'answer',
      'thread/deleted',
    ])
    assert.deepEqual(kit.session.logs(), [])
    const gone = await kit.client.refused('thread/read', { threadId })
    assert.equal(gone.message, `thread not loaded: ${threadId}`)
  })

  it('goes back to before a turn; what follows knows nothing of it', async () => {
    await using kit = await AppServerKit.open(['a', 'b', 'c', 'd'].map(says))
    const threadId = await kit.startThread()
    const turns: string[] = []
    for (const text of ['One', 'Two', 'Three']) {
      turns.push(String((await kit.client.runTurn(threadId, text)).id))
    }
    const gone = await kit.client.refused('thread/revert', { threadId, beforeTurnId: 'gone' })
    assert.equal(gone.message, 'turn not found: gone')
    const result = await kit.client.request('thread/revert', {
      threadId,
      beforeTurnId: turns[1] ?? '',
    })
    await kit.client.waitFor('thread/reverted')
    assert.deepEqual(threadOf(result).turns, [])
    const page = async (method: string, cursor: unknown) => {
      const params = { threadId, cursor: String(cursor), sortDirection: 'desc' }
      return (await kit.client.request(method, params)).data as JsonObject[]
    }
    const kept = await page('thread/turns/list', result.turnsBackwardsCursor)
    assert.deepEqual(
      kept.map(({ id }) => id),
      turns.slice(0, 1),
    )
    const items = await page('thread/items/list', result.itemsBackwardsCursor)
    assert.deepEqual(
      items.map(({ turnId }) => turnId),
      [turns[0], turns[0]],
    )
    await kit.client.runTurn(threadId, 'Four')
    const sent = JSON.stringify(kit.model.requests.at(-1)?.input)
    assert.deepEqual(
      ['One', 'Two', 'Three', 'Four'].filter((text) => sent.includes(text)),
      ['One', 'Four'],
    )
  })
})

describe('names, facts and goals over the protocol [6.6, 6.7]', () => {
  it('are told to all clients behind the answer, and outlive the thread', async () => {
    await using kit = await AppServerKit.open([says('a')])
    const other = await kit.connect()
    const threadId = await kit.startThread()
    await kit.client.runTurn(threadId, 'One')
    const from = kit.client.messages.length
    await kit.client.request('thread/name/set', { threadId, name: ' A name ' })
    await kit.client.request('thread/metadata/update', { threadId, gitInfo: { branch: 'feat' } })
    const goal = { threadId, objective: 'Win', status: 'paused' }
    const set = await kit.client.request('thread/goal/set', goal)
    await kit.client.request('thread/memoryMode/set', { threadId, mode: 'disabled' })
    assert.deepEqual(order(kit.client, from), [
      ...['answer', 'thread/name/updated', 'answer'],
      ...['answer', 'thread/goal/updated', 'answer'],
    ])
    const told = await other.waitFor('thread/goal/updated')
    assert.deepEqual(told.params, { threadId, turnId: null, goal: set.goal })
    await kit.session.manager.get(threadId as never)?.close()
    const { thread } = await kit.client.request('thread/read', { threadId })
    const { name, gitInfo } = thread as JsonObject
    const git = { sha: null, branch: 'feat', originUrl: null }
    assert.deepEqual([name, gitInfo], ['A name', git])
    assert.deepEqual(await kit.client.request('thread/goal/get', { threadId }), { goal: set.goal })
    const cleared = await kit.client.request('thread/goal/clear', { threadId })
    assert.deepEqual(cleared, { cleared: true })
    await other.waitFor('thread/goal/cleared', (params) => params.threadId === threadId)
    assert.deepEqual(await kit.client.request('thread/goal/get', { threadId }), { goal: null })
  })

  it('settings outlive the process, also behind a rollback', async () => {
    await using kit = await AppServerKit.open([says('a'), says('b'), says('c')])
    const experimental = await kit.connect({ initialize: false })
    const clientInfo = { name: 'lab', version: '0' }
    const capabilities = { experimentalApi: true }
    await experimental.request('initialize', { clientInfo, capabilities })
    const threadId = await kit.startThread()
    await kit.client.runTurn(threadId, 'One')
    await kit.client.runTurn(threadId, 'Two')
    const before = kit.session.lines().length
    const changes = { threadId, model: 'gpt-5.4-mini', effort: 'high' }
    await experimental.request('thread/settings/update', changes)
    assert.deepEqual(kit.session.kinds().slice(before), ['turn_context'])
    await kit.client.request('thread/rollback', { threadId, numTurns: 1 })
    assert.deepEqual(kit.session.kinds().at(-1), 'turn_context')
    await kit.session.restart()
    const again = await kit.session.resume(threadId as never)
    const { model, effort } = again.settings
    assert.deepEqual([model, effort], ['gpt-5.4-mini', 'high'])
    assert.equal((await runTurn(again, 'Three')).status, 'completed')
    assert.equal(kit.model.requests.at(-1)?.model, 'gpt-5.4-mini')
    assert.equal(kit.session.turns().length, 2)
  })

  it('an active goal starts no turn', async () => {
    await using kit = await AppServerKit.open()
    const threadId = await kit.startThread()
    const goal = { threadId, objective: 'Win', status: 'active' }
    await kit.client.request('thread/goal/set', goal)
    assert.equal(kit.session.manager.get(threadId as never)?.activeTurn, undefined)
    assert.deepEqual(kit.model.requests, [])
  })

  it('counts the dialogs of clients', async () => {
    await using kit = await AppServerKit.open()
    const threadId = await kit.startThread()
    const step = (way: string) => kit.client.request(`thread/${way}_elicitation`, { threadId })
    assert.deepEqual(await step('increment'), { count: 1, paused: true })
    assert.deepEqual(await step('decrement'), { count: 0, paused: false })
    const refused = await kit.client.refused('thread/decrement_elicitation', { threadId })
    assert.equal(refused.message, 'out-of-band elicitation count is already zero')
  })
})
