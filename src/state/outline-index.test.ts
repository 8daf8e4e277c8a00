import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { IndexPlace, rowOf } from '../../test/support/index-place.ts'
import { answers, rolledBack, says, started, turn } from '../../test/support/thread-log.ts'
import { OutlineFold } from '../history/index.ts'
import type { RolloutItem } from '../protocol/index.ts'
import type { HomeIndex } from './home-index.ts'

const SIZE = 10

/** An outline as it is written of a log of ten bytes a line. */
function writeOf(n: number, log: readonly RolloutItem[], basedOnBytes = 0) {
  const fold = new OutlineFold()
  for (const [at, item] of log.entries()) fold.apply(item, at * SIZE, (at + 1) * SIZE)
  const { rolloutPath, file, summary } = rowOf(n)
  const damage = [{ lineNumber: 1, offset: 0, reason: 'is not JSON' }]
  return {
    ...{ rolloutPath, file, summary, damage, damagedLines: 1, basedOnBytes },
    foldedBytes: log.length * SIZE,
    foldedLines: log.length,
    state: fold.state,
    turns: fold.turns,
    texts: fold.takeTexts(),
  }
}

function foundIn(index: HomeIndex, query: string, limit = 10): string[] {
  const found = index.outlines.search(query, limit) ?? assert.fail('it cannot be read')
  return found.map(({ rolloutPath, turn: { turnId } }) => `${rolloutPath} ${turnId}`)
}

describe('outlines in the index', () => {
  it('are read as they were written, with their turns, also by the next', async () => {
    await using place = await IndexPlace.create()
    const { basedOnBytes: _, turns, texts: _texts, ...row } = writeOf(1, [...turn(1), ...turn(2)])
    using index = place.open()
    assert.ok(index.outlines.write([writeOf(1, [...turn(1), ...turn(2)]), writeOf(2, turn(3))]))
    using next = place.open()
    const { id, ...read } = next.outlines.read('/sessions/1') ?? assert.fail('it is missing')
    assert.deepEqual(read, JSON.parse(JSON.stringify(row)))
    const window = { direction: 'asc', limit: 9 } as const
    assert.deepEqual(next.outlines.turns.page(id, row.state.turnCount, window), turns)
    assert.deepEqual(
      [...(next.outlines.files() ?? [])],
      [
        ['/sessions/1', rowOf(1).file],
        ['/sessions/2', rowOf(2).file],
      ],
    )
  })

  it('are left as another has gone on with them', async () => {
    await using place = await IndexPlace.create()
    using index = place.open()
    index.outlines.write([writeOf(1, turn(1))])
    const base = turn(1).length * SIZE
    index.outlines.write([writeOf(1, [...turn(1), ...turn(2)], base)])
    index.outlines.write([writeOf(1, [...turn(1), started('x'), ...says('lost')], base)])
    assert.equal(index.outlines.read('/sessions/1')?.foldedBytes, 2 * base)
    assert.deepEqual(foundIn(index, 'lost'), [])
  })

  it('take their words along when they go, and when they are made anew', async () => {
    await using place = await IndexPlace.create()
    using index = place.open()
    index.outlines.write([writeOf(1, turn(1)), writeOf(2, turn(1))])
    assert.deepEqual(foundIn(index, 'u1'), ['/sessions/2 t1', '/sessions/1 t1'])
    index.outlines.write([writeOf(1, turn(2))])
    assert.deepEqual(
      [foundIn(index, 'u1'), foundIn(index, 'u2')],
      [['/sessions/2 t1'], ['/sessions/1 t2']],
    )
    index.remove(['/sessions/1', '/sessions/2', '/none'])
    assert.deepEqual([foundIn(index, 'u1'), foundIn(index, 'u2')], [[], []])
    place.change((database) => {
      for (const table of ['outlines', 'turns', 'turn_texts', 'turn_words']) {
        assert.equal(database.value(`SELECT count(*) FROM ${table}`), 0, table)
      }
    })
  })

  it('are pruned with their folder, whether it was ever listed or not', async () => {
    await using place = await IndexPlace.create()
    using index = place.open()
    index.outlines.write([writeOf(1, turn(1)), writeOf(2, turn(1))])
    index.prune('/sessions', ['/sessions/2'])
    assert.deepEqual(foundIn(index, 'u1'), ['/sessions/2 t1'])
  })

  it('do not give turns that are taken back', async () => {
    await using place = await IndexPlace.create()
    using index = place.open()
    index.outlines.write([writeOf(1, [...turn(1), ...turn(2), rolledBack(1), started('open')])])
    assert.deepEqual([foundIn(index, 'u2'), foundIn(index, 'u1')], [[], ['/sessions/1 t1']])
  })

  it('are missing when a row of theirs is damaged', async () => {
    await using place = await IndexPlace.create()
    for (const column of ['size_bytes = size_bytes + 1', `damage = '[]'`, `state = '{}'`]) {
      using index = place.open()
      index.outlines.write([writeOf(1, [...turn(1), ...answers('more')])])
      place.change((other) => other.exec(`UPDATE outlines SET ${column}`))
      assert.equal(index.outlines.read('/sessions/1'), undefined, column)
    }
    using index = place.open()
    index.outlines.write([writeOf(1, turn(1))])
    place.change((other) => other.exec('UPDATE turns SET start_offset = 7'))
    assert.equal(index.outlines.search('u1', 9), undefined)
    assert.deepEqual(index.outlines.search('u1', 9), [])
  })
})
