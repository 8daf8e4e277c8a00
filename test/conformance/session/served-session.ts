/** An `app-server` over stdio: what it tells is logged, what it asks is answered as scripted. */
import type { JsonObject } from '../../../src/base/index.ts'
import type { Program } from '../exec-run.ts'
import { RpcChild, RpcError } from '../rpc-child.ts'
import type { Scratch } from '../scratch.ts'
import { type Answerer, Refused } from './driver.ts'
import { inTime, type WireAnswer, type WireLog } from './wire-log.ts'

export class ServedSession implements AsyncDisposable {
  answerer: Answerer = () => undefined
  readonly #child: RpcChild
  readonly #log: WireLog

  private constructor(program: Program, scratch: Scratch, log: WireLog) {
    this.#log = log
    const command = [program.command, ...program.args, 'app-server'] as const
    this.#child = new RpcChild(command, scratch, {
      tell: (told) => log.add(told),
      ask: async (id, asked) => {
        log.add(asked)
        const result = await this.answerer(asked)
        if (result) this.#child.answer(id, result)
      },
      end: () => {},
    })
  }

  static async start(program: Program, scratch: Scratch, log: WireLog): Promise<ServedSession> {
    const session = new ServedSession(program, scratch, log)
    try {
      await inTime(session.#child.shakeHands(), () => `no handshake\n${session.#child.lastWords}`)
      return session
    } catch (error) {
      await session[Symbol.asyncDispose]()
      throw error
    }
  }

  /** The result; throws `Refused` with the text of an error answer. */
  async request(method: string, params: JsonObject): Promise<JsonObject> {
    const noted: WireAnswer = { method }
    this.#log.answers.push(noted)
    const answer = this.#child.request(method, params)
    try {
      noted.result = await inTime(answer, () => `no answer to ${method}\n${this.#child.lastWords}`)
      return noted.result
    } catch (error) {
      throw error instanceof RpcError ? new Refused(error.text) : error
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#child[Symbol.asyncDispose]()
  }
}
