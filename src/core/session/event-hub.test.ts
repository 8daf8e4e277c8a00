import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { SessionEvent } from '../../protocol/index.ts'
import { EventHub } from './event-hub.ts'

function warning(message: string): SessionEvent {
  return { type: 'warning', turnId: null, message }
}

function messagesOf(events: readonly SessionEvent[]): string[] {
  return events.map((event) => (event.type === 'warning' ? event.message : event.type))
}

describe('listeners', () => {
  it('hear every event from their subscription to their disposal, in order', () => {
    const hub = new EventHub()
    const seen: string[] = []
    hub.publish(warning('before'))
    const listening = hub.listen((event) => seen.push(...messagesOf([event])))
    hub.publish(warning('one'))
    hub.publish(warning('two'))
    listening[Symbol.dispose]()
    listening[Symbol.dispose]()
    hub.publish(warning('after'))
    assert.deepEqual(seen, ['one', 'two'])
  })

  it('may be the same function twice', () => {
    const hub = new EventHub()
    let count = 0
    const listener = () => {
      count += 1
    }
    const first = hub.listen(listener)
    hub.listen(listener)
    hub.publish(warning('one'))
    first[Symbol.dispose]()
    hub.publish(warning('two'))
    assert.equal(count, 3)
  })

  it('that come or go while an event is told hear the next one, or none', () => {
    const hub = new EventHub()
    const seen: string[] = []
    hub.listen((event) => {
      leaving[Symbol.dispose]()
      if (messagesOf([event])[0] === 'one') hub.listen((each) => seen.push(...messagesOf([each])))
    })
    const leaving = hub.listen(() => seen.push('left'))
    hub.publish(warning('one'))
    hub.publish(warning('two'))
    assert.deepEqual(seen, ['two'])
  })

  it('that fail keep nobody from hearing; their first fault is told to the process', async () => {
    const hub = new EventHub()
    const warnings: string[] = []
    const onWarning = (each: Error) => warnings.push(each.message)
    process.on('warning', onWarning)
    const seen: string[] = []
    hub.listen(() => {
      throw new Error('broken')
    })
    hub.listen((event) => seen.push(...messagesOf([event])))
    hub.publish(warning('one'))
    hub.publish(warning('two'))
    await new Promise((resolve) => setImmediate(resolve))
    process.off('warning', onWarning)
    assert.deepEqual(seen, ['one', 'two'])
    assert.deepEqual(warnings, ['a listener failed on warning: broken'])
  })

  it('hear nothing after the end', () => {
    const hub = new EventHub()
    const seen: string[] = []
    hub.listen((event) => seen.push(...messagesOf([event])))
    hub.close()
    hub.publish(warning('late'))
    assert.deepEqual(seen, [])
  })
})

describe('iterated events', () => {
  it('are all from the call on, read whenever, until the end', async () => {
    const hub = new EventHub()
    const events = hub.events()
    hub.publish(warning('one'))
    hub.publish(warning('two'))
    hub.close()
    hub.publish(warning('late'))
    assert.deepEqual(messagesOf(await Array.fromAsync(events)), ['one', 'two'])
  })

  it('are none of a session that has ended', async () => {
    const hub = new EventHub()
    hub.close()
    assert.deepEqual(await Array.fromAsync(hub.events()), [])
  })

  it('wake a reader that waits', async () => {
    const hub = new EventHub()
    const events = hub.events()
    const next = events.next()
    hub.publish(warning('one'))
    assert.deepEqual(await next, { done: false, value: warning('one') })
    await events.return(undefined)
    hub.publish(warning('two'))
    assert.deepEqual(await events.next(), { done: true, value: undefined })
  })

  it('fail for a reader that is over 10,000 behind, after those it has; others go on', async () => {
    const hub = new EventHub()
    const slow = hub.events()
    const seen: string[] = []
    hub.listen((event) => seen.push(...messagesOf([event])))
    for (let at = 0; at < 10_002; at += 1) hub.publish(warning(`${at}`))
    let count = 0
    const reading = (async () => {
      for await (const _ of slow) count += 1
    })()
    await assert.rejects(reading, { code: 'slow_subscriber' })
    assert.deepEqual([count, seen.length], [10_000, 10_002])
  })
})
