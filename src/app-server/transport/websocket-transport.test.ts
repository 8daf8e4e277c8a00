import assert from 'node:assert/strict'
import { once } from 'node:events'
import { it } from 'node:test'
import { WebSocket } from 'ws'
import { systemClock } from '../../base/index.ts'
import type { Wire } from '../connection.ts'
import { refuseHandshake } from './upgrade-gate.ts'
import { WebSocketTransport } from './websocket-transport.ts'

const MEGABYTE = 'x'.repeat(1024 * 1024)

it('a client that does not read is dropped, and nobody else notices', async () => {
  const wires: Wire[] = []
  const log: string[] = []
  let closed = 0
  await using stack = new AsyncDisposableStack()
  const transport = await WebSocketTransport.open({
    serving: {
      connect: (wire) => {
        wires.push(wire)
        const close = () => {
          closed += 1
        }
        return { receive: (text) => wire.send(text), refuse: () => assert.fail(), close }
      },
      log: (line) => void log.push(line),
    },
    gate: refuseHandshake,
    clock: systemClock,
    where: { host: '127.0.0.1', port: 0 },
    limits: { messages: 64, bytes: 4 * MEGABYTE.length, pauseBytes: MEGABYTE.length },
  })
  stack.defer(() => transport.close())
  const connect = async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${transport.port}`)
    stack.defer(() => socket.terminate())
    await once(socket, 'open')
    return socket
  }
  const slow = await connect()
  const quick = await connect()
  const [slowWire, quickWire] = wires
  assert.ok(slowWire && quickWire)
  slow.pause()
  let heard = 0
  quick.on('message', () => {
    heard += 1
  })
  // The kernel takes some: how much differs.
  for (let sent = 0; log.length === 0; sent += 1) {
    slowWire.send(MEGABYTE)
    quickWire.send('small')
    quick.send('echo')
    await once(quick, 'message')
    assert.ok(sent < 200, 'the slow client is dropped')
  }
  assert.match(log[0] ?? '', /^disconnecting slow connection: \d+ messages, \d+ bytes wait for it$/)
  assert.equal(closed, 1)
  slowWire.send('nothing is sent any more')
  quick.send('echo')
  const before = heard
  while (heard === before) await once(quick, 'message')
  slow.resume()
  const [code, reason] = await once(slow, 'close')
  assert.deepEqual([code, String(reason), log.length], [1013, 'too slow', 1])
})
