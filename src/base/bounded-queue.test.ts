import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { BoundedQueue } from './bounded-queue.ts'

describe('BoundedQueue', () => {
  it('gives items in the order of their pushes, and ends once closed and empty', async () => {
    const queue = new BoundedQueue<number>(10)
    for (const item of [1, 2, 3]) assert.equal(queue.tryPush(item), true)
    queue.close()
    assert.equal(queue.tryPush(4), false)
    assert.equal(await queue.push(5), false)
    assert.deepEqual(await Array.fromAsync(queue), [1, 2, 3])
  })

  it('makes the producer wait while it is full', async () => {
    const queue = new BoundedQueue<number>(2)
    const pushed: number[] = []
    const producing = (async () => {
      for (const item of [1, 2, 3, 4, 5]) {
        await queue.push(item)
        pushed.push(item)
      }
      queue.close()
    })()
    await Promise.resolve().then(() => undefined)
    assert.equal(queue.tryPush(9), false)
    assert.deepEqual(await Array.fromAsync(queue), [1, 2, 3, 4, 5])
    await producing
    assert.deepEqual(pushed, [1, 2, 3, 4, 5])
  })

  it('wakes a waiting consumer for an item and for the end', async () => {
    const queue = new BoundedQueue<string>(1)
    const first = queue.next()
    queue.tryPush('a')
    assert.equal(await first, 'a')
    const second = queue.next()
    queue.close()
    assert.equal(await second, undefined)
  })

  it('lets waiting producers go when it is closed, without their items', async () => {
    const queue = new BoundedQueue<number>(1)
    queue.tryPush(1)
    const waiting = queue.push(2)
    queue.close()
    assert.equal(await waiting, false)
    assert.deepEqual(await Array.fromAsync(queue), [1])
  })
})
