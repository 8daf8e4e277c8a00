/** Servers of one home, one after the other: each is killed, and the next has to know all. */
import { type JsonObject, objectAt, stringAt } from '../src/base/index.ts'
import type { Workplace } from '../test/support/bobbin.ts'
import type { RpcPeer, ServerProcess } from '../test/support/server-process.ts'
import { ended, type Lab } from './lab.ts'

/** What lets a turn's commands run without a question. */
export const FREE: JsonObject = { approvalPolicy: 'never', sandbox: 'danger-full-access' }

export class Incarnations implements AsyncDisposable {
  readonly place: Workplace
  readonly #lab: Lab
  readonly #ownsPlace: boolean
  #server: ServerProcess

  private constructor(lab: Lab, place: Workplace, server: ServerProcess, ownsPlace = true) {
    this.#ownsPlace = ownsPlace
    this.#lab = lab
    this.place = place
    this.#server = server
  }

  /**
   * The first server, in a place of its own that asks the model at `baseUrl`; `provider` is more of
   * its table in the configuration.
   */
  static async start(
    lab: Lab,
    baseUrl: string,
    provider = '',
    args: readonly string[] = [],
  ): Promise<Incarnations> {
    const place = await lab.place()
    try {
      await place.useModel(baseUrl, provider)
      return new Incarnations(lab, place, await lab.server(place, args))
    } catch (error) {
      await place[Symbol.asyncDispose]()
      throw error
    }
  }

  /** As `start`, in a place of the caller. */
  static async on(lab: Lab, place: Workplace): Promise<Incarnations> {
    return new Incarnations(lab, place, await lab.server(place), false)
  }

  get server(): ServerProcess {
    return this.#server
  }

  get peer(): RpcPeer {
    return this.#server.stdio
  }

  /** Throws when the server is refusing, or gone before it has answered. */
  ask(method: string, params: JsonObject = {}): Promise<JsonObject> {
    return Promise.race([this.peer.request(method, params), ended(this.#server)])
  }

  async startThread(more: JsonObject = {}): Promise<string> {
    const { thread } = await this.ask('thread/start', { ...FREE, ...more })
    return idOf({ thread }, 'thread')
  }

  /** Answers the id of the turn. */
  async startTurn(threadId: string, text: string): Promise<string> {
    const input = [{ type: 'text', text, text_elements: [] }]
    return idOf(await this.ask('turn/start', { threadId, input }), 'turn')
  }

  /** Resolves with the turn when its end is told. */
  async endOf(turnId: string): Promise<JsonObject> {
    const turnIn = (message: JsonObject) => objectAt(objectAt(message, 'params') ?? {}, 'turn')
    const told = this.peer.find((message) => {
      return message.method === 'turn/completed' && turnIn(message)?.id === turnId
    })
    return turnIn(await Promise.race([told, ended(this.#server)])) ?? {}
  }

  async runTurn(threadId: string, text: string): Promise<JsonObject> {
    return await this.endOf(await this.startTurn(threadId, text))
  }

  /** kill -9; answers every message that had come. */
  async kill(): Promise<readonly JsonObject[]> {
    this.#server.child.kill('SIGKILL')
    await this.#server.exited
    return this.#server.stdio.messages
  }

  /** The next one, after the death of the one before. */
  async restart(): Promise<void> {
    await this.kill()
    this.#server = await this.#lab.server(this.place)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]()
    if (this.#ownsPlace) await this.place[Symbol.asyncDispose]()
  }
}

/** The id of the object of this name. */
export function idOf(result: JsonObject, name: string): string {
  return stringAt(objectAt(result, name) ?? {}, 'id') ?? ''
}
