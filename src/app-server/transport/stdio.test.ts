import assert from 'node:assert/strict'
import { PassThrough, Writable } from 'node:stream'
import { describe, it } from 'node:test'
import { TestClock } from '../../../test/support/test-clock.ts'
import type { Wire } from '../connection.ts'
import { StdioTransport } from './stdio.ts'

const MEGABYTE = 'x'.repeat(1024 * 1024)

/** A client whose reading is in the test's hand: nothing leaves until `read` is called. */
function open() {
  const waiting: (() => void)[] = []
  const output = new Writable({ write: (_chunk, _encoding, done) => void waiting.push(done) })
  const input = new PassThrough()
  const received: string[] = []
  const refused: string[] = []
  let wire: Wire | undefined
  let isClosed = false
  const clock = new TestClock()
  const transport = new StdioTransport({
    serving: {
      connect: (connected) => {
        wire = connected
        const close = () => {
          isClosed = true
        }
        const receive = (text: string) => void received.push(text)
        return { receive, refuse: (reason) => void refused.push(reason), close }
      },
      log: () => undefined,
    },
    input,
    output,
    clock,
  })
  return {
    transport,
    input,
    output,
    received,
    refused,
    clock,
    send: (text: string) => wire?.send(text),
    read: () => waiting.shift()?.(),
    isClosed: () => isClosed,
  }
}

describe('StdioTransport', () => {
  it('ends, with why, when too much waits for a client that does not read', async () => {
    const { transport, send, clock, isClosed } = open()
    for (let n = 0; n < 65; n += 1) send(MEGABYTE)
    const bytes = 64 * (MEGABYTE.length + 1)
    const reason = `the client does not read: 64 messages, ${bytes} bytes wait for it`
    assert.deepEqual(await transport.ended, { reason, isFailure: true })
    const closing = transport.close()
    clock.wake()
    await closing
    assert.deepEqual([isClosed(), clock.sleeps], [true, [2000]])
  })

  it('ends when too many messages wait', async () => {
    const { transport, send, output } = open()
    for (let n = 0; n < 32_769; n += 1) send('{}')
    const waiting = `32768 messages, ${output.writableLength} bytes wait for it`
    const reason = `the client does not read: ${waiting}`
    assert.deepEqual(await transport.ended, { reason, isFailure: true })
  })

  it('listens no more to a client that does not read, until it has read', async () => {
    const { send, read, input, received } = open()
    for (let n = 0; n < 9; n += 1) send(MEGABYTE)
    assert.equal(input.isPaused(), true)
    input.write('{}\n')
    while (input.isPaused()) read()
    await new Promise((done) => input.once('data', done))
    assert.deepEqual(received, ['{}'])
  })

  it('has lines refused that cannot be taken, and takes the next', async () => {
    const { input, received, refused } = open()
    input.write(Buffer.concat([Buffer.of(0xff, 0x0a), Buffer.from('{}\n')]))
    await new Promise((done) => setImmediate(done))
    assert.deepEqual([refused, received], [['a line held bytes that are no UTF-8'], ['{}']])
  })

  it('sends what waits before it is closed', async () => {
    const { transport, send, read, isClosed } = open()
    send('last')
    const closing = transport.close()
    read()
    assert.equal(isClosed(), false)
    await new Promise((done) => setImmediate(done))
    read()
    await closing
    assert.equal(isClosed(), true)
  })
})
