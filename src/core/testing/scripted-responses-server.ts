import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { WebSocket } from 'ws'
import { checkArguments } from '../arguments.ts'
import type { ModelFault, ScriptedResponse } from '../model/script.ts'
import type { Playing } from './play.ts'
import { playHttp } from './play-http.ts'
import { playWebSocket } from './play-websocket.ts'
import {
  isModelRequest,
  type RecordedModelRequest,
  type RecordedRequest,
  recordRequest,
} from './recorded-request.ts'
import { type Handshake, type RecordedConnection, ScriptedSockets } from './scripted-sockets.ts'

export type ScriptedStep = ScriptedResponse

/** What to answer to each model request: a list in order, or a function of the request. */
export type Script =
  | readonly ScriptedStep[]
  | ((request: RecordedModelRequest, index: number) => ScriptedStep | Promise<ScriptedStep>)

export interface ServerOptions {
  /** Answers the rest once a list is used up; otherwise those requests fail with HTTP 400. */
  readonly otherwise?: ScriptedStep
  /** How the nth WebSocket handshake, from 0, is met; unless told, all are accepted. */
  readonly handshake?: (index: number) => Handshake
  /** Answers a request that is to generate nothing; unless told, an empty response. */
  readonly prewarm?: ScriptedStep
}

interface Waiter {
  readonly count: number
  readonly resolve: (request: RecordedModelRequest) => void
}

/**
 * A model server that plays a script over the Responses API, by HTTP and server-sent events and by
 * WebSocket, and misbehaves where the script says so. It listens on loopback at a free port and
 * records every request. Disposing it destroys all sockets, so that a stalled answer never holds
 * the process.
 */
export class ScriptedResponsesServer implements AsyncDisposable {
  /** Everything that was asked by HTTP, other paths than `/responses` included. */
  readonly requests: RecordedRequest[] = []
  /**
   * The model requests alone, of both transports, in order of arrival: step n answers
   * `modelRequests[n]`.
   */
  readonly modelRequests: RecordedModelRequest[] = []
  /** Requests to generate nothing (`generate: false`); they take no step. */
  readonly prewarms: RecordedModelRequest[] = []
  /** Every client that wanted a WebSocket, whether it got one or not, in order. */
  readonly connections: RecordedConnection[] = []
  readonly #script: Script
  readonly #options: ServerOptions
  readonly #server: Server
  readonly #sockets: ScriptedSockets
  readonly #stopping = new AbortController()
  #waiters: Waiter[] = []

  private constructor(script: Script, options: ServerOptions) {
    this.#script = script
    this.#options = options
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch(() => response.destroy())
    })
    this.#sockets = new ScriptedSockets({
      handshakeFor: (_request, index) => options.handshake?.(index) ?? { kind: 'accept' },
      onConnection: (connection) => this.connections.push(connection),
      onFrame: (socket, frame) => this.#answerFrame(socket, frame),
    })
    this.#server.on('upgrade', (request, stream, head) => {
      this.#sockets.upgrade(request, stream, head)
    })
  }

  static async start(
    script: Script,
    options: ServerOptions = {},
  ): Promise<ScriptedResponsesServer> {
    checkArguments('ScriptedResponsesServer.start', script, options)
    const server = new ScriptedResponsesServer(script, options)
    server.#server.listen(0, '127.0.0.1')
    await once(server.#server, 'listening')
    return server
  }

  get port(): number {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('server is not listening')
    return address.port
  }

  /** Ends in `/v1`, as a provider's `base_url` does. */
  get baseUrl(): string {
    return `http://127.0.0.1:${this.port}/v1`
  }

  /** The `count`th model request (1 is the first), at once or as soon as it has arrived. */
  received(count: number): Promise<RecordedModelRequest> {
    const already = this.modelRequests[count - 1]
    if (already) return Promise.resolve(already)
    return new Promise((resolve) => this.#waiters.push({ count, resolve }))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort()
    this.#sockets[Symbol.dispose]()
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const recorded = await recordRequest(request)
    this.requests.push(recorded)
    if (!isModelRequest(recorded)) {
      response.writeHead(404, { 'content-type': 'application/json' }).end('{}')
      return
    }
    await playHttp(response, await this.#take(recorded))
  }

  async #answerFrame(socket: WebSocket, frame: RecordedRequest): Promise<void> {
    if (!isModelRequest(frame)) return
    if (frame.body.generate !== false) {
      await playWebSocket(socket, await this.#take(frame))
      return
    }
    const responseId = `warm_${this.prewarms.push(frame)}`
    await playWebSocket(socket, this.#playing(this.#options.prewarm ?? { items: [] }, responseId))
  }

  /** Records a request, and answers its step of the script. */
  async #take(request: RecordedModelRequest): Promise<Playing> {
    const index = this.modelRequests.push(request) - 1
    const due = this.#waiters.filter((waiter) => waiter.count === index + 1)
    this.#waiters = this.#waiters.filter((waiter) => !due.includes(waiter))
    for (const waiter of due) waiter.resolve(request)
    return this.#playing(await this.#stepFor(request, index), `resp_${index + 1}`)
  }

  #playing(step: ScriptedStep, responseId: string): Playing {
    const pause = async () => {
      if (step.delayMs) await sleep(step.delayMs, undefined, { signal: this.#stopping.signal })
    }
    return { step, responseId, pause }
  }

  async #stepFor(request: RecordedModelRequest, index: number): Promise<ScriptedStep> {
    if (typeof this.#script === 'function') return this.#script(request, index)
    const missing = `the script has no step ${index + 1}`
    const fault: ModelFault = { kind: 'status', status: 400, body: missing }
    return this.#script[index] ?? this.#options.otherwise ?? { items: [], fault }
  }
}
