import { createServer, type IncomingMessage, type Server, STATUS_CODES } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import { type Clock, errorCode, errorText } from '../../base/index.ts'
import type { WireLimits } from './bounded-wire.ts'
import type { Serving, Transport, TransportEnd } from './transport.ts'
import { TransportError } from './transport-error.ts'
import type { Gate, HttpAnswer } from './upgrade-gate.ts'
import { WebSocketClient } from './websocket-client.ts'

const MOST_MESSAGE_BYTES = 64 * 1024 * 1024
const MOST_CONNECTIONS = 1024
const KEEP_ALIVE_MS = 60_000

export interface WebSocketTransportOptions {
  readonly serving: Serving
  readonly gate: Gate
  readonly clock: Clock
  readonly where: { readonly host: string; readonly port: number } | { readonly path: string }
  readonly limits?: WireLimits
}

/** Any number of clients, each at the end of a WebSocket, over TCP or a Unix socket. */
export class WebSocketTransport implements Transport {
  readonly ended: Promise<TransportEnd>
  readonly #options: WebSocketTransportOptions
  readonly #server: Server
  readonly #upgrader = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: MOST_MESSAGE_BYTES,
    handleProtocols: () => false,
  })
  readonly #clients = new Set<WebSocketClient>()
  #closing: Promise<void> | undefined

  private constructor(options: WebSocketTransportOptions, server: Server) {
    this.#options = options
    this.#server = server
    this.ended = new Promise((end) => {
      server.once('close', () => end({ reason: 'the listener was closed', isFailure: false }))
    })
    server.on('error', (error) => options.serving.log(`the listener: ${errorText(error)}`))
    server.on('request', (request, response) => {
      const { status, body, headers } = options.gate(request) ?? { status: 400 }
      response.writeHead(status, { ...headers, ...plain(body) }).end(body)
    })
    server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head))
  }

  /** Throws `TransportError`. */
  static async open(options: WebSocketTransportOptions): Promise<WebSocketTransport> {
    const server = createServer({ keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS })
    server.maxConnections = MOST_CONNECTIONS
    await new Promise<void>((done, fail) => {
      server.once('error', (error) => {
        const isTaken = errorCode(error) === 'EADDRINUSE'
        const remedy = isTaken ? '; port 0 takes a free one' : ''
        const reason = `cannot listen: ${errorText(error)}${remedy}`
        fail(new TransportError('failed', reason, error))
      })
      server.listen(options.where, () => {
        server.removeAllListeners('error')
        done()
      })
    })
    return new WebSocketTransport(options, server)
  }

  /** Of a listener over TCP. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#server.close()
    await Promise.all([...this.#clients].map((client) => client.close()))
    this.#server.closeAllConnections()
    await this.ended
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // Whoever leaves in the middle of the handshake needs no answer.
    const ignore = () => undefined
    socket.on('error', ignore)
    const refusal = this.#closing ? { status: 400 as const } : this.#options.gate(request)
    if (refusal) {
      socket.end(answerText(refusal))
      return
    }
    this.#upgrader.handleUpgrade(request, socket, head, (opened) => {
      socket.removeListener('error', ignore)
      const { serving, clock, limits } = this.#options
      const options = { socket: opened, serving, clock, ...(limits ? { limits } : {}) }
      const client = new WebSocketClient(options)
      this.#clients.add(client)
      void client.gone.then(() => this.#clients.delete(client))
    })
  }
}

function plain(body = ''): { readonly [name: string]: string } {
  const size = { connection: 'close', 'content-length': String(Buffer.byteLength(body)) }
  return body === '' ? size : { ...size, 'content-type': 'text/plain; charset=utf-8' }
}

/** As bytes: Node gives an upgrade no response object. */
function answerText({ status, body, headers }: HttpAnswer): string {
  const lines = Object.entries({ ...headers, ...plain(body) }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  )
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body ?? ''}`
}
