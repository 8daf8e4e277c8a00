import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { decodeCursor, encodeCursor } from './cursor.ts'
import { ThreadStoreError } from './errors.ts'

function isInvalid(error: unknown): boolean {
  return error instanceof ThreadStoreError && error.failure.code === 'invalid_request'
}

describe('a cursor', () => {
  it('is read as it was written', () => {
    const position = fc.oneof(fc.string(), fc.double({ noNaN: true, noDefaultInfinity: true }))
    fc.assert(
      fc.property(position, fc.string(), (at, threadId) => {
        const written = encodeCursor({ position: Object.is(at, -0) ? 0 : at, threadId })
        assert.deepEqual(decodeCursor(written), { position: at === 0 ? 0 : at, threadId })
      }),
    )
  })

  it('is nothing else: other text is an invalid request', () => {
    const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const texts = [
      '',
      'x',
      '2026-11-19T10:34:36Z',
      ...[7, [], ['a'], [{}, 'a'], ['a', 1]].map(encoded),
    ]
    for (const text of texts) assert.throws(() => decodeCursor(text), isInvalid)
    fc.assert(
      fc.property(fc.string(), (text) => assert.throws(() => decodeCursor(text), isInvalid)),
    )
  })
})
