import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Base64Error, decodeBase64 } from './base64.ts'

describe('base64', () => {
  it('is decoded when it is canonical', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const text = Buffer.from(bytes).toString('base64')
        assert.deepEqual(decodeBase64(text), Buffer.from(bytes))
      }),
    )
  })

  it('is refused in the words of 0.133.0 otherwise', () => {
    const faults = {
      '!!': 'Invalid symbol 33, offset 0.',
      aGk: 'Invalid padding',
      a: 'Invalid input length: 1',
      'aGk==': 'Invalid symbol 61, offset 3.',
      'aGl=': 'Invalid last symbol 108, offset 2.',
      'aG k=': 'Invalid symbol 32, offset 2.',
    }
    for (const [text, message] of Object.entries(faults)) {
      assert.throws(() => decodeBase64(text), new Base64Error(message), text)
    }
  })
})
