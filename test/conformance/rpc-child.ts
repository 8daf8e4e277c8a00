/** A child process spoken to in JSON-RPC over its input and output, one object a line. */
import { once } from 'node:events'
import { isObject, type Json, type JsonObject, objectAt, stringAt } from '../../src/base/index.ts'
import { killGroup, startChild } from './child.ts'
import type { Scratch } from './scratch.ts'

const EXIT_LIMIT_MS = 10_000

/** What the child told or, with its id beside it, asked. */
export interface RpcCall {
  readonly method: string
  readonly params: JsonObject
}

/** An error answer, by its code and text. */
export class RpcError extends Error {
  override readonly name = 'RpcError'
  readonly code: number
  /** As the server said it. */
  readonly text: string

  constructor(method: string, error: JsonObject) {
    const text = stringAt(error, 'message') ?? JSON.stringify(error)
    super(`${method}: ${text}`)
    this.code = typeof error.code === 'number' ? error.code : 0
    this.text = text
  }
}

export interface RpcReceiver {
  tell(told: RpcCall): void
  /** Answered with `answer`, now, later or never. */
  ask(id: Json, asked: RpcCall): void
  /** The child has ended: nothing comes any more. */
  end(error: Error): void
}

interface Pending {
  readonly method: string
  readonly resolve: (result: JsonObject) => void
  readonly reject: (error: Error) => void
}

export class RpcChild implements AsyncDisposable {
  readonly #receiver: RpcReceiver
  readonly #child: ReturnType<typeof startChild>
  readonly #exited: Promise<void>
  readonly #pending = new Map<number, Pending>()
  #nextId = 1
  #unread = ''
  #stderr = ''

  constructor(
    command: readonly [string, ...string[]],
    scratch: Pick<Scratch, 'project' | 'env'>,
    receiver: RpcReceiver,
  ) {
    this.#receiver = receiver
    const [program, ...args] = command
    this.#child = startChild(program, args, { cwd: scratch.project, env: scratch.env })
    this.#exited = once(this.#child, 'close').then(
      () => this.fail('the app server has exited'),
      (error: unknown) => this.fail(`the app server could not start: ${error}`),
    )
    this.#child.stdout.on('data', (text: string) => this.#read(text))
    this.#child.stderr.on('data', (text: string) => {
      this.#stderr += text
    })
  }

  /** Of the process; 0 when it could not start. */
  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** The end of what it has said on stderr. */
  get lastWords(): string {
    return this.#stderr.slice(-2000)
  }

  async shakeHands(): Promise<void> {
    const clientInfo = { name: 'bobbin_conformance', title: null, version: '0' }
    await this.request('initialize', { clientInfo, capabilities: { experimentalApi: true } })
    this.#send({ method: 'initialized' })
  }

  /** The result; throws `RpcError`. Waits without an end for a child that says nothing. */
  request(method: string, params: JsonObject): Promise<JsonObject> {
    const id = this.#nextId++
    const answer = new Promise<JsonObject>((resolve, reject) => {
      this.#pending.set(id, { method, resolve, reject })
    })
    this.#send({ id, method, params })
    return answer
  }

  answer(id: Json, result: JsonObject): void {
    this.#send({ id, result })
  }

  refuse(id: Json): void {
    this.#send({ id, error: { code: -32601, message: 'not served by this client' } })
  }

  /** All that waits for the child waits no longer. */
  fail(reason: string): void {
    const error = new Error(`${reason}\n${this.lastWords}`)
    for (const pending of this.#pending.values()) pending.reject(error)
    this.#pending.clear()
    this.#receiver.end(error)
  }

  /** Ends stdin, as a client that hangs up, and waits for the exit; kills after a while. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin.end()
    const timer = setTimeout(() => killGroup(this.#child), EXIT_LIMIT_MS)
    await this.#exited
    clearTimeout(timer)
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
      return
    }
    const call = { method, params: objectAt(message, 'params') ?? {} }
    if (message.id === undefined) this.#receiver.tell(call)
    else this.#receiver.ask(message.id, call)
  }

  #settle(message: JsonObject): void {
    const pending = this.#pending.get(Number(message.id))
    if (!pending) return
    this.#pending.delete(Number(message.id))
    const error = objectAt(message, 'error')
    if (error) pending.reject(new RpcError(pending.method, error))
    else pending.resolve(objectAt(message, 'result') ?? {})
  }
}
