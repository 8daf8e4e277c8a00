import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { anyLog } from '../../test/support/arbitrary-log.ts'
import { threadIdOf, turn } from '../../test/support/thread-log.ts'
import { foldTurns } from '../history/index.ts'
import type { Turn } from '../protocol/index.ts'
import { ThreadStoreError } from './errors.ts'
import type { ListTurns } from './store.ts'
import { decodeTurnCursor } from './turn-cursor.ts'
import { pageOfItems, pageOfTurns } from './turn-pages.ts'

const threadId = threadIdOf(1)
const anyDirection = fc.constantFrom('asc' as const, 'desc' as const)
const anyLimit = fc.integer({ min: 1, max: 5 })

function turnsRead(turns: readonly Turn[], params: Omit<ListTurns, 'threadId'>): Turn[] {
  const read: Turn[] = []
  let cursor: string | null | undefined
  do {
    const page = pageOfTurns(turns, { threadId, ...params, ...(cursor ? { cursor } : {}) })
    read.push(...page.turns)
    assert.ok(read.length <= turns.length, 'the pages have no end')
    cursor = page.nextCursor
  } while (cursor !== null)
  return read
}

async function itemsRead(
  turns: readonly Turn[],
  params: Omit<ListTurns, 'threadId'> & { turnId?: string },
): Promise<unknown[]> {
  const read: unknown[] = []
  let cursor: string | null | undefined
  do {
    const ask = { threadId, ...params, ...(cursor ? { cursor } : {}) }
    const page = await pageOfItems(ask, async (each) => pageOfTurns(turns, each))
    assert.ok(page.items.length <= params.limit && read.length < 10_000)
    read.push(...page.items)
    cursor = page.nextCursor
  } while (cursor !== null)
  return read
}

const isInvalid = (error: unknown) =>
  error instanceof ThreadStoreError && error.failure.code === 'invalid_request'

describe('pages of turns', () => {
  it('add up to all of them, also where ids repeat', () => {
    const property = fc.property(anyLog, anyLimit, anyDirection, (log, limit, direction) => {
      const turns = foldTurns(log)
      const expected = direction === 'asc' ? turns : turns.toReversed()
      assert.deepEqual(turnsRead(turns, { limit, direction }), expected)
    })
    fc.assert(property, { numRuns: 300 })
  })

  it('have cursors as real Codex has, as long as ids do not repeat', () => {
    const turns = foldTurns([...turn(1), ...turn(2), ...turn(3)])
    const page = pageOfTurns(turns, { threadId, limit: 2, direction: 'asc' })
    assert.equal(page.nextCursor, '{"turnId":"t2","includeAnchor":false}')
    assert.equal(page.backwardsCursor, '{"turnId":"t1","includeAnchor":true}')
    const again = foldTurns([...turn(1), ...turn(2), ...turn(1)])
    const first = pageOfTurns(again, { threadId, limit: 1, direction: 'asc' })
    assert.equal(decodeTurnCursor(first.nextCursor ?? '').order, 0)
  })

  it('refuse cursors that no page has given, and those of turns that are gone', () => {
    const turns = foldTurns([...turn(1), ...turn(2)])
    const ask = { threadId, limit: 1, direction: 'asc' } as const
    for (const cursor of ['', 'x', '[]', '{}', '{"turnId":1}', '{"turnId":"gone"}']) {
      assert.throws(() => pageOfTurns(turns, { ...ask, cursor }), isInvalid, cursor)
    }
    const elsewhere = '{"turnId":"t1","includeAnchor":true,"order":1}'
    assert.throws(() => pageOfTurns(turns, { ...ask, cursor: elsewhere }), isInvalid)
  })
})

describe('pages of items', () => {
  it('add up to all of them, of the thread or of one turn', async () => {
    const arbitraries = [anyLog, anyLimit, anyDirection, fc.nat()] as const
    const property = fc.asyncProperty(...arbitraries, async (log, limit, direction, pick) => {
      const turns = foldTurns(log)
      const inOrder = <T>(all: readonly T[]) => (direction === 'asc' ? all : all.toReversed())
      const itemsOf = ({ id, items }: Turn) => items.map((item) => ({ turnId: id, item }))
      assert.deepEqual(
        await itemsRead(turns, { limit, direction }),
        inOrder(turns.flatMap(itemsOf)),
      )
      const { id: turnId } = turns[pick % turns.length] ?? {}
      if (turnId === undefined) return
      const last = turns.findLast(({ id }) => id === turnId)
      assert.deepEqual(
        await itemsRead(turns, { limit, direction, turnId }),
        inOrder(last ? itemsOf(last) : []),
      )
    })
    await fc.assert(property, { numRuns: 300 })
  })

  it('refuse cursors that no page has given, and those of another turn', async () => {
    const turns = foldTurns([...turn(1), ...turn(2)])
    const ask = { threadId, limit: 1, direction: 'asc' } as const
    const list = async (each: ListTurns) => pageOfTurns(turns, each)
    const { nextCursor } = await pageOfItems({ ...ask, turnId: 't1' }, list)
    assert.ok(nextCursor)
    for (const cursor of ['', '{}', '{"turn":"x","index":0}', nextCursor]) {
      await assert.rejects(pageOfItems({ ...ask, turnId: 't2', cursor }, list), isInvalid, cursor)
    }
  })
})
