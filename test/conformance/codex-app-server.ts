/**
 * A client of real Codex's `app-server` over stdio, one JSON object a line. Requests of the server
 * are kept, and refused unless the test has said how to answer. Closing ends stdin and waits for
 * the exit.
 */
import { once } from 'node:events'

import { isObject, type Json, type JsonObject, objectAt, stringAt } from '../../src/base/index.ts'
import { killGroup, startChild } from './child.ts'
import type { Scratch } from './scratch.ts'

const ANSWER_LIMIT_MS = 30_000
const EXIT_LIMIT_MS = 10_000

export interface ServerNotification {
  readonly method: string
  readonly params: JsonObject
}

/** The result for a request of the server; undefined leaves it open for ever. */
export type AnswerServer = (request: ServerNotification) => JsonObject | undefined

/** An error answer, by its code and text. */
export class RpcError extends Error {
  readonly code: number

  constructor(method: string, error: JsonObject) {
    super(`${method}: ${stringAt(error, 'message') ?? JSON.stringify(error)}`)
    this.name = 'RpcError'
    this.code = typeof error.code === 'number' ? error.code : 0
  }
}

interface Pending {
  readonly method: string
  readonly resolve: (result: JsonObject) => void
  readonly reject: (error: Error) => void
}

interface Waiter {
  readonly isMatch: (notification: ServerNotification) => boolean
  readonly resolve: (notification: ServerNotification) => void
  readonly reject: (error: Error) => void
}

export class CodexAppServer implements AsyncDisposable {
  /** Everything the server told, in order. */
  readonly notifications: ServerNotification[] = []
  /** Everything the server asked, in order. */
  readonly requests: ServerNotification[] = []
  /** How requests of the server are answered. */
  onRequest: AnswerServer | undefined
  readonly #child: ReturnType<typeof startChild>
  readonly #exited: Promise<unknown>
  readonly #pending = new Map<number, Pending>()
  readonly #waiters = new Set<Waiter>()
  #nextId = 1
  #unread = ''
  #stderr = ''

  private constructor(binary: string, scratch: Pick<Scratch, 'project' | 'env'>) {
    const options = { cwd: scratch.project, env: scratch.env }
    this.#child = startChild(binary, ['app-server'], options)
    this.#exited = once(this.#child, 'close').then(
      () => this.#fail('the app server has exited'),
      (error: unknown) => this.#fail(`the app server could not start: ${error}`),
    )
    this.#child.stdout.on('data', (text: string) => this.#read(text))
    this.#child.stderr.on('data', (text: string) => {
      this.#stderr += text
    })
  }

  /** Starts the server on the scratch home and shakes hands. */
  static async start(
    binary: string,
    scratch: Pick<Scratch, 'project' | 'env'>,
  ): Promise<CodexAppServer> {
    const server = new CodexAppServer(binary, scratch)
    try {
      const clientInfo = { name: 'bobbin_conformance', title: null, version: '0' }
      const capabilities = { experimentalApi: true }
      await server.request('initialize', { clientInfo, capabilities })
      server.#send({ method: 'initialized' })
      return server
    } catch (error) {
      await server[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Of the server's process; 0 when it could not start. */
  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** The result; throws `RpcError`, or an error when no answer comes in time. */
  request(method: string, params: JsonObject): Promise<JsonObject> {
    const id = this.#nextId++
    const answer = new Promise<JsonObject>((resolve, reject) => {
      this.#pending.set(id, { method, resolve, reject })
    })
    this.#send({ id, method, params })
    return this.#inTime(answer, `no answer to ${method}`)
  }

  /** The first notification, past or to come, of this method for which the predicate holds. */
  waitFor(
    method: string,
    predicate: (params: JsonObject) => boolean = () => true,
  ): Promise<ServerNotification> {
    const isMatch = (told: ServerNotification) => told.method === method && predicate(told.params)
    const past = this.notifications.find(isMatch)
    if (past) return Promise.resolve(past)
    const told = new Promise<ServerNotification>((resolve, reject) => {
      this.#waiters.add({ isMatch, resolve, reject })
    })
    return this.#inTime(told, `no ${method} notification`)
  }

  /** Runs one turn to its end and answers the `turn` of `turn/completed`. */
  async runTurn(threadId: string, text: string, more: JsonObject = {}): Promise<JsonObject> {
    const input: JsonObject[] = [{ type: 'text', text, text_elements: [] }]
    const { turn } = await this.request('turn/start', { threadId, input, ...more })
    const turnId = isObject(turn) ? stringAt(turn, 'id') : undefined
    const { params } = await this.waitFor('turn/completed', (told) => {
      return objectAt(told, 'turn')?.id === turnId
    })
    return objectAt(params, 'turn') ?? {}
  }

  /** Ends stdin, as a client that hangs up, and waits for the exit; kills after a while. */
  async close(): Promise<void> {
    this.#child.stdin.end()
    const timer = setTimeout(() => killGroup(this.#child), EXIT_LIMIT_MS)
    await this.#exited
    clearTimeout(timer)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #send(message: JsonObject): void {
    this.#child.stdin.write(`${JSON.stringify(message)}\n`)
  }

  #read(text: string): void {
    const lines = (this.#unread + text).split('\n')
    this.#unread = lines.pop() ?? ''
    for (const line of lines) {
      const message: unknown = line === '' ? null : JSON.parse(line)
      if (isObject(message)) this.#receive(message)
    }
  }

  #receive(message: JsonObject): void {
    const method = stringAt(message, 'method')
    if (method === undefined) {
      this.#settle(message)
    } else if (message.id === undefined) {
      this.#tell({ method, params: objectAt(message, 'params') ?? {} })
    } else {
      this.#answer(message.id, { method, params: objectAt(message, 'params') ?? {} })
    }
  }

  #answer(id: Json, request: ServerNotification): void {
    this.requests.push(request)
    if (this.onRequest) {
      const result = this.onRequest(request)
      if (result) this.#send({ id, result })
      return
    }
    this.#send({ id, error: { code: -32601, message: 'not served by this client' } })
  }

  #settle(message: JsonObject): void {
    const pending = this.#pending.get(Number(message.id))
    if (!pending) return
    this.#pending.delete(Number(message.id))
    const error = objectAt(message, 'error')
    if (error) pending.reject(new RpcError(pending.method, error))
    else pending.resolve(objectAt(message, 'result') ?? {})
  }

  #tell(notification: ServerNotification): void {
    this.notifications.push(notification)
    for (const waiter of this.#waiters) {
      if (!waiter.isMatch(notification)) continue
      this.#waiters.delete(waiter)
      waiter.resolve(notification)
    }
  }

  #fail(reason: string): void {
    const error = new Error(`${reason}\n${this.#stderr.slice(-2000)}`)
    for (const pending of this.#pending.values()) pending.reject(error)
    for (const waiter of this.#waiters) waiter.reject(error)
    this.#pending.clear()
    this.#waiters.clear()
  }

  async #inTime<T>(waiting: Promise<T>, failure: string): Promise<T> {
    const timer = setTimeout(
      () => this.#fail(`${failure} in ${ANSWER_LIMIT_MS} ms`),
      ANSWER_LIMIT_MS,
    )
    try {
      return await waiting
    } finally {
      clearTimeout(timer)
    }
  }
}
