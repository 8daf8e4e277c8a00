/**
 * A model server that plays a script over the Responses API: HTTP in, server-sent events out.
 * It listens on loopback at a free port and records every request. Disposing it destroys all
 * sockets, so that a stalled answer never holds the process.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { zstdDecompress } from 'node:zlib'

import { isObject, type Json, type JsonObject } from '../../src/base/index.ts'
import {
  type ModelFault,
  responseEvents,
  type ScriptedResponse,
} from '../../src/core/model/script.ts'

export type ScriptedStep = ScriptedResponse

/** What to answer to each model request: a list in order, or a function of the request. */
export type Script =
  | readonly ScriptedStep[]
  | ((request: ModelRequest, index: number) => ScriptedStep | Promise<ScriptedStep>)

export interface RecordedRequest {
  readonly method: string
  readonly url: string
  readonly headers: { readonly [name: string]: string }
  /** Parsed JSON; the plain text when it is none; undefined when there was no body. */
  readonly body: Json | undefined
  readonly time: Date
}

/** A `POST …/responses`: the only kind that takes a step from the script. */
export interface ModelRequest extends RecordedRequest {
  readonly body: JsonObject
}

export interface ServerOptions {
  /** Answers the rest once a list is used up; otherwise those requests fail with HTTP 400. */
  readonly otherwise?: ScriptedStep
}

interface Waiter {
  readonly count: number
  readonly resolve: (request: ModelRequest) => void
}

const decompressZstd = promisify(zstdDecompress)

export class ScriptedResponsesServer implements AsyncDisposable {
  /** Everything that was asked, other paths than `/responses` included. */
  readonly requests: RecordedRequest[] = []
  /** The model requests alone, in order of arrival: step n answers `modelRequests[n]`. */
  readonly modelRequests: ModelRequest[] = []
  readonly #script: Script
  readonly #options: ServerOptions
  readonly #server: Server
  readonly #stopping = new AbortController()
  #waiters: Waiter[] = []

  private constructor(script: Script, options: ServerOptions) {
    this.#script = script
    this.#options = options
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch(() => response.destroy())
    })
  }

  static async start(script: Script, options: ServerOptions = {}) {
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
  received(count: number): Promise<ModelRequest> {
    const already = this.modelRequests[count - 1]
    if (already) return Promise.resolve(already)
    return new Promise((resolve) => this.#waiters.push({ count, resolve }))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort()
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const recorded = await record(request)
    this.requests.push(recorded)
    if (!isModelRequest(recorded)) {
      response.writeHead(404, { 'content-type': 'application/json' }).end('{}')
      return
    }
    const index = this.modelRequests.push(recorded) - 1
    const due = this.#waiters.filter((waiter) => waiter.count === index + 1)
    this.#waiters = this.#waiters.filter((waiter) => !due.includes(waiter))
    for (const waiter of due) waiter.resolve(recorded)
    const step = await this.#stepFor(recorded, index)
    await this.#play(response, `resp_${index + 1}`, step)
  }

  async #play(response: ServerResponse, id: string, step: ScriptedStep): Promise<void> {
    const { fault } = step
    if (fault?.kind === 'status') {
      await this.#pause(step)
      const headers = { 'content-type': 'application/json', ...step.headers, ...fault.headers }
      response.writeHead(fault.status, headers).end(fault.body)
      return
    }
    response.writeHead(200, { 'content-type': 'text/event-stream', ...step.headers })
    response.flushHeaders()
    await this.#pause(step)
    if (fault?.kind === 'garbage') {
      response.end(fault.text)
      return
    }
    const events = eventsOf(id, step)
    const stop = fault && 'afterEvents' in fault ? fault.afterEvents : events.length
    for (const [at, event] of events.slice(0, stop).entries()) {
      if (isDelta(event) && isDelta(events[at - 1])) await this.#pause(step)
      await write(response, `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
    }
    if (fault?.kind === 'stall') return
    if (fault?.kind === 'cut') response.destroy()
    else response.end()
  }

  async #pause(step: ScriptedStep): Promise<void> {
    if (step.delayMs) await sleep(step.delayMs, undefined, { signal: this.#stopping.signal })
  }

  async #stepFor(request: ModelRequest, index: number): Promise<ScriptedStep> {
    if (typeof this.#script === 'function') return this.#script(request, index)
    const missing = `the script has no step ${index + 1}`
    const fault: ModelFault = { kind: 'status', status: 400, body: missing }
    return this.#script[index] ?? this.#options.otherwise ?? { items: [], fault }
  }
}

async function record(request: IncomingMessage): Promise<RecordedRequest> {
  const time = new Date()
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const raw = Buffer.concat(chunks)
  const headers: { [name: string]: string } = {}
  for (const [name, value] of Object.entries(request.headers)) headers[name] = String(value)
  const isZstd = headers['content-encoding'] === 'zstd'
  const text = (isZstd ? await decompressZstd(raw) : raw).toString('utf8')
  const { method = '', url = '' } = request
  return { method, url, headers, body: parseBody(text), time }
}

function parseBody(text: string): Json | undefined {
  if (text === '') return undefined
  try {
    return JSON.parse(text) as Json
  } catch {
    return text // Not JSON: the test sees what was sent.
  }
}

function isModelRequest(request: RecordedRequest): request is ModelRequest {
  const path = request.url.split('?', 1)[0] ?? ''
  return request.method === 'POST' && path.endsWith('/responses') && isObject(request.body)
}

function isDelta(event: JsonObject | undefined): boolean {
  return event?.type === 'response.output_text.delta'
}

/** A `failed` or `incomplete` fault takes the place of `response.completed`. */
function eventsOf(id: string, step: ScriptedStep): JsonObject[] {
  const events = responseEvents(step, id)
  const { fault } = step
  if (fault?.kind === 'failed') {
    const response = { id, status: 'failed', error: fault.error }
    return events.with(-1, { type: 'response.failed', response })
  }
  if (fault?.kind === 'incomplete') {
    const response = { id, status: 'incomplete', incomplete_details: { reason: fault.reason } }
    return events.with(-1, { type: 'response.incomplete', response })
  }
  return events
}

/** Resolves when the bytes are with the kernel, or the client is gone. */
function write(response: ServerResponse, text: string): Promise<void> {
  return new Promise((resolve) => {
    if (response.destroyed) resolve()
    else response.write(text, () => resolve())
  })
}
