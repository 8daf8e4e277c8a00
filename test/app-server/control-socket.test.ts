import assert from 'node:assert/strict'
import { stat } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { Workplace } from '../support/bobbin.ts'
import { ServerProcess, SocketPeer } from '../support/server-process.ts'

const folderOf = (place: Workplace) => join(place.home, 'app-server-control')
const pathOf = (place: Workplace) => join(folderOf(place), 'app-server-control.sock')
const urlOf = (path: string) => `ws+unix:${path}`

/** Nothing is printed: it listens when somebody gets through. */
async function connect(server: ServerProcess, path: string): Promise<SocketPeer> {
  for (;;) {
    assert.equal(server.child.exitCode, null, server.stderr)
    const peer = await SocketPeer.connect(urlOf(path)).catch(() => undefined)
    if (peer) return peer
    await pause(10)
  }
}

describe('bobbin app-server over a Unix socket', () => {
  it('listens for its owner alone, once, and leaves nothing behind', async () => {
    await using place = await Workplace.create()
    await using server = new ServerProcess(place, ['--listen', 'unix://'])
    const path = pathOf(place)
    await using peer = await connect(server, path)
    await peer.initialize()
    assert.equal((await stat(path)).mode & 0o777, 0o600)
    assert.equal((await stat(folderOf(place))).mode & 0o777, 0o700)
    const second = await place.run(['app-server', '--listen', 'unix://'])
    const reason = `app-server control socket is already in use at ${path}`
    assert.deepEqual(second, { exitCode: 1, stdout: '', stderr: `bobbin: ${reason}\n` })
    server.child.kill('SIGTERM')
    assert.deepEqual(await server.exited, { code: 0, signal: null })
    assert.deepEqual(await peer.closed, { code: 1001, reason: 'the server stops' })
    await assert.rejects(stat(path), { code: 'ENOENT' })
    assert.equal(server.stderr, '')
  })

  it('takes the place of a server that was killed, and of no other file', async () => {
    await using place = await Workplace.create()
    const path = join(place.project, 'app.sock')
    const args = ['--listen', `unix://${path}`]
    {
      await using killed = new ServerProcess(place, args)
      await using _peer = await connect(killed, path)
      killed.child.kill('SIGKILL')
      await killed.exited
    }
    assert.ok((await stat(path)).isSocket())
    await using server = new ServerProcess(place, args)
    await using peer = await connect(server, path)
    await peer.initialize()
    const file = join(place.project, 'a.txt')
    const other = await place.run(['app-server', '--listen', `unix://${file}`])
    const reason = `app-server control socket path exists and is not a socket: ${file}`
    assert.deepEqual(other, { exitCode: 1, stdout: '', stderr: `bobbin: ${reason}\n` })
  })

  it('closes on raw JSON, and is reached through the proxy', async () => {
    await using place = await Workplace.create()
    await using server = new ServerProcess(place, ['--listen', 'unix://'])
    const path = pathOf(place)
    await using _peer = await connect(server, path)
    const raw = createConnection(path)
    raw.on('error', () => undefined)
    raw.write('{"id":1,"method":"initialize"}\n')
    raw.resume()
    await new Promise((done) => raw.once('close', done))
    const key = Buffer.alloc(16).toString('base64')
    const handshake = [
      'GET / HTTP/1.1',
      'Host: x',
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      `Sec-WebSocket-Key: ${key}`,
    ]
    const child = place.start(['app-server', 'proxy'])
    let answer = ''
    const answered = new Promise<void>((done) => {
      child.stdout?.on('data', (chunk) => {
        answer += chunk
        if (answer.includes('\r\n\r\n')) done()
      })
    })
    const exited = new Promise((done) => child.once('close', done))
    child.stdin?.write(`${handshake.join('\r\n')}\r\n\r\n`)
    await answered
    assert.match(answer, /^HTTP\/1\.1 101 Switching Protocols\r\n/)
    child.stdin?.end()
    assert.equal(await exited, 0)
    const nobody = await place.run(['app-server', 'proxy', '--sock', '/nowhere'])
    assert.equal(nobody.exitCode, 1)
    assert.match(nobody.stderr, /^bobbin: failed to connect to socket at \/nowhere: /)
  })
})
