import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { anyLog } from '../../test/support/arbitrary-log.ts'
import { completed, item, rolledBack, says, started, turn } from '../../test/support/thread-log.ts'
import { type RolloutItem, userText } from '../protocol/index.ts'
import { Segments, type SegmentsState } from './segments.ts'

/** Meets a log; what stands before an entry is its index. `back`: where each rollback leads. */
function meetAll(log: readonly RolloutItem[], from = 0, known?: SegmentsState<number>) {
  let index = from
  const segments = new Segments(() => index, known)
  const back: (number | undefined)[] = []
  for (; index < log.length; index += 1) {
    const entry = log[index]
    if (!entry) continue
    const before = segments.meet(entry)
    if (entry.type === 'event_msg' && entry.payload.type === 'thread_rolled_back') back.push(before)
  }
  return { state: segments.state, back }
}

describe('the parts of a log that a rollback takes back', () => {
  it('are the turns with a message of the person, and others that lie behind them', () => {
    const log = [...turn(1), ...turn(2), started('silent'), completed('silent')]
    const starts = [0, turn(1).length, turn(1).length + turn(2).length]
    assert.deepEqual(
      meetAll(log).state.segments.map(({ before }) => before),
      starts,
    )
    assert.deepEqual(meetAll([...log, rolledBack(1)]).back, [starts[1]])
    assert.deepEqual(meetAll([...log, rolledBack(2)]).back, [0])
    assert.deepEqual(meetAll([...log, rolledBack(9)]).back, [0])
    assert.deepEqual(meetAll([...log, rolledBack(0)]).back, [undefined])
  })

  it('are one for each message where no events tell of turns', () => {
    const log = [...says('one'), ...says('two'), item(userText('three'))]
    assert.deepEqual(
      meetAll(log).state.segments.map(({ before }) => before),
      [0, 2, 4],
    )
    assert.deepEqual(meetAll([...log, rolledBack(2)]).back, [2])
  })

  it('begin at the message between two turns, not at the event that follows it', () => {
    const log = [...turn(1), ...says('between')]
    assert.equal(meetAll(log).state.segments.at(-1)?.before, turn(1).length)
  })

  it('are the same from a state that was kept', () => {
    const property = fc.property(anyLog, fc.nat(), (log, cut) => {
      const at = cut % (log.length + 1)
      const first = meetAll(log.slice(0, at))
      const known: SegmentsState<number> = JSON.parse(JSON.stringify(first.state))
      const rest = meetAll(log, at, known)
      const whole = meetAll(log)
      assert.deepEqual(rest.state, whole.state)
      assert.deepEqual([...first.back, ...rest.back], whole.back)
    })
    fc.assert(property, { numRuns: 500 })
  })
})
