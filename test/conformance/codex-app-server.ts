/**
 * A client of an `app-server` over stdio, real Codex's or another with its command line: one JSON
 * object a line. Requests of the server are kept, and refused unless the test has said how to
 * answer. Closing ends stdin and waits for the exit.
 */
import { isObject, type JsonObject, objectAt, stringAt } from '../../src/base/index.ts'
import type { Program } from './exec-run.ts'
import { RpcChild, type RpcCall as ServerNotification } from './rpc-child.ts'
import type { Scratch } from './scratch.ts'

export { RpcError } from './rpc-child.ts'
export type { ServerNotification }

const ANSWER_LIMIT_MS = 30_000

/** The result for a request of the server; undefined leaves it open for ever. */
export type AnswerServer = (request: ServerNotification) => JsonObject | undefined

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
  readonly #child: RpcChild
  readonly #waiters = new Set<Waiter>()

  private constructor(program: string | Program, scratch: Pick<Scratch, 'project' | 'env'>) {
    const { command, args } = typeof program === 'string' ? { command: program, args: [] } : program
    this.#child = new RpcChild([command, ...args, 'app-server'], scratch, {
      tell: (told) => this.#tell(told),
      ask: (id, asked) => {
        this.requests.push(asked)
        const result = this.onRequest?.(asked)
        if (result) this.#child.answer(id, result)
        else if (!this.onRequest) this.#child.refuse(id)
      },
      end: (error) => {
        for (const waiter of this.#waiters) waiter.reject(error)
        this.#waiters.clear()
      },
    })
  }

  /** Starts the server on the scratch home and shakes hands. */
  static async start(
    program: string | Program,
    scratch: Pick<Scratch, 'project' | 'env'>,
  ): Promise<CodexAppServer> {
    const server = CodexAppServer.open(program, scratch)
    try {
      await server.#inTime(server.#child.shakeHands(), 'no handshake')
      return server
    } catch (error) {
      await server[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Without a handshake. */
  static open(
    program: string | Program,
    scratch: Pick<Scratch, 'project' | 'env'>,
  ): CodexAppServer {
    return new CodexAppServer(program, scratch)
  }

  /** Of the server's process; 0 when it could not start. */
  get pid(): number {
    return this.#child.pid
  }

  /** The result; throws `RpcError`, or an error when no answer comes in time. */
  request(method: string, params: JsonObject): Promise<JsonObject> {
    return this.#inTime(this.#child.request(method, params), `no answer to ${method}`)
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
    await this.#child[Symbol.asyncDispose]()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #tell(notification: ServerNotification): void {
    this.notifications.push(notification)
    for (const waiter of this.#waiters) {
      if (!waiter.isMatch(notification)) continue
      this.#waiters.delete(waiter)
      waiter.resolve(notification)
    }
  }

  async #inTime<T>(waiting: Promise<T>, failure: string): Promise<T> {
    const timer = setTimeout(
      () => this.#child.fail(`${failure} in ${ANSWER_LIMIT_MS} ms`),
      ANSWER_LIMIT_MS,
    )
    try {
      return await waiting
    } finally {
      clearTimeout(timer)
    }
  }
}
