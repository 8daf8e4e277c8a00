import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isObject, type JsonObject, objectAt } from '../../src/base/index.ts'
import { assistantMessage, functionCall } from '../../src/core/index.ts'
import { AppServerKit, type KitClient } from '../support/app-server-kit.ts'
import { breaksAfter, hangsAfter, type Step } from '../support/played-model.ts'

const says = (text: string): Step => ({ items: [assistantMessage(text)] })
const runs = (cmd: string): Step => ({ items: [functionCall('exec_command', { cmd }, 'call_1')] })
const fails: Step = breaksAfter([], new Error('no such model'))

const listOf = (result: JsonObject, key = 'data') => {
  return (Array.isArray(result[key]) ? result[key] : []).filter((each) => isObject(each))
}
const threadOf = (result: JsonObject) => objectAt(result, 'thread') ?? {}
const turnsOf = (result: JsonObject) => listOf(threadOf(result), 'turns')
const ids = (entries: readonly JsonObject[]) => entries.map(({ id }) => id)

/** The items of all turns as they were told when they were complete. */
function liveItems(client: KitClient): JsonObject[] {
  const done = client.notifications.filter(({ method }) => method === 'item/completed')
  return done.map(({ params }) => objectAt(params, 'item') ?? {})
}

/** What of an item does not hang on how it is numbered. */
function facts(items: readonly JsonObject[]): JsonObject[] {
  return items.map(({ id: _, ...rest }) => rest)
}

async function unload(kit: AppServerKit, threadId: string): Promise<void> {
  await kit.session.manager.get(threadId as never)?.close()
}

describe('reading a thread over the protocol [6.5]', () => {
  it('shows what was told live, loaded, stored and archived', async () => {
    const steps = [runs('echo hi'), says('Done.'), says('Still here.')]
    await using kit = await AppServerKit.open(steps)
    const threadId = await kit.startThread()
    await kit.client.runTurn(threadId, 'Look around')
    const read = () => kit.client.request('thread/read', { threadId, includeTurns: true })
    const items = async () => turnsOf(await read()).flatMap((turn) => listOf(turn, 'items'))
    const live = liveItems(kit.client)
    assert.deepEqual(
      live.map(({ type }) => type),
      ['userMessage', 'commandExecution', 'agentMessage'],
    )
    assert.deepEqual(facts(await items()), facts(live))
    const command = live[1] ?? {}
    assert.equal((await items())[1]?.id, command.id)
    const loaded = await read()
    assert.deepEqual(threadOf(loaded).status, { type: 'idle' })
    await unload(kit, threadId)
    const stored = await read()
    assert.deepEqual(turnsOf(stored), turnsOf(loaded))
    assert.deepEqual(threadOf(stored).status, { type: 'notLoaded' })
    await kit.client.request('thread/archive', { threadId })
    assert.deepEqual(turnsOf(await read()), turnsOf(loaded))
  })

  it('shows a running turn as it stands, and a failed one with its error', async () => {
    await using kit = await AppServerKit.open([fails, hangsAfter(assistantMessage('So far'))], {
      streamMaxRetries: 0,
    })
    const threadId = await kit.startThread()
    const failed = await kit.client.runTurn(threadId, 'One')
    await kit.client.request('turn/start', { threadId, input: [{ type: 'text', text: 'Two' }] })
    await kit.client.waitFor('item/completed', (told) => {
      return objectAt(told, 'item')?.text === 'So far'
    })
    const result = await kit.client.request('thread/read', { threadId, includeTurns: true })
    const [first, second] = turnsOf(result)
    assert.deepEqual([first?.status, second?.status], ['failed', 'inProgress'])
    assert.deepEqual(first?.error, failed.error)
    assert.deepEqual(
      listOf(second ?? {}, 'items').map(({ type }) => type),
      ['userMessage', 'agentMessage'],
    )
    assert.deepEqual(threadOf(result).status, { type: 'active', activeFlags: [] })
    const { data } = await kit.client.request('thread/turns/list', { threadId, limit: 1 })
    assert.equal((data as JsonObject[])[0]?.status, 'inProgress')
  })
})

describe('pages of turns and items over the protocol', () => {
  it('add up in both directions, and turn round', async () => {
    await using kit = await AppServerKit.open(['a', 'b', 'c', 'd', 'e'].map(says))
    const threadId = await kit.startThread()
    for (const text of ['1', '2', '3', '4', '5']) await kit.client.runTurn(threadId, text)
    for (const [method, limit] of [
      ['thread/turns/list', 2],
      ['thread/items/list', 3],
    ] as const) {
      const page = (params: JsonObject) => kit.client.request(method, { threadId, ...params })
      const whole = listOf(await page({ sortDirection: 'asc', limit: 100 }))
      assert.equal(whole.length, method === 'thread/turns/list' ? 5 : 10)
      for (const sortDirection of ['asc', 'desc']) {
        const paged: JsonObject[] = []
        let cursor: string | undefined
        do {
          const params = { sortDirection, limit, ...(cursor === undefined ? {} : { cursor }) }
          const result = await page(params)
          paged.push(...listOf(result))
          cursor = typeof result.nextCursor === 'string' ? result.nextCursor : undefined
        } while (cursor !== undefined)
        assert.deepEqual(paged, sortDirection === 'asc' ? whole : whole.toReversed())
      }
      const newest = await page({ sortDirection: 'desc', limit: 1 })
      const back = await page({ sortDirection: 'asc', cursor: newest.backwardsCursor ?? null })
      assert.deepEqual(listOf(back), whole.slice(-1))
    }
  })

  it('of items begin behind an item of a turn, and know turns that are gone', async () => {
    await using kit = await AppServerKit.open([runs('true'), says('Done.')])
    const threadId = await kit.startThread()
    const { id: turnId } = await kit.client.runTurn(threadId, 'Go')
    const page = (params: JsonObject) =>
      kit.client.request('thread/items/list', { threadId, turnId: String(turnId), ...params })
    const whole = listOf(await page({}))
    const [first, middle, last] = whole.map((entry) => String(objectAt(entry, 'item')?.id))
    const behind = async (itemId = '', sortDirection = 'asc') =>
      listOf(await page({ cursor: { type: 'item', itemId }, sortDirection }))
    assert.deepEqual(await behind(first), whole.slice(1))
    assert.deepEqual(await behind(middle, 'desc'), whole.slice(0, 1))
    assert.deepEqual(await behind(last), [])
    assert.deepEqual(listOf(await page({ turnId: 'gone' })), [])
    const plain = await kit.client.request('thread/turns/items/list', {
      threadId,
      turnId: String(turnId),
    })
    assert.deepEqual(
      listOf(plain),
      whole.map(({ item }) => item),
    )
  })
})

describe('lists and searches over the protocol', () => {
  it('have what was said, where it was said, and nothing of ephemeral threads', async () => {
    await using kit = await AppServerKit.open(['Blue paint.', 'Red paint.', 'x'].map(says), {
      manager: { origin: { originator: 'lab', source: 'vscode' } },
    })
    const threads: string[] = []
    for (const text of ['The wall', 'The door']) {
      const threadId = await kit.startThread()
      await kit.client.runTurn(threadId, text)
      threads.push(threadId)
    }
    await kit.client.runTurn(await kit.startThread({ ephemeral: true }), 'The secret paint')
    const listed = await kit.client.request('thread/list', {})
    assert.deepEqual(ids(listOf(listed)), threads.toReversed())
    const search = async (searchTerm: string, params: JsonObject = {}) => {
      const found = await kit.client.request('thread/search', { searchTerm, ...params })
      return ids(listOf(found).map(threadOf))
    }
    assert.deepEqual(await search('paint'), threads.toReversed())
    assert.deepEqual(await search('paint', { sortDirection: 'asc', limit: 1 }), threads.slice(0, 1))
    assert.deepEqual(await search('red "paint"'), threads.slice(1))
    assert.deepEqual(await search('green'), [])
    const first = await kit.client.request('thread/search', { searchTerm: 'paint', limit: 1 })
    const cursor = first.nextCursor ?? assert.fail('there is more')
    assert.deepEqual(await search('paint', { cursor }), threads.slice(0, 1))
  })
})
