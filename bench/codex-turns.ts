/**
 * Real Codex's app server with many loaded threads. A client that costs little: of what the server
 * tells, only the ends of turns and the answers are parsed, and deltas are counted.
 */
import { once } from 'node:events'
import { isObject, type JsonObject, objectAt, stringAt } from '../src/base/index.ts'
import { killGroup, startChild } from '../test/conformance/child.ts'
import type { Scratch } from '../test/conformance/scratch.ts'

const EXIT_LIMIT_MS = 20_000
const ENDED = 'turn/completed'
const DELTA = 'item/agentMessage/delta'

type Waiter = PromiseWithResolvers<JsonObject>

export class CodexTurns implements AsyncDisposable {
  readonly #child: ReturnType<typeof startChild>
  readonly #closed: Promise<unknown>
  readonly #answers = new Map<unknown, Waiter>()
  /** By thread. */
  readonly #ends = new Map<unknown, Waiter>()
  #unread = ''
  #nextId = 1
  #deltas = 0
  #stderr = ''

  private constructor(binary: string, scratch: Scratch) {
    const options = { cwd: scratch.project, env: scratch.env }
    this.#child = startChild(binary, ['app-server'], options)
    this.#child.stdout.on('data', (text: string) => this.#read(text))
    this.#child.stderr.on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-2000)
    })
    this.#closed = once(this.#child, 'close').finally(() => {
      const error = new Error(`the server has ended: ${this.#stderr}`)
      for (const { reject } of [...this.#answers.values(), ...this.#ends.values()]) reject(error)
    })
  }

  /** Starts the server on the scratch home and shakes hands. */
  static async start(binary: string, scratch: Scratch): Promise<CodexTurns> {
    const server = new CodexTurns(binary, scratch)
    try {
      const clientInfo = { name: 'bobbin_bench', title: null, version: '0' }
      await server.#request('initialize', { clientInfo, capabilities: { experimentalApi: true } })
      server.#send({ method: 'initialized' })
      return server
    } catch (error) {
      await server[Symbol.asyncDispose]()
      throw error
    }
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  async startThread(cwd: string): Promise<string> {
    const { thread } = await this.#request('thread/start', { cwd })
    return (isObject(thread) && stringAt(thread, 'id')) || ''
  }

  /** Returns when the turn's end was told. */
  async runTurn(threadId: string, text: string): Promise<void> {
    const ended = Promise.withResolvers<JsonObject>()
    this.#ends.set(threadId, ended)
    const input: JsonObject[] = [{ type: 'text', text, text_elements: [] }]
    await this.#request('turn/start', { threadId, input })
    const turn = objectAt(await ended.promise, 'turn')
    if (turn?.status !== 'completed') throw new Error(`the turn was ${JSON.stringify(turn)}`)
  }

  /** Those that came since this was last asked. */
  takeDeltas(): number {
    const deltas = this.#deltas
    this.#deltas = 0
    return deltas
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin.end()
    const timer = setTimeout(() => killGroup(this.#child), EXIT_LIMIT_MS)
    await this.#closed
    clearTimeout(timer)
  }

  async #request(method: string, params: JsonObject): Promise<JsonObject> {
    const id = this.#nextId++
    const waiter = Promise.withResolvers<JsonObject>()
    this.#answers.set(id, waiter)
    this.#send({ id, method, params })
    const answer = await waiter.promise
    const error = objectAt(answer, 'error')
    if (error) throw new Error(`${method}: ${stringAt(error, 'message')}`)
    return objectAt(answer, 'result') ?? {}
  }

  #send(message: JsonObject): void {
    this.#child.stdin.write(`${JSON.stringify(message)}\n`)
  }

  #read(text: string): void {
    const lines = (this.#unread + text).split('\n')
    this.#unread = lines.pop() ?? ''
    for (const line of lines) this.#receive(line)
  }

  #receive(line: string): void {
    const method = /^{"method":"([^"]+)"/.exec(line)?.[1]
    if (method === DELTA) this.#deltas += 1
    if (method !== undefined && method !== ENDED) return
    const message: unknown = JSON.parse(line)
    if (!isObject(message)) return
    const params = objectAt(message, 'params')
    if (params) this.#ends.get(params.threadId)?.resolve(params)
    else this.#answers.get(message.id)?.resolve(message)
    this.#answers.delete(message.id)
  }
}
