import { chmodSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { type WebSocket, WebSocketServer } from 'ws'
import { type Clock, errorText } from '../../base/index.ts'
import type { ClientPort } from '../app-server.ts'
import type { Wire } from '../connection.ts'
import { preparePeerFolder } from './peer-sockets.ts'

/** Of one message, both ways: the answer to a resume has all turns of a thread. */
export const MOST_MESSAGE_BYTES = 128 * 1024 * 1024

/** What may wait for a peer that does not read. */
const MOST_WAITING_BYTES = 2 * MOST_MESSAGE_BYTES
const MOST_PEERS = 64
const FAREWELL_LIMIT_MS = 500

export interface PeerListenerOptions {
  readonly path: string
  readonly clock: Clock
  readonly connect: (wire: Wire) => ClientPort
}

/**
 * Where other processes of the home reach the threads of this one: a Unix socket that the owner of
 * the home alone can open. Every connection is a client. Disposing it says farewell to all.
 */
export class PeerListener implements AsyncDisposable {
  readonly #path: string
  readonly #clock: Clock
  readonly #http = createServer((_, response) => response.writeHead(426).end())
  readonly #sockets: WebSocketServer

  private constructor({ path, clock, connect }: PeerListenerOptions) {
    this.#path = path
    this.#clock = clock
    this.#http.maxConnections = MOST_PEERS
    this.#sockets = new WebSocketServer({
      server: this.#http,
      maxPayload: MOST_MESSAGE_BYTES,
      perMessageDeflate: false,
    })
    this.#sockets.on('connection', (socket) => serve(socket, connect))
  }

  /** Throws when the socket cannot be made. */
  static async open(options: PeerListenerOptions): Promise<PeerListener> {
    await preparePeerFolder(options.path)
    const listener = new PeerListener(options)
    await listener.#listen()
    return listener
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#http.close()
    await Promise.all([...this.#sockets.clients].map((socket) => this.#sayFarewell(socket)))
    this.#sockets.close()
    this.#http.closeAllConnections()
    rmSync(this.#path, { force: true })
  }

  /** What it was told last goes out before, if it reads. */
  async #sayFarewell(socket: WebSocket): Promise<void> {
    const waiting = new AbortController()
    const gone = new Promise((done) => socket.once('close', done))
    socket.close()
    const late = this.#clock.sleep(FAREWELL_LIMIT_MS, waiting.signal).then(
      () => socket.terminate(),
      () => {
        // It has gone in time.
      },
    )
    await Promise.race([gone, late])
    waiting.abort()
  }

  async #listen(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#sockets.once('error', reject)
    this.#http.listen(this.#path, resolve)
    await promise
    this.#sockets.off('error', reject)
    this.#sockets.on('error', (error) => process.emitWarning(`peers: ${errorText(error)}`))
    chmodSync(this.#path, 0o600)
  }
}

function serve(socket: WebSocket, connect: PeerListenerOptions['connect']): void {
  const port = connect({
    send: (text) => {
      // It would fill our memory; it finds a broken link and says so to its clients.
      if (socket.bufferedAmount > MOST_WAITING_BYTES) socket.terminate()
      else socket.send(text)
    },
  })
  socket.on('message', (data, isBinary) => {
    if (isBinary) port.refuse('a message is a text frame')
    else port.receive(String(data))
  })
  socket.on('error', () => {
    // A frame against the rules, or too large: `close` follows.
  })
  socket.on('close', () => port.close())
}
