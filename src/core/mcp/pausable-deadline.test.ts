import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { TestClock } from '../../../test/support/test-clock.ts'
import { PausableDeadline } from './pausable-deadline.ts'

const late = () => new Error('late')
const settled = () => new Promise<void>((resolve) => setImmediate(resolve))

describe('a deadline', () => {
  it('aborts its signal when the time is up', async () => {
    const clock = new TestClock()
    using deadline = new PausableDeadline(1000, clock, late)
    clock.wake()
    await settled()
    assert.deepEqual(deadline.signal.reason, late())
  })

  it('goes on with what was left when the last pause has ended', async () => {
    const clock = new TestClock()
    using deadline = new PausableDeadline(1000, clock, late)
    clock.now += 300
    const pause = deadline.pause()
    const other = deadline.pause()
    clock.now += 5000
    pause[Symbol.dispose]()
    assert.deepEqual(clock.sleeps, [1000])
    other[Symbol.dispose]()
    assert.deepEqual(clock.sleeps, [1000, 700])
    assert.equal(deadline.signal.aborted, false)
    clock.wake()
    await settled()
    assert.equal(deadline.signal.aborted, true)
  })

  it('never aborts once it is disposed', async () => {
    const clock = new TestClock()
    const deadline = new PausableDeadline(1000, clock, late)
    const pause = deadline.pause()
    deadline[Symbol.dispose]()
    pause[Symbol.dispose]()
    clock.wake()
    await settled()
    assert.deepEqual([deadline.signal.aborted, clock.sleeps], [false, [1000]])
  })
})
