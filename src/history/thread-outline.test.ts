import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { anyLog } from '../../test/support/arbitrary-log.ts'
import {
  answers,
  compacted,
  rolledBack,
  started,
  turn,
  userEvent,
} from '../../test/support/thread-log.ts'
import { type RolloutItem, userText } from '../protocol/index.ts'
import { contextPoint } from './context-outline.ts'
import { countCompactions, replayModelHistory } from './model-history.ts'
import { type OutlinedTurn, OutlineFold, type OutlineState } from './thread-outline.ts'
import { foldTurns, foldTurnsSlice } from './turn-view.ts'

const RUNS = Number(process.env.BOBBIN_RUNS ?? 1000)

/** Entries are ten bytes long here. */
const SIZE = 10

function outlined(log: readonly RolloutItem[], from = 0, known?: OutlineFold): OutlineFold {
  const visible = known?.turns.filter((each) => !each.isTakenBack) ?? []
  const fold = new OutlineFold(
    known && {
      state: JSON.parse(JSON.stringify(known.state)),
      lastTurns: JSON.parse(JSON.stringify(visible.slice(-3))),
    },
  )
  for (const [index, item] of log.entries()) {
    if (index >= from) fold.apply(item, index * SIZE, (index + 1) * SIZE)
  }
  return fold
}

function visibleTurns(fold: OutlineFold): OutlinedTurn[] {
  const byOrder = (a: OutlinedTurn, b: OutlinedTurn) => a.order - b.order
  const isShown = (each: OutlinedTurn) => !each.isTakenBack
  return fold.turns.filter(isShown).sort(byOrder)
}

/** The turns from the bytes that the outline names, as a store reads them. */
function slice(
  log: readonly RolloutItem[],
  all: readonly OutlinedTurn[],
  from: number,
  to: number,
) {
  const page = all.slice(from, to)
  const [first] = page
  if (!first) return []
  const end = Math.max(...page.map((each) => each.endOffset))
  const entries = log
    .map((item, index) => ({ item, start: index * SIZE, end: (index + 1) * SIZE }))
    .filter(({ start }) => start >= first.startOffset && start < end)
  const earlier = new Set(all.slice(0, from).map(({ turnId }) => turnId))
  return foldTurnsSlice({
    entries,
    from: first.before,
    isEarlierTurn: (turnId) => earlier.has(turnId),
    startOffsets: new Set(page.map(({ startOffset }) => startOffset)),
    isRunning: false,
  })
}

/** An empty turn that nothing opened by itself is none once the log is over. */
function closed(log: readonly RolloutItem[], turns: readonly OutlinedTurn[]): OutlinedTurn[] {
  const count = foldTurns(log).length
  return turns.slice(0, count)
}

function reduced(log: readonly RolloutItem[], fold: OutlineFold): RolloutItem[] {
  const context = contextPoint(fold.state.context)
  if (!context) return [...log]
  const lines = [context.turnContext, context.tokenCount]
    .filter((offset) => offset !== null)
    .sort((a, b) => a - b)
  const items = lines.map((offset) => log[offset / SIZE]).filter((each) => each !== undefined)
  return [...items, ...log.slice(context.start / SIZE)]
}

/** Of the segments each keeps the newest; what was forgotten may ask for more of the log. */
function assertSameState(actual: OutlineState, expected: OutlineState): void {
  const { context, ...rest } = actual
  const { context: wanted, ...wantedRest } = expected
  assert.deepEqual(rest, wantedRest)
  const countOf = ({ olderCount, segments }: typeof context) =>
    olderCount + segments.segments.length
  assert.equal(countOf(context), countOf(wanted))
  const newest = context.segments.segments
  assert.deepEqual(
    newest,
    newest.length === 0 ? [] : wanted.segments.segments.slice(-newest.length),
  )
  assert.equal(context.turnContext, wanted.turnContext)
  assert.equal(context.tokenCount, wanted.tokenCount)
  assert.equal(context.compactionCount, wanted.compactionCount)
  const point = contextPoint(context)
  if (point) assert.deepEqual(point, contextPoint(wanted))
}

describe('the outline of a log', () => {
  it('names the bytes of which any page of turns is what the whole log says', () => {
    const property = fc.property(anyLog, fc.nat(20), fc.nat(20), (log, a, b) => {
      const turns = foldTurns(log)
      const known = closed(log, visibleTurns(outlined(log)))
      assert.deepEqual(
        known.map(({ turnId }) => turnId),
        turns.map(({ id }) => id),
      )
      const [from, to] = [Math.min(a, b), Math.max(a, b)]
      assert.deepEqual(slice(log, known, from, to), turns.slice(from, to))
    })
    fc.assert(property, { numRuns: RUNS })
  })

  it('names the lines that the context of the model hangs on', () => {
    const property = fc.property(anyLog, (log) => {
      const part = reduced(log, outlined(log))
      assert.deepEqual(replayModelHistory(part), replayModelHistory(log))
      const before = contextPoint(outlined(log).state.context)?.compactionCount ?? 0
      assert.equal(before + countCompactions(part), countCompactions(log))
    })
    fc.assert(property, { numRuns: RUNS })
  })

  it('goes on from an earlier one as if it had been made at once, or says that it cannot', () => {
    let complete = 0
    const property = fc.property(anyLog, fc.nat(200), (log, cut) => {
      const first = outlined(log.slice(0, cut))
      const fold = outlined(log, cut, first)
      if (fold.isIncomplete) return
      complete += 1
      const whole = outlined(log)
      assertSameState(fold.state, whole.state)
      const byOrder = new Map([...first.turns, ...fold.turns].map((each) => [each.order, each]))
      const merged = [...byOrder.values()].sort((a, b) => a.order - b.order)
      assert.deepEqual(merged, whole.turns)
    })
    fc.assert(property, { numRuns: RUNS })
    assert.ok(complete > RUNS / 2, `${complete} of ${RUNS} were complete`)
  })

  it('needs no more than the turn of the newest compaction, unless that was taken back', () => {
    const history = [userText('left')]
    const log = [...turn(1), started('c'), compacted('sum', history), ...turn(2), ...turn(3)]
    const startOfCompaction = turn(1).length * SIZE
    assert.equal(contextPoint(outlined(log).state.context)?.start, startOfCompaction)
    const kept = [...log, rolledBack(2)]
    assert.equal(contextPoint(outlined(kept).state.context)?.start, startOfCompaction)
    const gone = [...log, rolledBack(3)]
    assert.equal(contextPoint(outlined(gone).state.context), null)
    assert.deepEqual(replayModelHistory(gone).items, [])
  })

  it('keeps what turns say, to be searched', () => {
    const log = [started('a'), userEvent('find me'), ...answers('here'), started('b')]
    const call = { type: 'function_call', name: 'exec_command', call_id: 'c' } as const
    const item = { type: 'response_item', payload: { ...call, arguments: '{"cmd":"ls -la"}' } }
    const fold = outlined([...log, item as RolloutItem])
    const texts = fold.takeTexts()
    assert.deepEqual(
      [texts.filter(({ order }) => order === 0), texts.filter(({ order }) => order === 1)],
      [
        [
          { order: 0, text: 'find me' },
          { order: 0, text: 'here' },
        ],
        [{ order: 1, text: 'ls -la' }],
      ],
    )
    assert.deepEqual(fold.takeTexts(), [])
  })
})
