import { once } from 'node:events'
import { type IncomingMessage, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { type RawData, type WebSocket, WebSocketServer } from 'ws'
import type { Json } from '../../base/index.ts'
import { headersOf, parseBody, type RecordedRequest } from './recorded-request.ts'

/** How the server meets a client that wants a WebSocket. */
export type Handshake =
  | { readonly kind: 'accept'; readonly headers?: { readonly [name: string]: string } }
  | {
      readonly kind: 'refuse'
      readonly status: number
      readonly body?: string
      readonly headers?: { readonly [name: string]: string }
    }
  /** No answer at all. */
  | { readonly kind: 'stall' }
  | { readonly kind: 'cut' }

/** A client that wanted a WebSocket, and all that it said on it. */
export interface RecordedConnection {
  readonly url: string
  /** Of the handshake; names in lower case. */
  readonly headers: { readonly [name: string]: string }
  readonly isAccepted: boolean
  /** In order of arrival; a frame that is no JSON is there as its text. */
  readonly frames: readonly Json[]
  /** Resolves when the connection is gone, whoever has ended it. */
  readonly closed: Promise<void>
  /** Ends it from the server's side, between two responses for instance. */
  close(how: 'cleanly' | 'cut'): void
  /** Says something that nobody has asked for. Resolves when the client has taken it. */
  say(text: string): Promise<void>
}

export interface SocketListener {
  handshakeFor(request: IncomingMessage, index: number): Handshake
  onConnection(connection: RecordedConnection): void
  /** Answers a frame. */
  onFrame(socket: WebSocket, frame: RecordedRequest): Promise<void>
}

/** The WebSocket side of a scripted server: handshakes as scripted, every frame recorded. */
export class ScriptedSockets implements Disposable {
  readonly #listener: SocketListener
  readonly #server = new WebSocketServer({ noServer: true, perMessageDeflate: true })
  readonly #streams = new Set<Duplex>()
  #count = 0

  constructor(listener: SocketListener) {
    this.#listener = listener
  }

  upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    this.#streams.add(stream)
    stream.once('close', () => this.#streams.delete(stream))
    // A client that has gone is what some tests are about.
    stream.on('error', () => undefined)
    const handshake = this.#listener.handshakeFor(request, this.#count)
    this.#count += 1
    const frames: Json[] = []
    const connection = recordConnection(request, stream, frames, handshake.kind === 'accept')
    if (handshake.kind === 'refuse') refuse(stream, handshake)
    if (handshake.kind === 'cut') stream.destroy()
    if (handshake.kind !== 'accept') {
      this.#listener.onConnection(connection)
      return
    }
    this.#server.once('headers', (lines) => {
      for (const [name, value] of Object.entries(handshake.headers ?? {})) {
        lines.push(`${name}: ${value}`)
      }
    })
    this.#server.handleUpgrade(request, stream, head, (socket) => {
      this.#listener.onConnection(withSocket(connection, socket))
      this.#listen(socket, connection, frames)
    })
  }

  [Symbol.dispose](): void {
    this.#server.close()
    for (const stream of this.#streams) stream.destroy()
  }

  #listen(socket: WebSocket, { url, headers }: RecordedConnection, frames: Json[]): void {
    socket.on('error', () => undefined)
    socket.on('message', (data: RawData) => {
      const body = parseBody(data.toString()) ?? null
      frames.push(body)
      const frame = { method: 'WEBSOCKET', url, headers, body, time: new Date() }
      this.#listener.onFrame(socket, frame).catch(() => socket.terminate())
    })
  }
}

function recordConnection(
  request: IncomingMessage,
  stream: Duplex,
  frames: readonly Json[],
  isAccepted: boolean,
): RecordedConnection {
  return {
    url: request.url ?? '',
    headers: headersOf(request),
    isAccepted,
    frames,
    closed: stream.destroyed ? Promise.resolve() : once(stream, 'close').then(() => undefined),
    close: () => void stream.destroy(),
    say: () => Promise.reject(new Error('the handshake was not accepted')),
  }
}

function withSocket(connection: RecordedConnection, socket: WebSocket): RecordedConnection {
  return {
    ...connection,
    close: (how) => (how === 'cut' ? socket.terminate() : socket.close(1000)),
    say: async (text) => {
      const taken = once(socket, 'pong')
      socket.send(text)
      socket.ping()
      await taken
    },
  }
}

function refuse(
  stream: Duplex,
  { status, body = '', headers = {} }: Handshake & { kind: 'refuse' },
) {
  const lines = Object.entries({
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`)
  stream.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n${body}`)
}
