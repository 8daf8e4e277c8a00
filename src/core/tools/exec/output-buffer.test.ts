import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { OutputBuffer } from './output-buffer.ts'
import { ceilBoundary, floorBoundary } from './utf8.ts'

const pushes = fc.array(fc.string({ unit: fc.constantFrom(...'ab\né€😀'), maxLength: 9 }))

function headAndTail(text: string, halfBytes: number): string {
  const bytes = Buffer.from(text)
  if (bytes.length <= 2 * halfBytes) return text
  const head = bytes.toString('utf8', 0, floorBoundary(bytes, halfBytes))
  return head + bytes.toString('utf8', ceilBoundary(bytes, bytes.length - halfBytes))
}

it('keeps the first and the newest half of its capacity, in whole characters', () => {
  fc.assert(
    fc.property(pushes, fc.integer({ min: 1, max: 20 }), (texts, halfBytes) => {
      const buffer = new OutputBuffer(2 * halfBytes)
      let all = ''
      for (const text of texts) {
        buffer.push(text)
        all += text
        assert.equal(buffer.text(), headAndTail(all, halfBytes))
      }
    }),
    { numRuns: 1000 },
  )
})

it('starts over once its text was taken', () => {
  const buffer = new OutputBuffer(4)
  buffer.push('abcdefgh')
  assert.equal(buffer.take(), 'abgh')
  assert.equal(buffer.take(), '')
  buffer.push('xyz')
  assert.equal(buffer.text(), 'xyz')
})
