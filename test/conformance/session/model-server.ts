/**
 * The scripted model of a session script: it can stop in the middle of an answer, at a named gate,
 * until the script opens it, so that what a client does meanwhile happens at a known point.
 * This file alone knows where the vocabulary of scripted answers lives.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { isObject, type JsonObject } from '../../../src/base/index.ts'
import {
  assistantMessage,
  customToolCall,
  functionCall,
  reasoning,
  responseEvents,
  type ScriptedResponse,
} from '../../../src/core/testing/index.ts'

export { assistantMessage, customToolCall, functionCall, reasoning }

/** Stops the answer before its headers, or before its n-th event (0 is the first). */
export interface Hold {
  readonly gate: string
  readonly before: 'headers' | number
}

export interface ModelStep extends ScriptedResponse {
  readonly holds?: readonly Hold[]
  /** Changes the events of the answer, for what no list of items says. */
  readonly reshape?: (events: JsonObject[]) => JsonObject[]
}

/**
 * A list of answers, or what is answered to a request, given all requests up to it. Scripts are
 * played into both programs at once: they keep nothing of their own.
 */
export type ModelScript =
  | readonly ModelStep[]
  | ((request: AskedModel, index: number, asked: readonly AskedModel[]) => ModelStep)

/** A `POST …/responses`. */
export interface AskedModel {
  readonly headers: { readonly [name: string]: string }
  readonly body: JsonObject
}

interface Gate {
  readonly reached: PromiseWithResolvers<void>
  readonly opened: PromiseWithResolvers<void>
}

export class ModelServer implements AsyncDisposable {
  readonly requests: AskedModel[] = []
  readonly #script: ModelScript
  readonly #gates = new Map<string, Gate>()
  readonly #waiting: { readonly count: number; readonly told: () => void }[] = []
  readonly #server = createServer((request, response) => {
    this.#answer(request, response).catch(() => response.destroy())
  })

  private constructor(script: ModelScript) {
    this.#script = script
  }

  static async start(script: ModelScript): Promise<ModelServer> {
    const server = new ModelServer(script)
    server.#server.listen(0, '127.0.0.1')
    await once(server.#server, 'listening')
    return server
  }

  get baseUrl(): string {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('server is not listening')
    return `http://127.0.0.1:${address.port}/v1`
  }

  /** Resolves once the `count`th request has arrived (1 is the first). */
  received(count: number): Promise<void> {
    if (this.requests.length >= count) return Promise.resolve()
    return new Promise((told) => this.#waiting.push({ count, told }))
  }

  /** Resolves once an answer waits at the gate. */
  reached(gate: string): Promise<void> {
    return this.#gate(gate).reached.promise
  }

  open(gate: string): void {
    this.#gate(gate).opened.resolve()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const gate of this.#gates.values()) gate.opened.resolve()
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }

  #gate(name: string): Gate {
    const gate = this.#gates.get(name) ?? {
      reached: Promise.withResolvers<void>(),
      opened: Promise.withResolvers<void>(),
    }
    this.#gates.set(name, gate)
    return gate
  }

  async #pass(step: ModelStep, place: Hold['before']): Promise<void> {
    for (const { gate, before } of step.holds ?? []) {
      if (before !== place) continue
      this.#gate(gate).reached.resolve()
      await this.#gate(gate).opened.promise
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = await read(request)
    if (!asked) {
      response.writeHead(404, { 'content-type': 'application/json' }).end('{}')
      return
    }
    const index = this.requests.push(asked) - 1
    for (const { count, told } of this.#waiting) if (count <= index + 1) told()
    const step = this.#step(asked, index)
    await this.#pass(step, 'headers')
    if (step.fault?.kind === 'status') {
      const { status, body, headers } = step.fault
      const all = { 'content-type': 'application/json', ...step.headers, ...headers }
      response.writeHead(status, all).end(body)
      return
    }
    response.writeHead(200, { 'content-type': 'text/event-stream', ...step.headers })
    response.flushHeaders()
    await this.#stream(response, step, `resp_${index + 1}`)
  }

  async #stream(response: ServerResponse, step: ModelStep, id: string): Promise<void> {
    const { fault } = step
    if (fault?.kind === 'garbage') {
      response.end(fault.text)
      return
    }
    const events = eventsOf(step, id)
    const stop = fault && 'afterEvents' in fault ? fault.afterEvents : events.length
    for (const [at, event] of events.slice(0, stop).entries()) {
      await this.#pass(step, at)
      await write(response, `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
    }
    if (fault?.kind === 'stall') return
    if (fault?.kind === 'cut') response.destroy()
    else response.end()
  }

  #step(asked: AskedModel, index: number): ModelStep {
    if (typeof this.#script === 'function') return this.#script(asked, index, this.requests)
    const missing = `the script has no step ${index + 1}`
    return this.#script[index] ?? refusal(400, missing)
  }
}

/** An answer with an HTTP status that is no success. */
export function refusal(status: number, body: string): ModelStep {
  return { items: [], fault: { kind: 'status', status, body } }
}

function eventsOf(step: ModelStep, id: string): JsonObject[] {
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
  return step.reshape ? step.reshape(events) : events
}

async function read(request: IncomingMessage): Promise<AskedModel | undefined> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  if (request.method !== 'POST' || !request.url?.endsWith('/responses')) return undefined
  const body: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'))
  if (!isObject(body)) return undefined
  const headers = Object.entries(request.headers).map(([name, value]) => [name, String(value)])
  return { headers: Object.fromEntries(headers), body }
}

/** Resolves when the bytes are with the kernel, or the client is gone. */
function write(response: ServerResponse, text: string): Promise<void> {
  return new Promise((resolve) => {
    if (response.destroyed) resolve()
    else response.write(text, () => resolve())
  })
}
