import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { IndexPlace, rowOf } from '../../test/support/index-place.ts'
import type { OutlinedTurn, OutlineState } from '../history/index.ts'
import type { HomeIndex } from './home-index.ts'

function turnOf(order: number, turnId: string, isTakenBack: boolean): OutlinedTurn {
  return {
    ...{ order, turnId, isTakenBack, status: 'completed', numberedCount: 2, isExplicit: true },
    ...{ startOffset: 100 * order, endOffset: 100 * order + 50, hasUserMessage: order % 2 === 0 },
    before: { itemCount: order, numberedCount: order, lineIndex: order },
    isOpenAtNext: [null, true, false][order % 3] ?? null,
  }
}

/** The id of an outline with these turns. */
function put(index: HomeIndex, turns: readonly OutlinedTurn[]): number {
  const { rolloutPath, file, summary } = rowOf(1)
  const state = { turnCount: turns.length } as OutlineState
  const row = { rolloutPath, file, summary, state, foldedBytes: 1, foldedLines: 1 }
  const rest = { damagedLines: 0, damage: [], texts: [], basedOnBytes: 0 }
  assert.ok(index.outlines.write([{ ...row, ...rest, turns }]))
  return index.outlines.read(rolloutPath)?.id ?? assert.fail('it is missing')
}

const anyTurns = fc
  .array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.boolean()), { maxLength: 60 })
  .map((all) => all.map(([id, isTakenBack], order) => turnOf(order, id, isTakenBack)))

describe('the table of turns', () => {
  it('answers what the list of them would', async () => {
    await using place = await IndexPlace.create()
    using index = place.open()
    const { turns: table } = index.outlines
    const anyPlace = fc.integer({ min: -1, max: 61 })
    const limits = fc.integer({ min: 1, max: 20 })
    const property = fc.property(anyTurns, anyPlace, limits, (turns, at, limit) => {
      const id = put(index, turns)
      const shown = turns.filter(({ isTakenBack }) => !isTakenBack)
      const page = (direction: 'asc' | 'desc', afterOrder?: number) =>
        table.page(id, turns.length, {
          ...{ direction, limit },
          ...(afterOrder === undefined ? {} : { afterOrder }),
        })
      const later = shown.filter(({ order }) => order > at)
      const earlier = shown.filter(({ order }) => order < at).reverse()
      assert.deepEqual(page('asc'), shown.slice(0, limit))
      assert.deepEqual(page('desc'), shown.toReversed().slice(0, limit))
      assert.deepEqual(page('asc', at), later.slice(0, limit))
      assert.deepEqual(page('desc', at), earlier.slice(0, limit))
      const last = shown.findLast(({ turnId, order }) => turnId === 'a' && order < at)
      assert.deepEqual(table.find(id, 'a', at), last ? [last] : [])
      const next = turns[at + 1]
      assert.deepEqual(table.next(id, turns.length, at), next ? [next] : [])
    })
    fc.assert(property, { numRuns: 150 })
  })

  it('notices what is missing or damaged', async () => {
    await using place = await IndexPlace.create()
    using index = place.open()
    const changes = [
      'DELETE FROM turns WHERE turn_order = 3',
      'DELETE FROM turns WHERE turn_order = 5',
      'DELETE FROM turns WHERE turn_order = 0',
      'UPDATE turns SET is_taken_back = 1 WHERE turn_order = 2',
      'UPDATE turns SET end_offset = 1 WHERE turn_order = 4',
      'DELETE FROM turns; DELETE FROM outlines',
    ]
    for (const change of changes) {
      const id = put(
        index,
        [0, 1, 2, 3, 4, 5].map((order) => turnOf(order, 'a', false)),
      )
      place.change((other) => other.exec(change))
      for (const direction of ['asc', 'desc'] as const) {
        const page = index.outlines.turns.page(id, 6, { direction, limit: 6 })
        assert.equal(page, undefined, change)
      }
    }
  })
})
