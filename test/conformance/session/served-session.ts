/**
 * An `app-server` over stdio, one JSON object a line, with a client that can be asked:
 * requests of the server are part of the log, and are answered as the script says.
 */
import { once } from 'node:events'
import {
  isObject,
  type Json,
  type JsonObject,
  objectAt,
  stringAt,
} from '../../../src/base/index.ts'
import { killGroup, startChild } from '../child.ts'
import type { Program } from '../exec-run.ts'
import type { Scratch } from '../scratch.ts'
import { type Answerer, Refused } from './driver.ts'
import { inTime, type WireLog, type WireMessage } from './wire-log.ts'

const EXIT_LIMIT_MS = 10_000

interface Pending {
  readonly resolve: (result: JsonObject) => void
  readonly reject: (error: Error) => void
}

export class ServedSession implements AsyncDisposable {
  answerer: Answerer = () => undefined
  readonly #log: WireLog
  readonly #child: ReturnType<typeof startChild>
  readonly #exited: Promise<void>
  readonly #pending = new Map<number, Pending>()
  #nextId = 1
  #unread = ''
  #stderr = ''

  private constructor(program: Program, scratch: Scratch, log: WireLog) {
    this.#log = log
    const options = { cwd: scratch.project, env: scratch.env }
    this.#child = startChild(program.command, [...program.args, 'app-server'], options)
    this.#exited = once(this.#child, 'close').then(
      () => this.#fail('the app server has exited'),
      (error: unknown) => this.#fail(`the app server could not start: ${error}`),
    )
    this.#child.stdout.on('data', (text: string) => this.#read(text))
    this.#child.stderr.on('data', (text: string) => {
      this.#stderr += text
    })
  }

  static async start(program: Program, scratch: Scratch, log: WireLog): Promise<ServedSession> {
    const session = new ServedSession(program, scratch, log)
    try {
      const clientInfo = { name: 'bobbin_conformance', title: null, version: '0' }
      const capabilities = { experimentalApi: true }
      await session.request('initialize', { clientInfo, capabilities })
      session.#send({ method: 'initialized' })
      return session
    } catch (error) {
      await session[Symbol.asyncDispose]()
      throw error
    }
  }

  /** The result; throws `Refused` with the text of an error answer. */
  request(method: string, params: JsonObject): Promise<JsonObject> {
    const id = this.#nextId++
    const answer = new Promise<JsonObject>((resolve, reject) => {
      this.#pending.set(id, { resolve, reject })
    })
    this.#send({ id, method, params })
    return inTime(answer, () => `no answer to ${method}\n${this.#stderr.slice(-2000)}`)
  }

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
    const told = { method, params: objectAt(message, 'params') ?? {} }
    this.#log.add(told)
    const { id } = message
    if (id !== undefined) void this.#answer(id, told)
  }

  async #answer(id: Json, request: WireMessage): Promise<void> {
    const result = await this.answerer(request)
    if (result) this.#send({ id, result })
  }

  #settle(message: JsonObject): void {
    const pending = this.#pending.get(Number(message.id))
    this.#pending.delete(Number(message.id))
    const error = objectAt(message, 'error')
    if (error) pending?.reject(new Refused(stringAt(error, 'message') ?? JSON.stringify(error)))
    else pending?.resolve(objectAt(message, 'result') ?? {})
  }

  #fail(reason: string): void {
    const error = new Error(`${reason}\n${this.#stderr.slice(-2000)}`)
    for (const pending of this.#pending.values()) pending.reject(error)
    this.#pending.clear()
  }
}
