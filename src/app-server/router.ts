import type { z } from 'zod/mini'
import { errorText, type Json, type JsonObject } from '../base/index.ts'
import type { Connection } from './connection.ts'
import { invalid, overloaded, RpcError, type RpcRequest } from './protocol/jsonrpc.ts'
import { experimentalUse, type Method, parseParams } from './protocol/method.ts'
import { METHOD_NAMES } from './protocol/method-names.ts'
import { variantText } from './protocol/serde-text.ts'
import { toRpcError } from './rpc-errors.ts'

export interface RequestContext {
  readonly connection: Connection
  /** Runs once the response has been sent: what the response causes is told behind it. */
  readonly after: (work: () => void) => void
}

/** A method and who serves it. The result is what the client gets. */
export interface Route {
  readonly method: Method
  readonly run: (params: never, context: RequestContext) => Promise<JsonObject>
}

export function route<Params extends z.ZodMiniType>(
  method: Method<Params>,
  run: (params: z.output<Params>, context: RequestContext) => Promise<JsonObject>,
): Route {
  return { method: method as unknown as Method, run: run as Route['run'] }
}

/**
 * More requests than this, of all clients, are not taken; but one of a client that has none is: who
 * asks much does not keep others from being served. Source: `app-server.md` 13.4.
 */
const MOST_REQUESTS = 128

/**
 * Asked before a request is served here. Undefined, or a promise of false, lets it be; with true
 * the client has its answer. May throw `RpcError`.
 */
export type TryForward = (
  connection: Connection,
  request: RpcRequest,
) => Promise<boolean> | undefined

export interface RouterOptions {
  /** Served at once. */
  readonly first: readonly Route[]
  /** Loaded by the first request for none of those. */
  readonly loadOthers: () => Promise<readonly Route[]>
  readonly tryForward: TryForward
}

/**
 * Serves requests: in order within a queue key, beside each other otherwise. Every request gets one
 * answer.
 */
export class Router {
  readonly #routes: Map<string, Route>
  readonly #options: RouterOptions
  #others: Promise<void> | undefined
  #hasOthers = false
  readonly #queues = new Map<string, Promise<void>>()
  readonly #running = new Set<Promise<void>>()
  /** How many of them each client has. */
  readonly #counts = new Map<Connection, number>()

  constructor(options: RouterOptions) {
    this.#options = options
    this.#routes = new Map(options.first.map((each) => [each.method.name, each]))
  }

  /** All that are served. */
  async methods(): Promise<Method[]> {
    await this.#loadOthers()
    return [...this.#routes.values()].map(({ method }) => method)
  }

  /** Resolves when nothing is being served; never rejects. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running)
  }

  take(connection: Connection, request: RpcRequest): void {
    const count = this.#counts.get(connection) ?? 0
    if (this.#running.size >= MOST_REQUESTS && count > 0) {
      connection.fail(request.id, overloaded())
      return
    }
    this.#counts.set(connection, count + 1)
    const running: Promise<void> = this.#admit(connection, request).finally(() => {
      this.#running.delete(running)
      const left = (this.#counts.get(connection) ?? 1) - 1
      if (left > 0) this.#counts.set(connection, left)
      else this.#counts.delete(connection)
    })
    this.#running.add(running)
  }

  /** While others are loaded, all wait for them: requests keep their order. */
  #admit(connection: Connection, request: RpcRequest): Promise<void> {
    const serve = () => this.#serve(connection, request)
    const isReady = this.#hasOthers || (!this.#others && this.#routes.has(request.method))
    if (isReady) return serve()
    return this.#loadOthers().then(serve, (error) => {
      connection.fail(request.id, toRpcError(error))
    })
  }

  #loadOthers(): Promise<void> {
    this.#others ??= this.#options.loadOthers().then(
      (others) => {
        for (const each of others) this.#routes.set(each.method.name, each)
        this.#hasOthers = true
      },
      (error) => {
        this.#others = undefined
        throw error
      },
    )
    return this.#others
  }

  async #serve(connection: Connection, request: RpcRequest): Promise<void> {
    try {
      const { found, params } = this.#parse(connection, request)
      const key = found.method.queueKey?.(params as never)
      const run = () => this.#run(connection, request, found, params)
      await (key === undefined ? run() : this.#inOrder(key, run))
    } catch (error) {
      connection.fail(request.id, toRpcError(error))
    }
  }

  #parse(connection: Connection, { method, params: sent }: RpcRequest) {
    const found = this.#routes.get(method)
    if (!found) throw unknownMethod(method, connection.client !== undefined)
    const params: unknown = parseParams(found.method, sent)
    if (!connection.client) throw invalid('Not initialized')
    const use = experimentalUse(found.method, sent)
    if (use !== undefined && !connection.client.hasExperimentalApi) {
      throw invalid(`${use} requires experimentalApi capability`)
    }
    return { found, params }
  }

  async #run(
    connection: Connection,
    request: RpcRequest,
    { run }: Route,
    params: unknown,
  ): Promise<void> {
    // Nobody waits for it any more.
    if (connection.isClosed) return
    const forwarding = this.#options.tryForward(connection, request)
    if (forwarding && (await forwarding)) return
    const behind: (() => void)[] = []
    const context = { connection, after: (work: () => void) => void behind.push(work) }
    let result: Json
    try {
      result = await run(params as never, context)
    } catch (error) {
      connection.fail(request.id, toRpcError(error))
      for (const work of behind) work()
      return
    }
    connection.respond(request.id, result)
    for (const work of behind) {
      try {
        work()
      } catch (error) {
        process.emitWarning(`behind ${request.method}: ${errorText(error)}`)
      }
    }
  }

  async #inOrder(key: string, run: () => Promise<void>): Promise<void> {
    const before = this.#queues.get(key)
    const running = before ? before.then(run) : run()
    this.#queues.set(key, running)
    try {
      await running
    } finally {
      if (this.#queues.get(key) === running) this.#queues.delete(key)
    }
  }
}

/** Newer clients know by the text that they speak to 0.133.0's protocol. */
function unknownMethod(name: string, isInitialized: boolean): RpcError {
  const isKnown = METHOD_NAMES.some((each) => each === name)
  if (isKnown && !isInitialized) return invalid('Not initialized')
  if (isKnown) return new RpcError('methodNotFound', `method not supported by Bobbin: ${name}`)
  return invalid(`Invalid request: ${variantText(name, METHOD_NAMES)}`)
}
