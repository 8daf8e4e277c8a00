import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { newThreadId } from '../protocol/index.ts'
import { ThreadStoreError } from './errors.ts'
import { decodeListCursor, encodeListCursor, isBehind, type ListPlace } from './list-cursor.ts'

const threadId = newThreadId()
const AT_MS = Date.UTC(2026, 10, 19, 10, 34, 36, 322)

function isInvalid(error: unknown): boolean {
  return error instanceof ThreadStoreError && error.failure.code === 'invalid_request'
}

describe('a place in a list of threads', () => {
  it('is read as it was written', () => {
    const places: ListPlace[] = [
      { atMs: AT_MS },
      { atMs: AT_MS, threadId, includeAnchor: false },
      { atMs: AT_MS, threadId, includeAnchor: true },
    ]
    for (const place of places) assert.deepEqual(decodeListCursor(encodeListCursor(place)), place)
  })

  it('is what real Codex gives out, too', () => {
    assert.deepEqual(decodeListCursor('2026-11-19T10:34:36.322Z'), { atMs: AT_MS })
    assert.deepEqual(decodeListCursor('2026-11-19T12:34:36.322+02:00'), { atMs: AT_MS })
    assert.deepEqual(decodeListCursor('2026-11-19T10-34-36'), { atMs: AT_MS - 322 })
    const suffixed = { atMs: AT_MS, threadId, includeAnchor: false }
    assert.deepEqual(decodeListCursor(`2026-11-19T10:34:36.322Z|${threadId}`), suffixed)
  })

  it('is nothing else: other text is an invalid request', () => {
    const texts = ['', 'zzz', '2026', '2026-11-19', '2026-13-19T10:34:36Z', `/${threadId}`]
    for (const text of texts) assert.throws(() => decodeListCursor(text), isInvalid, text)
    const isTime = /^\d{4}-/
    const other = fc.string().filter((text) => !isTime.test(text))
    fc.assert(fc.property(other, (text) => assert.throws(() => decodeListCursor(text), isInvalid)))
  })

  it('a bare time is behind all threads of that time, in both directions', () => {
    for (const direction of ['asc', 'desc'] as const) {
      assert.equal(isBehind({ atMs: 5 }, { atMs: 5, threadId }, direction), false)
      assert.equal(isBehind({ atMs: 5 }, { atMs: 4, threadId }, direction), direction === 'desc')
      assert.equal(isBehind({ atMs: 5 }, { atMs: 6, threadId }, direction), direction === 'asc')
    }
  })
})
