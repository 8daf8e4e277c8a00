import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AppServer, type AppServerOptions, type ClientPort } from '../../src/app-server/index.ts'
import { isObject, type Json, type JsonObject, objectAt, stringAt } from '../../src/base/index.ts'
import { loadConfig } from '../../src/config/index.ts'
import type { PlayedModel, Step } from './played-model.ts'
import { type KitOptions, SessionKit } from './session-kit.ts'
import { resultFault, toldFault } from './told-schemas.ts'

export const INSTALLATION_ID = '00000000-0000-4000-8000-000000000001'

/** What a home of the kit is configured with; the model of the kit answers for the provider. */
export const KIT_CONFIG = `model = "gpt-5.4"
model_provider = "mock"
approval_policy = "never"
sandbox_mode = "danger-full-access"

[model_providers.mock]
name = "mock"
base_url = "http://127.0.0.1:9/v1"
`

/** A notification of the server, or a request that it has made. */
export interface Told {
  readonly method: string
  readonly params: JsonObject
  /** Of a request only. */
  readonly id?: Json
}

/** An answer that is an error. */
export class KitRpcError extends Error {
  override readonly name = 'KitRpcError'
  readonly code: number
  readonly data: Json | undefined

  constructor(error: JsonObject) {
    super(stringAt(error, 'message') ?? JSON.stringify(error))
    this.code = Number(error.code)
    this.data = error.data
  }
}

interface Waiter {
  readonly isMatch: (told: Told) => boolean
  readonly resolve: (told: Told) => void
  readonly reject: (error: Error) => void
}

/** One client of an `AppServer` in this process. */
export class KitClient implements Disposable {
  /** Every message as it came, answers included, in order. */
  readonly messages: JsonObject[] = []
  readonly notifications: Told[] = []
  /** What the server has asked. */
  readonly requests: Told[] = []
  /** How its requests are answered; undefined leaves one open. */
  onRequest: ((request: Told) => JsonObject | undefined) | undefined
  readonly #port: ClientPort
  readonly #pending = new Map<Json, PromiseWithResolvers<JsonObject>>()
  readonly #methods = new Map<Json, string>()
  /** What the server has sent that its schemas do not allow. */
  readonly #faults = new Set<string>()
  #waiters: Waiter[] = []
  #nextId = 1

  constructor(server: Pick<AppServer, 'connect'>) {
    this.#port = server.connect({ send: (text) => this.#receive(JSON.parse(text) as JsonObject) })
  }

  async initialize(
    capabilities: JsonObject = { experimentalApi: true },
    name = 'bobbin_conformance',
  ): Promise<JsonObject> {
    const clientInfo = { name, title: null, version: '0' }
    return this.request('initialize', { clientInfo, capabilities })
  }

  /** The result; rejects with `KitRpcError`. Left out, there are no params. */
  request(method: string, params?: Json): Promise<JsonObject> {
    const id = this.#nextId
    this.#nextId += 1
    const answer = Promise.withResolvers<JsonObject>()
    this.#pending.set(id, answer)
    this.#methods.set(id, method)
    // A test may leave a request unanswered for good; whoever awaits it still gets the error.
    answer.promise.catch(() => undefined)
    this.send({ id, method, ...(params === undefined ? {} : { params }) })
    return answer.promise
  }

  /** The error that answers a request; throws when it succeeds. */
  async refused(method: string, params?: Json): Promise<JsonObject> {
    try {
      const result = await this.request(method, params)
      throw new Error(`${method} has succeeded: ${JSON.stringify(result)}`)
    } catch (error) {
      if (!(error instanceof KitRpcError)) throw error
      const { code, message, data } = error
      return { code, message, ...(data === undefined ? {} : { data }) }
    }
  }

  send(message: JsonObject): void {
    this.#port.receive(JSON.stringify(message))
  }

  /** Answers a request of the server. */
  answer(id: Json, result: Json): void {
    this.send({ id, result })
  }

  /** The first notification, past or to come, of this method for which the predicate holds. */
  waitFor(method: string, is: (params: JsonObject) => boolean = () => true): Promise<Told> {
    return this.#wait(this.notifications, method, is)
  }

  /** The first request of the server, past or to come, likewise. */
  waitForRequest(method: string, is: (params: JsonObject) => boolean = () => true): Promise<Told> {
    return this.#wait(this.requests, method, is)
  }

  /** Names of the notifications so far, in order. */
  told(): string[] {
    return this.notifications.map(({ method }) => method)
  }

  /** Runs one turn to its end: the `turn` of `turn/completed`. */
  async runTurn(threadId: string, text: string, more: JsonObject = {}): Promise<JsonObject> {
    const input: JsonObject[] = [{ type: 'text', text, text_elements: [] }]
    const { turn } = await this.request('turn/start', { threadId, input, ...more })
    const turnId = isObject(turn) ? stringAt(turn, 'id') : undefined
    const { params } = await this.waitFor('turn/completed', (told) => {
      return objectAt(told, 'turn')?.id === turnId
    })
    return objectAt(params, 'turn') ?? {}
  }

  /** Hangs up: what is waited for fails. */
  close(): void {
    this.#port.close()
    const error = new Error('the client has hung up')
    for (const { reject } of [...this.#pending.values(), ...this.#waiters]) reject(error)
    this.#pending.clear()
    this.#waiters = []
  }

  /** Throws when something that was sent is not as its schema says. */
  checkSent(): void {
    assert.deepEqual([...this.#faults], [])
  }

  [Symbol.dispose](): void {
    this.close()
    this.checkSent()
  }

  #wait(past: readonly Told[], method: string, is: (params: JsonObject) => boolean): Promise<Told> {
    const isMatch = (told: Told) => told.method === method && is(told.params)
    const known = past.find(isMatch)
    if (known) return Promise.resolve(known)
    const { promise, resolve, reject } = Promise.withResolvers<Told>()
    // A request and a notification may have one name.
    const isHere = (told: Told) => past.includes(told) && isMatch(told)
    this.#waiters.push({ isMatch: isHere, resolve, reject })
    return promise
  }

  #receive(message: JsonObject): void {
    this.messages.push(message)
    const method = stringAt(message, 'method')
    if (method === undefined) {
      this.#settle(message)
      return
    }
    const { id } = message
    const told: Told = {
      method,
      params: objectAt(message, 'params') ?? {},
      ...(id === undefined ? {} : { id }),
    }
    this.#check(toldFault(id === undefined ? 'told' : 'asked', method, told.params))
    if (id === undefined) this.notifications.push(told)
    else this.requests.push(told)
    const reached = this.#waiters.filter(({ isMatch }) => isMatch(told))
    this.#waiters = this.#waiters.filter((waiter) => !reached.includes(waiter))
    for (const { resolve } of reached) resolve(told)
    const result = id === undefined ? undefined : this.onRequest?.(told)
    // Behind what the server does now: an answer cannot come before the question is out.
    if (result !== undefined && id !== undefined) queueMicrotask(() => this.answer(id, result))
  }

  #check(fault: string | undefined): void {
    if (fault !== undefined) this.#faults.add(fault)
  }

  #settle({ id = null, result, error }: JsonObject): void {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    const method = this.#methods.get(id)
    if (method !== undefined && result !== undefined) this.#check(resultFault(method, result))
    if (isObject(error)) pending?.reject(new KitRpcError(error))
    else pending?.resolve(isObject(result) ? result : {})
  }
}

export interface AppServerKitOptions extends KitOptions {
  /** Text of `config.toml`, instead of `KIT_CONFIG`. */
  readonly config?: string
  readonly server?: Partial<AppServerOptions>
}

/** A home, threads over a played model, an `AppServer` and one client that has shaken hands. */
export class AppServerKit implements AsyncDisposable {
  readonly session: SessionKit
  readonly server: AppServer
  readonly client: KitClient
  readonly #clients = new Set<KitClient>()

  private constructor(session: SessionKit, options: AppServerKitOptions) {
    this.session = session
    const { home, project, clock, store, manager } = session
    this.server = new AppServer({
      runtime: () => ({ manager, store }),
      clock,
      home,
      cwd: project,
      version: '0.0.0',
      loadConfig: (overrides) => loadConfig({ home, environment: {}, overrides }),
      installationId: async () => INSTALLATION_ID,
      ...options.server,
    })
    this.client = this.#open()
  }

  static async open(
    steps: readonly Step[] = [],
    options: AppServerKitOptions = {},
  ): Promise<AppServerKit> {
    const session = await SessionKit.open(steps, options)
    await writeFile(join(session.home, 'config.toml'), options.config ?? KIT_CONFIG)
    const kit = new AppServerKit(session, options)
    await kit.client.initialize()
    return kit
  }

  get home(): string {
    return this.session.home
  }

  get project(): string {
    return this.session.project
  }

  get model(): PlayedModel {
    return this.session.model
  }

  /** One more client; it has shaken hands unless `initialize` is false. */
  async connect({ initialize = true } = {}): Promise<KitClient> {
    const client = this.#open()
    if (initialize) await client.initialize()
    return client
  }

  /** Starts a thread in the project and answers its id. */
  async startThread(params: JsonObject = {}): Promise<string> {
    const { thread } = await this.client.request('thread/start', params)
    return (isObject(thread) && stringAt(thread, 'id')) || ''
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.close()
    await this.server[Symbol.asyncDispose]()
    await this.session[Symbol.asyncDispose]()
    for (const client of this.#clients) client.checkSent()
  }

  #open(): KitClient {
    const client = new KitClient(this.server)
    this.#clients.add(client)
    return client
  }
}
