import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { seekLines } from './seek-lines.ts'

const anywhere = { from: 0, isEndOfFile: false }

describe('seekLines', () => {
  it('prefers a later exact match to an earlier lenient one', () => {
    assert.equal(seekLines(['  x', 'x ', 'x'], ['x'], anywhere), 2)
    assert.equal(seekLines(['  x', 'x '], ['x'], anywhere), 1)
    assert.equal(seekLines(['\u2018x\u2019', "  'x'"], ["'x'"], anywhere), 1)
    assert.equal(seekLines(['\u2018x\u2019'], ["'x'"], anywhere), 0)
  })

  it('starts no earlier than told', () => {
    assert.equal(seekLines(['x', 'y', 'x'], ['x'], { from: 1, isEndOfFile: false }), 2)
    assert.equal(seekLines(['x', 'y'], ['x'], { from: 1, isEndOfFile: false }), undefined)
  })

  it('matches the last lines only at the end of the file', () => {
    const lines = ['x', 'y', 'x', 'y']
    assert.equal(seekLines(lines, ['x', 'y'], { from: 0, isEndOfFile: true }), 2)
    assert.equal(seekLines(lines, ['x'], { from: 0, isEndOfFile: true }), undefined)
    assert.equal(seekLines(lines, ['y'], { from: 4, isEndOfFile: true }), undefined)
  })

  it('finds nothing longer than the file', () => {
    assert.equal(seekLines(['x'], ['x', 'y'], anywhere), undefined)
  })

  it('finds every stretch of a file, at its place or before', () => {
    const aStretch = fc.array(fc.string({ maxLength: 3 }), { minLength: 1 }).chain((lines) =>
      fc.record({
        lines: fc.constant(lines),
        at: fc.nat({ max: lines.length - 1 }),
        length: fc.integer({ min: 1, max: 3 }),
      }),
    )
    fc.assert(
      fc.property(aStretch, ({ lines, at, length }) => {
        const found = seekLines(lines, lines.slice(at, at + length), anywhere)
        assert.ok(found !== undefined && found <= at)
      }),
    )
  })
})
