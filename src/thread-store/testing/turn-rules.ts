import assert from 'node:assert/strict'
import { it } from 'node:test'
import { countCompactions, foldTurns, replayModelHistory } from '../../history/index.ts'
import { type RolloutItem, type ThreadId, type Turn, userText } from '../../protocol/index.ts'
import type { ListTurns, ThreadStore } from '../store.ts'
import { aTurn, failsWith, type OpenStore, storedWith, turnIdOf } from './fixtures.ts'

const event = (payload: Extract<RolloutItem, { type: 'event_msg' }>['payload']): RolloutItem => ({
  type: 'event_msg',
  payload,
})

function rolledBack(num_turns: number): RolloutItem {
  return event({ type: 'thread_rolled_back', num_turns })
}

function compacted(text: string): RolloutItem {
  const replacement_history = [userText(text)]
  return { type: 'compacted', payload: { message: text, replacement_history } }
}

const SEVEN = [1, 2, 3, 4, 5, 6, 7].flatMap((n) => aTurn(n))

/** Every turn, page by page. */
async function paged(
  store: ThreadStore,
  params: Omit<ListTurns, 'cursor'>,
): Promise<{ turns: Turn[]; backwards: (string | null)[] }> {
  const turns: Turn[] = []
  const backwards: (string | null)[] = []
  let cursor: string | null | undefined
  do {
    const page = await store.listTurns({ ...params, ...(cursor ? { cursor } : {}) })
    assert.ok(page.turns.length <= params.limit)
    turns.push(...page.turns)
    backwards.push(page.backwardsCursor)
    cursor = page.nextCursor
  } while (cursor)
  return { turns, backwards }
}

async function turnsOf(store: ThreadStore, threadId: ThreadId): Promise<Turn[]> {
  return foldTurns((await store.loadHistory(threadId)).items)
}

export function contractTurns(open: OpenStore): void {
  it('[TS-18] gives pages of turns that add up to the log, in both directions', async () => {
    await using store = await open()
    const threadId = await storedWith(store, [...SEVEN, rolledBack(2), ...aTurn(8)])
    const all = await turnsOf(store, threadId)
    assert.deepEqual(
      all.map(({ id }) => id),
      [1, 2, 3, 4, 5, 8].map(turnIdOf),
    )
    for (const limit of [1, 2, 5, 6, 20]) {
      const forth = await paged(store, { threadId, limit, direction: 'asc' })
      const back = await paged(store, { threadId, limit, direction: 'desc' })
      assert.deepEqual([forth.turns, back.turns], [all, all.toReversed()])
    }
  })

  it('[TS-18] leads back to the page before, with its first turn', async () => {
    await using store = await open()
    const threadId = await storedWith(store, SEVEN)
    const { backwards } = await paged(store, { threadId, limit: 3, direction: 'desc' })
    const cursor = backwards[1] ?? assert.fail('the second page leads back')
    const { turns } = await store.listTurns({ threadId, limit: 2, direction: 'asc', cursor })
    assert.deepEqual(
      turns.map(({ id }) => id),
      [4, 5].map(turnIdOf),
    )
  })

  it('[TS-18] says what runs, and refuses cursors of turns that are not there', async () => {
    await using store = await open()
    const threadId = await storedWith(store, [...aTurn(1), ...aTurn(2).slice(0, -1)])
    const newest = { threadId, limit: 1, direction: 'desc' } as const
    const status = async (isRunning: boolean) =>
      (await store.listTurns({ ...newest, isRunning })).turns[0]?.status
    assert.deepEqual([await status(false), await status(true)], ['interrupted', 'inProgress'])
    const gone = JSON.stringify({ turnId: turnIdOf(9), includeAnchor: false })
    for (const cursor of [gone, 'nonsense', '{}']) {
      await assert.rejects(store.listTurns({ ...newest, cursor }), failsWith('invalid_request'))
    }
  })
}

export function contractItems(open: OpenStore): void {
  it('[TS-19] gives pages of items that add up, of the thread and of one turn', async () => {
    await using store = await open()
    const threadId = await storedWith(store, SEVEN)
    const all = (await turnsOf(store, threadId)).flatMap(({ id, items }) =>
      items.map((item) => ({ turnId: id, item })),
    )
    const collect = async (direction: 'asc' | 'desc', turnId?: string) => {
      const items: typeof all = []
      let cursor: string | null | undefined
      do {
        const rest = { ...(cursor ? { cursor } : {}), ...(turnId ? { turnId } : {}) }
        const page = await store.listItems({ threadId, limit: 3, direction, ...rest })
        items.push(...page.items)
        cursor = page.nextCursor
      } while (cursor)
      return items
    }
    assert.deepEqual(await collect('asc'), all)
    assert.deepEqual(await collect('desc'), all.toReversed())
    const third = all.filter(({ turnId }) => turnId === turnIdOf(3))
    assert.deepEqual(await collect('asc', turnIdOf(3)), third)
    assert.deepEqual(await collect('desc', turnIdOf(3)), third.toReversed())
    const unknown = { threadId, limit: 3, direction: 'asc', turnId: turnIdOf(9) } as const
    await assert.rejects(store.listItems(unknown), failsWith('invalid_request'))
  })

  it('[TS-19] turns round at the first item of a page', async () => {
    await using store = await open()
    const threadId = await storedWith(store, SEVEN)
    const { items: all } = await store.listItems({ threadId, limit: 1000, direction: 'asc' })
    for (const direction of ['asc', 'desc'] as const) {
      const inOrder = direction === 'asc' ? all : all.toReversed()
      for (const limit of [1, 2, 3, 5]) {
        const first = await store.listItems({ threadId, limit, direction })
        const cursor = first.nextCursor ?? assert.fail('there is more')
        const second = await store.listItems({ threadId, limit, direction, cursor })
        const back = await store.listItems({
          threadId,
          limit: 1000,
          direction: direction === 'asc' ? 'desc' : 'asc',
          cursor: second.backwardsCursor ?? assert.fail('it has a first item'),
        })
        assert.deepEqual(back.items, inOrder.slice(0, limit + 1).reverse())
      }
    }
  })
}

export function contractContext(open: OpenStore): void {
  const logs: { readonly [what: string]: readonly RolloutItem[] } = {
    'without a compaction': SEVEN,
    'behind a compaction': [...aTurn(1), ...aTurn(2), compacted('left'), ...aTurn(3)],
    'behind a compaction that was taken back': [
      ...aTurn(1),
      ...aTurn(2),
      compacted('left'),
      ...aTurn(3),
      rolledBack(2),
      ...aTurn(4),
    ],
  }
  for (const [what, log] of Object.entries(logs)) {
    it(`[TS-20] loads what the model's history hangs on: ${what}`, async () => {
      await using store = await open()
      const threadId = await storedWith(store, log)
      const [context, history] = [
        await store.loadModelContext(threadId),
        await store.loadHistory(threadId),
      ]
      assert.deepEqual(replayModelHistory(context.items), replayModelHistory(history.items))
      assert.deepEqual(context.items[0], history.items[0])
      assert.deepEqual(context.thread, history.thread)
      const ofBoth = [context.compactionCount, history.compactionCount]
      const count = countCompactions(log)
      assert.deepEqual(ofBoth, [count, count])
    })
  }
}
