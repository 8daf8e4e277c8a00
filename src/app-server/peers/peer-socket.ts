import type { ClientRequestArgs } from 'node:http'
import { createConnection } from 'node:net'
import { WebSocket } from 'ws'
import { type Clock, errorCode, TaskScope } from '../../base/index.ts'
import { MOST_MESSAGE_BYTES } from './peer-listener.ts'

/** A peer that is asked something and is silent for two of these hangs. */
export const LIVENESS_MS = 5000

/** Why a connection is over. */
export type PeerEnd = 'refused' | 'silent' | 'closed'

export interface PeerSocketOptions {
  readonly path: string
  readonly clock: Clock
  readonly onText: (text: string) => void
  /** Whether something is waited for. */
  readonly isWaiting: () => boolean
  readonly onEnd: (end: PeerEnd) => void
}

/** A connection to a peer: whole texts, and an end that is told once. */
export class PeerSocket implements AsyncDisposable {
  readonly #options: PeerSocketOptions
  readonly #socket: WebSocket
  readonly #scope: TaskScope
  readonly #gone = Promise.withResolvers<void>()
  #end: PeerEnd = 'closed'
  #hasHeard = true

  constructor(options: PeerSocketOptions) {
    this.#options = options
    const how: WebSocket.ClientOptions & ClientRequestArgs = {
      createConnection: () => createConnection(options.path),
      maxPayload: MOST_MESSAGE_BYTES,
      perMessageDeflate: false,
    }
    this.#socket = new WebSocket('ws://peer/', how)
    this.#scope = new TaskScope((error) => this.#fail(error))
    this.#socket.on('open', () => this.#scope.run((signal) => this.#watch(signal)))
    this.#socket.on('message', (data, isBinary) => {
      this.#hasHeard = true
      if (!isBinary) options.onText(String(data))
    })
    this.#socket.on('pong', () => {
      this.#hasHeard = true
    })
    this.#socket.on('error', (error) => this.#fail(error))
    this.#socket.on('close', () => {
      void this.#scope[Symbol.asyncDispose]()
      options.onEnd(this.#end)
      this.#gone.resolve()
    })
  }

  /** Resolves when texts can be sent; false when that never came. */
  async open(): Promise<boolean> {
    const opened = new Promise<boolean>((done) => this.#socket.once('open', () => done(true)))
    return await Promise.race([opened, this.#gone.promise.then(() => false)])
  }

  get waitingBytes(): number {
    return this.#socket.bufferedAmount
  }

  send(text: string): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(text)
  }

  /** Cuts a connection that is of no use any more. */
  cut(end: PeerEnd): void {
    this.#end = end
    this.#socket.terminate()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.terminate()
    await this.#gone.promise
  }

  /** `close` follows. */
  #fail(error: unknown): void {
    const code = errorCode(error)
    if (code === 'ECONNREFUSED' || code === 'ENOENT') this.#end = 'refused'
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { clock, isWaiting } = this.#options
    for (;;) {
      await clock.sleep(LIVENESS_MS, signal)
      if (isWaiting() && !this.#hasHeard) break
      this.#hasHeard = !isWaiting()
      if (!this.#hasHeard) this.#socket.ping()
    }
    this.cut('silent')
  }
}
