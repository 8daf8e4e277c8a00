import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { anyLog } from '../../../../test/support/arbitrary-log.ts'
import { TempFolder } from '../../../../test/support/temp-folder.ts'
import { header, textOf, threadIdOf, turn } from '../../../../test/support/thread-log.ts'
import { nodeFileSystem } from '../../../base/index.ts'
import type { OutlinedTurn } from '../../../history/index.ts'
import { outlineRollout, visitRollout, withRollout } from '../../../rollout/index.ts'
import type { IndexRecord } from '../../../state/index.ts'
import { type Memory, OutlineComparison, WHOLE_MEMORY } from './outline-comparison.ts'

const RUNS = Number(process.env.BOBBIN_RUNS ?? 150)
const HEAD = textOf([header(threadIdOf(1))])

function turnRow(turn: OutlinedTurn): IndexRecord {
  return {
    turn_order: turn.order,
    turn_id: turn.turnId,
    status: turn.status,
    start_offset: turn.startOffset,
    end_offset: turn.endOffset,
    is_taken_back: turn.isTakenBack ? 1 : 0,
  }
}

/** What an index says of a log that it has right. */
async function rowsOf(path: string): Promise<{ row: IndexRecord; turns: IndexRecord[] }> {
  const outlined = await outlineRollout(nodeFileSystem, path)
  assert.ok(outlined)
  const row = {
    summary: JSON.stringify(outlined.summary),
    folded_bytes: outlined.foldedBytes,
    folded_lines: outlined.foldedLines,
    damaged_lines: outlined.damagedLines,
  }
  return { row, turns: outlined.fold.turns.map(turnRow) }
}

type Rows = Awaited<ReturnType<typeof rowsOf>>

async function judge(path: string, { row, turns }: Rows, memory: Memory) {
  using comparison = new OutlineComparison({ row, turns: turns.values(), isFinal: false }, memory)
  const extent = await withRollout(nodeFileSystem, path, (file) => {
    return visitRollout(file, { readsAhead: true }, comparison)
  })
  return comparison.isRight(extent)
}

describe('what the index says of a file', () => {
  it('is never called wrong when it is right, however few turns are remembered', async () => {
    const memory = fc.record({ turns: fc.integer({ min: 1, max: 5 }), lastTurns: fc.nat(4) })
    const noise = fc.constantFrom('', 'no json\n', '\n', '{"half":')
    const property = fc.asyncProperty(anyLog, noise, memory, async (log, end, remembered) => {
      await using folder = await TempFolder.create()
      const path = folder.at('log.jsonl')
      await writeFile(path, HEAD + textOf(log) + end)
      const rows = await rowsOf(path)
      assert.notEqual(await judge(path, rows, remembered), false)
      assert.equal(await judge(path, rows, WHOLE_MEMORY), true)
    })
    await fc.assert(property, { numRuns: RUNS })
  })

  it('is right or wrong, turn by turn, in memory that does not grow', async () => {
    await using folder = await TempFolder.create()
    const path = folder.at('log.jsonl')
    const log = Array.from({ length: 40 }, (_, n) => turn(n)).flat()
    await writeFile(path, HEAD + textOf(log))
    const rows = await rowsOf(path)
    const memory = { turns: 4, lastTurns: 2 }
    assert.equal(rows.turns.length, 40)
    assert.equal(await judge(path, rows, memory), true)
    for (const place of [0, 1, 20, 38, 39]) {
      const wrong = rows.turns.map((row, at) => (at === place ? { ...row, end_offset: 7 } : row))
      const missing = rows.turns.filter((_, at) => at !== place)
      for (const turns of [wrong, missing]) {
        assert.equal(await judge(path, { ...rows, turns }, memory), undefined)
        assert.equal(await judge(path, { ...rows, turns }, WHOLE_MEMORY), false)
      }
    }
    const more = [...rows.turns, { ...rows.turns[39], turn_order: 40 }]
    assert.equal(await judge(path, { ...rows, turns: more }, WHOLE_MEMORY), false)
    for (const field of ['folded_bytes', 'folded_lines', 'damaged_lines', 'summary']) {
      const row = { ...rows.row, [field]: 7 }
      assert.equal(await judge(path, { ...rows, row }, memory), false)
    }
  })
})
