import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { anyLog } from '../../test/support/arbitrary-log.ts'
import { aborted, completed, says, started } from '../../test/support/thread-log.ts'
import { turnActivity } from './turn-activity.ts'

describe('what items say of a running turn', () => {
  it('is what the last of them says that says anything', () => {
    assert.equal(turnActivity([]), undefined)
    assert.equal(turnActivity(says('hello')), undefined)
    assert.equal(turnActivity([completed('a'), started('b'), ...says('hello')]), 'turn')
    assert.equal(turnActivity([started('a'), completed('a')]), 'idle')
    assert.equal(turnActivity([started('a'), aborted('a'), ...says('hello')]), 'idle')
  })

  it('is the same told at once or in pieces', () => {
    const property = fc.property(anyLog, fc.nat(), (log, cut) => {
      const at = cut % (log.length + 1)
      const [first, rest] = [turnActivity(log.slice(0, at)), turnActivity(log.slice(at))]
      assert.equal(turnActivity(log), rest ?? first)
    })
    fc.assert(property)
  })
})
