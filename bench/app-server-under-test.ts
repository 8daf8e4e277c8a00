/**
 * An app server over stdio as the bench drives it. Times end when the answer's last byte is here:
 * reading what it says is the client's work, and answers can be of many megabytes.
 */
import { once } from 'node:events'
import { isObject, type JsonObject, objectAt, stringAt } from '../src/base/index.ts'
import { killGroup, startChild } from '../test/conformance/child.ts'
import type { Scratch } from '../test/conformance/scratch.ts'

const EXIT_LIMIT_MS = 20_000
const ANSWER_LIMIT_MS = 600_000

/** A program and what it is given before the word `app-server`. */
export type Command = readonly [program: string, ...args: string[]]

/** An answer that came, and what it took. */
export interface TimedAnswer {
  readonly ms: number
  readonly result: JsonObject
}

export class AppServerUnderTest implements AsyncDisposable {
  readonly #child: ReturnType<typeof startChild>
  readonly #closed: Promise<unknown>
  /** The line that is arriving, in the pieces in which it came. */
  #pieces: string[] = []
  #lines: { readonly text: string; readonly atMs: number }[] = []
  #wake: (() => void) | undefined
  #isClosed = false
  #nextId = 1
  #stderr = ''

  private constructor([command, ...args]: Command, scratch: Scratch) {
    const options = { cwd: scratch.project, env: scratch.env }
    this.#child = startChild(command, [...args, 'app-server'], options)
    this.#child.stdout.on('data', (text: string) => this.#receive(text))
    this.#child.stderr.on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-2000)
    })
    this.#closed = once(this.#child, 'close').finally(() => {
      this.#isClosed = true
      this.#wake?.()
    })
  }

  /** Starts the server on the scratch home and shakes hands. */
  static async start(command: Command, scratch: Scratch): Promise<AppServerUnderTest> {
    const server = new AppServerUnderTest(command, scratch)
    try {
      const clientInfo = { name: 'bobbin_bench', title: null, version: '0' }
      await server.request('initialize', { clientInfo, capabilities: { experimentalApi: true } })
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

  /** One request at a time. Throws what the server answers as an error. */
  async request(method: string, params: JsonObject): Promise<TimedAnswer> {
    const id = this.#nextId++
    const fromMs = performance.now()
    this.#send({ id, method, params })
    const timer = setTimeout(() => killGroup(this.#child), ANSWER_LIMIT_MS)
    try {
      for (;;) {
        const { text, atMs } = await this.#nextLine(method)
        const answer: unknown = JSON.parse(text)
        if (!isObject(answer) || answer.id !== id || answer.method !== undefined) continue
        const error = objectAt(answer, 'error')
        if (error) throw new Error(`${method}: ${stringAt(error, 'message')}`)
        return { ms: atMs - fromMs, result: objectAt(answer, 'result') ?? {} }
      }
    } finally {
      clearTimeout(timer)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin.end()
    const timer = setTimeout(() => killGroup(this.#child), EXIT_LIMIT_MS)
    await this.#closed
    clearTimeout(timer)
  }

  #send(message: JsonObject): void {
    this.#child.stdin.write(`${JSON.stringify(message)}\n`)
  }

  #receive(text: string): void {
    const atMs = performance.now()
    const lines = text.split('\n')
    const rest = lines.pop() ?? ''
    for (const line of lines) {
      this.#lines.push({ text: this.#pieces.join('') + line, atMs })
      this.#pieces = []
    }
    this.#pieces.push(rest)
    if (lines.length > 0) this.#wake?.()
  }

  async #nextLine(method: string): Promise<{ readonly text: string; readonly atMs: number }> {
    for (;;) {
      const line = this.#lines.shift()
      if (line !== undefined) return line
      if (this.#isClosed) throw new Error(`${method}: the server has ended: ${this.#stderr}`)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}
