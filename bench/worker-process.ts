/** A process of the bench that runs Bobbin: a JSON object a line in, one out. */
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isObject, type JsonObject, numberAt, stringAt } from '../src/base/index.ts'
import { startChild } from '../test/conformance/child.ts'
import { readLinesOf } from './line-pipe.ts'

/** The command line of Bobbin keeps its compiled code too, and in the same place. */
const COMPILE_CACHE = join(tmpdir(), 'node-compile-cache')

export class WorkerProcess implements AsyncDisposable {
  readonly #child: ReturnType<typeof startChild>
  readonly #lines: AsyncGenerator<string>

  /** `file` lies in this folder; `more` goes into its environment. */
  constructor(file: string, args: readonly string[], more: { [name: string]: string } = {}) {
    const path = join(import.meta.dirname, file)
    const env = { PATH: process.env.PATH ?? '', NODE_COMPILE_CACHE: COMPILE_CACHE, ...more }
    const options = { cwd: import.meta.dirname, env }
    this.#child = startChild(process.execPath, [path, ...args], options)
    this.#child.stderr.on('data', (text: string) => process.stderr.write(text))
    this.#lines = readLinesOf(this.#child.stdout)
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** Throws what the worker answers as `error`. */
  async ask(question: JsonObject): Promise<JsonObject> {
    this.#child.stdin.write(`${JSON.stringify(question)}\n`)
    const { value, done } = await this.#lines.next()
    if (done) throw new Error('a worker of the bench has ended early')
    const answer: unknown = JSON.parse(value)
    if (!isObject(answer)) throw new Error(`a worker answered ${value}`)
    const error = stringAt(answer, 'error')
    if (error !== undefined) throw new Error(error)
    return answer
  }

  /** The `ms` of the answer. Throws when there was nothing to find: that is another measure. */
  async time(question: JsonObject): Promise<number> {
    const answer = await this.ask(question)
    if (answer.count === 0) throw new Error('it found nothing')
    return numberAt(answer, 'ms') ?? Number.NaN
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin.end()
    if (this.#child.exitCode === null) await new Promise((done) => this.#child.once('close', done))
  }
}
