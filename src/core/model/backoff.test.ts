import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { backoffMs } from './backoff.ts'

describe('the wait before a retry', () => {
  it('doubles from 200 ms', () => {
    const waits = [1, 2, 3, 4, 5].map((retry) => backoffMs(retry, () => 0.5))
    assert.deepEqual(waits, [200, 400, 800, 1600, 3200])
  })

  it('varies by a tenth either way', () => {
    assert.deepEqual([backoffMs(1, () => 0), Math.round(backoffMs(1, () => 1))], [180, 220])
  })

  it('never grows beyond a minute, so that the hundredth retry is as possible as the first', () => {
    assert.deepEqual([backoffMs(10, () => 0.5), backoffMs(100, () => 0.5)], [60_000, 60_000])
  })
})
