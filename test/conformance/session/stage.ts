/** Where a script is played: a driver, its model server and its home, with words for a client. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type JsonObject, objectAt, stringAt } from '../../../src/base/index.ts'
import type { Scratch } from '../scratch.ts'
import {
  type DrivenThread,
  type Driver,
  Refused,
  type Said,
  type ThreadParams,
  type TurnParams,
} from './driver.ts'
import type { ModelServer } from './model-server.ts'
import type { WireLog, WireMessage } from './wire-log.ts'

/** Told when a thread is loaded: that is the app server's part, and compared with it. */
const TOLD_BY_LOADING = new Set([
  'thread/started',
  'thread/status/changed',
  'thread/tokenUsage/updated',
])

export class Stage {
  readonly driver: Driver
  readonly model: ModelServer
  readonly scratch: Scratch
  /** What the runtime refused, in order. */
  readonly refusals: string[] = []
  readonly threadIds: string[] = []
  readonly #log: WireLog
  /** Where in the log the loading of a thread began. */
  readonly #loads: { readonly threadId: string; readonly from: number }[] = []

  constructor(driver: Driver, model: ModelServer, scratch: Scratch, log: WireLog) {
    this.driver = driver
    this.model = model
    this.scratch = scratch
    this.#log = log
  }

  /** A path below the project folder. */
  at(name: string): string {
    return join(this.scratch.project, name)
  }

  start(params: ThreadParams = {}): Promise<DrivenThread> {
    return this.#load(() => this.driver.start(params))
  }

  resume(thread: DrivenThread, params: ThreadParams = {}): Promise<DrivenThread> {
    return this.#load(() => this.driver.resume(thread.id, params))
  }

  fork(thread: DrivenThread, params: ThreadParams = {}): Promise<DrivenThread> {
    return this.#load(() => this.driver.fork(thread.id, params))
  }

  /** Another process goes on with the thread. */
  async reopen(thread: DrivenThread, params: ThreadParams = {}): Promise<DrivenThread> {
    await this.driver.restart()
    return this.resume(thread, params)
  }

  /** One turn, from the person's words to its end. */
  async turn(thread: DrivenThread, text: string | readonly Said[], params: TurnParams = {}) {
    const turnId = await this.begin(thread, text, params)
    await this.ended(turnId)
    return turnId
  }

  /** A turn that has begun: clients have heard of it. */
  async begin(thread: DrivenThread, text: string | readonly Said[], params: TurnParams = {}) {
    const input = typeof text === 'string' ? [text] : text
    const turnId = await thread.startTurn(input, params)
    await this.heard('turn/started', (told) => turnIdOf(told) === turnId)
    return turnId
  }

  ended(turnId: string): Promise<WireMessage> {
    return this.heard('turn/completed', (told) => turnIdOf(told) === turnId)
  }

  /** The `count`th turn that ends, whatever started it. */
  endedCount(count: number): Promise<WireMessage> {
    return this.heard('turn/completed', () => true, count)
  }

  heard(
    method: string,
    predicate: (params: JsonObject) => boolean = () => true,
    count = 1,
  ): Promise<WireMessage> {
    const isMatch = (told: WireMessage) => told.method === method && predicate(told.params)
    return this.#log.heard(isMatch, method, count)
  }

  itemCompleted(type: string, count = 1): Promise<WireMessage> {
    return this.heard('item/completed', (told) => objectAt(told, 'item')?.type === type, count)
  }

  itemStarted(type: string, count = 1): Promise<WireMessage> {
    return this.heard('item/started', (told) => objectAt(told, 'item')?.type === type, count)
  }

  /** Resolves once every command that was started has been told as completed. */
  async commandsEnded(): Promise<void> {
    const started = this.#log.messages.filter(
      ({ method, params }) =>
        method === 'item/started' && objectAt(params, 'item')?.type === 'commandExecution',
    )
    await this.itemCompleted('commandExecution', started.length)
  }

  /** Resolves once something has made the file. */
  async made(path: string): Promise<void> {
    while (!existsSync(path)) await new Promise((resolve) => setImmediate(resolve))
  }

  /** Notes the words with which the runtime refuses; throws when it does not. */
  async refused(work: () => Promise<unknown>): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      this.refusals.push(error.message)
      return
    }
    this.refusals.push('(not refused)')
  }

  /** Everything that was heard, but for what only the loading of a thread tells. */
  messages(): WireMessage[] {
    return this.#log.messages.filter((message, at) => {
      const threadId = stringAt(message.params, 'threadId')
      const load = this.#loads.findLast((each) => each.threadId === threadId && each.from <= at)
      return !load || !TOLD_BY_LOADING.has(message.method) || this.#isOfTurn(message, load.from, at)
    })
  }

  #isOfTurn({ method, params }: WireMessage, from: number, at: number): boolean {
    const status = objectAt(params, 'status')?.type
    if (method === 'thread/status/changed' && status === 'active') return true
    return this.#log.messages
      .slice(from, at)
      .some((each) => each.method === 'turn/started' && each.params.threadId === params.threadId)
  }

  async #load(load: () => Promise<DrivenThread>): Promise<DrivenThread> {
    const from = this.#log.messages.length
    const thread = await load()
    await this.driver.settle()
    this.#loads.push({ threadId: thread.id, from })
    if (!this.threadIds.includes(thread.id)) this.threadIds.push(thread.id)
    return thread
  }
}

export function turnIdOf(params: JsonObject): string | undefined {
  return stringAt(objectAt(params, 'turn') ?? {}, 'id')
}
