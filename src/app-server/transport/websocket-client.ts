import { WebSocket } from 'ws'
import { type Clock, errorText } from '../../base/index.ts'
import type { ClientPort } from '../app-server.ts'
import { BoundedWire, type WireLimits } from './bounded-wire.ts'
import type { Serving } from './transport.ts'

const GOODBYE_LIMIT_MS = 2000

/** Close codes of RFC 6455 and its registry. */
const GOING_AWAY = 1001
const TRY_AGAIN_LATER = 1013

export interface WebSocketClientOptions {
  readonly socket: WebSocket
  readonly serving: Serving
  readonly clock: Clock
  readonly limits?: WireLimits
}

/** A client of the server at the other end of a WebSocket: a message is one JSON text. */
export class WebSocketClient {
  /** Resolves when the connection is gone; never rejects. */
  readonly gone: Promise<void>
  readonly #options: WebSocketClientOptions
  readonly #wire: BoundedWire
  readonly #port: ClientPort

  constructor(options: WebSocketClientOptions) {
    this.#options = options
    const { socket, serving } = options
    this.#wire = this.#openWire()
    this.#port = serving.connect(this.#wire)
    socket.on('message', (data, isBinary) => {
      if (isBinary) this.#port.refuse('a message is a text frame')
      else this.#port.receive(String(data))
    })
    // A frame against the rules, or too large: the socket closes itself behind it.
    socket.on('error', (error) => serving.log(`disconnecting a client: ${errorText(error)}`))
    this.gone = new Promise((done) => {
      socket.once('close', () => {
        this.#leave()
        done()
      })
    })
  }

  /** Sends what waits, then says goodbye; the connection is cut when that takes too long. */
  async close(code = GOING_AWAY, reason = 'the server stops'): Promise<void> {
    const { socket, clock } = this.#options
    this.#wire.end()
    socket.resume()
    socket.close(code, reason)
    const waiting = new AbortController()
    const late = clock.sleep(GOODBYE_LIMIT_MS, waiting.signal).then(
      () => socket.terminate(),
      () => undefined,
    )
    await Promise.race([this.gone, late])
    waiting.abort()
  }

  #openWire(): BoundedWire {
    const { socket, serving, limits } = this.#options
    return new BoundedWire(
      {
        // Whatever became of it, it waits no more: the end of the socket is told by itself.
        write: (text, sent) => socket.send(text, () => sent()),
        get waitingBytes() {
          return socket.bufferedAmount
        },
        pauseInput: () => socket.pause(),
        resumeInput: () => {
          if (socket.readyState === WebSocket.OPEN) socket.resume()
        },
        overflow: (reason) => {
          serving.log(`disconnecting slow connection: ${reason}`)
          this.#leave()
          void this.close(TRY_AGAIN_LATER, 'too slow')
        },
      },
      limits,
    )
  }

  #leave(): void {
    this.#wire.end()
    this.#port.close()
  }
}
