import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { describe, it } from 'node:test'
import { type WebSocket, WebSocketServer } from 'ws'
import { ModelSocket } from './model-socket.ts'

const never = new AbortController().signal

/** A server that does what the test likes with each connection. */
async function serve(onSocket: (socket: WebSocket) => void, options = {}) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', ...options })
  server.on('connection', onSocket)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: new URL(`ws://127.0.0.1:${port}/`),
    sockets: server.clients,
    async [Symbol.asyncDispose]() {
      for (const socket of server.clients) socket.terminate()
      server.close()
      await once(server, 'close')
    },
  }
}

function connect(url: URL, pingMs = 60_000): Promise<ModelSocket> {
  return ModelSocket.open({ url, headers: {}, connectTimeoutMs: 5000, pingMs, signal: never })
}

/** The stream below a server's end of a connection. */
function streamOf(socket: WebSocket): Socket {
  return (socket as unknown as { _socket: Socket })._socket
}

describe('a connection that nothing is asked on', () => {
  it('is asked now and then if it is there, and lives on while it answers', {
    timeout: 20_000,
  }, async () => {
    const pinged = Promise.withResolvers<void>()
    let pings = 0
    await using server = await serve((socket) => {
      socket.on('message', () => socket.send('answer'))
      socket.on('ping', () => {
        pings += 1
        if (pings === 2) pinged.resolve()
      })
    })
    const socket = await connect(server.url, 250)
    socket.ask('request')
    assert.equal(await socket.next(), 'answer')
    socket.settle()
    await pinged.promise
    assert.ok(socket.isOpen)
    await socket.close()
  })

  it('is ended when it no longer answers', async () => {
    const closed = Promise.withResolvers<void>()
    await using server = await serve(
      (socket) => {
        socket.on('message', () => socket.send('answer'))
        socket.on('close', closed.resolve)
      },
      { autoPong: false },
    )
    const socket = await connect(server.url, 10)
    socket.ask('request')
    await socket.next()
    socket.settle()
    await closed.promise
    assert.ok(!socket.isOpen)
  })
})

describe('a slow reader', () => {
  it('makes the server wait, and gets every frame in the end', async () => {
    const frame = 'x'.repeat(64 * 1024)
    const count = 400
    await using server = await serve(
      (socket) => {
        socket.on('message', () => {
          for (let at = 0; at < count; at += 1) socket.send(`${at} ${frame}`)
        })
      },
      { perMessageDeflate: false },
    )
    const socket = await connect(server.url)
    socket.ask('request')
    await socket.next()
    const [served] = server.sockets
    assert.ok(served)
    // Only what the reader lets through and the kernel holds can have left the server by now.
    while (streamOf(served).writableLength === 0) await new Promise(setImmediate)
    for (let at = 1; at < count; at += 1) {
      assert.equal((await socket.next()).slice(0, 4).trim(), `${at} ${frame}`.slice(0, 4).trim())
    }
    await socket.close()
  })
})

describe('the end of a connection', () => {
  it('does not wait for a server that says no farewell', async () => {
    await using server = await serve((socket) => streamOf(socket).pause())
    const socket = await connect(server.url)
    await socket.close()
    assert.ok(!socket.isOpen)
  })

  it('gives what had come before it, then why', async () => {
    await using server = await serve((socket) => {
      socket.on('message', () => {
        socket.send('one')
        socket.send('two')
        socket.close(1011)
      })
    })
    const socket = await connect(server.url)
    socket.ask('request')
    await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual([await socket.next(), await socket.next()], ['one', 'two'])
    const message = 'websocket closed by server before response.completed'
    await assert.rejects(socket.next(), {
      name: 'ModelError',
      message: `stream disconnected before completion: ${message}`,
    })
  })
})
