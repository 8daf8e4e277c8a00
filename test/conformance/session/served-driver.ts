/** A program with the command line of `codex app-server` as a driver, over stdio. */
import { type JsonObject, stringAt } from '../../../src/base/index.ts'
import type { ReviewTarget } from '../../../src/protocol/index.ts'
import type { Program } from '../exec-run.ts'
import type { Scratch } from '../scratch.ts'
import type { Answerer, DrivenThread, Driver, Said, ThreadParams, TurnParams } from './driver.ts'
import { ServedSession } from './served-session.ts'
import type { WireLog } from './wire-log.ts'

export class ServedDriver implements Driver {
  readonly #program: Program
  readonly #scratch: Scratch
  readonly #log: WireLog
  #session: ServedSession
  #answerer: Answerer = () => undefined

  private constructor(program: Program, scratch: Scratch, log: WireLog, session: ServedSession) {
    this.#program = program
    this.#scratch = scratch
    this.#log = log
    this.#session = session
  }

  static async open(program: Program, scratch: Scratch, log: WireLog): Promise<ServedDriver> {
    const session = await ServedSession.start(program, scratch, log)
    return new ServedDriver(program, scratch, log, session)
  }

  start(params: ThreadParams): Promise<DrivenThread> {
    return this.#load('thread/start', wire(params))
  }

  resume(threadId: string, params: ThreadParams): Promise<DrivenThread> {
    return this.#load('thread/resume', { ...wire(params), threadId })
  }

  fork(threadId: string, params: ThreadParams): Promise<DrivenThread> {
    return this.#load('thread/fork', { ...wire(params), threadId })
  }

  async restart(): Promise<void> {
    await this.#session[Symbol.asyncDispose]()
    this.#session = await ServedSession.start(this.#program, this.#scratch, this.#log)
    this.#session.answerer = this.#answerer
  }

  answerWith(answerer: Answerer): void {
    this.#answerer = answerer
    this.#session.answerer = answerer
  }

  async settle(): Promise<void> {
    // Its answer comes behind all that was told before.
    await this.#session.request('thread/loaded/list', {})
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#session[Symbol.asyncDispose]()
  }

  async #load(method: string, params: JsonObject): Promise<DrivenThread> {
    const { thread } = (await this.#session.request(method, params)) as { thread?: JsonObject }
    return new ServedThread(this.#session, stringAt(thread ?? {}, 'id') ?? '')
  }
}

class ServedThread implements DrivenThread {
  readonly id: string
  readonly #session: ServedSession

  constructor(session: ServedSession, id: string) {
    this.#session = session
    this.id = id
  }

  async startTurn(input: readonly Said[], params: TurnParams = {}): Promise<string> {
    const { clientMetadata, ...rest } = params
    const metadata = clientMetadata ? { responsesapiClientMetadata: clientMetadata } : {}
    const given = { ...rest, ...metadata, input: input.map(wireInput) }
    const { turn } = (await this.#ask('turn/start', given)) as { turn?: JsonObject }
    return stringAt(turn ?? {}, 'id') ?? ''
  }

  async steer(turnId: string, input: readonly Said[]): Promise<void> {
    await this.#ask('turn/steer', { expectedTurnId: turnId, input: input.map(wireInput) })
  }

  async interrupt(turnId: string): Promise<void> {
    await this.#ask('turn/interrupt', { turnId })
  }

  async compact(): Promise<void> {
    await this.#ask('thread/compact/start', {})
  }

  async rollBack(turnCount: number): Promise<void> {
    await this.#ask('thread/rollback', { numTurns: turnCount })
  }

  async updateSettings(params: TurnParams): Promise<void> {
    await this.#ask('thread/settings/update', { ...params })
  }

  async startReview(target: ReviewTarget): Promise<void> {
    await this.#ask('review/start', { target })
  }

  async runShellCommand(command: string): Promise<void> {
    await this.#ask('thread/shellCommand', { command })
  }

  #ask(method: string, params: { readonly [key: string]: unknown }): Promise<JsonObject> {
    return this.#session.request(method, { threadId: this.id, ...params } as JsonObject)
  }
}

function wire(params: ThreadParams): JsonObject {
  return { ...params } as unknown as JsonObject
}

function wireInput(said: Said): JsonObject {
  return typeof said === 'string'
    ? { type: 'text', text: said, text_elements: [] }
    : { type: 'localImage', path: said.image }
}
