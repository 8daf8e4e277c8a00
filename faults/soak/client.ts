/** One client of the soak: it does a random mix of everything, and notes what was acknowledged. */
import assert from 'node:assert/strict'
import { type Json, type JsonObject, objectAt, stringAt } from '../../src/base/index.ts'
import { oneOf, type Random } from '../../test/support/seeded-random.ts'
import { SocketPeer } from '../../test/support/server-process.ts'
import { FREE, idOf } from '../incarnations.ts'
import { HANDSHAKE } from '../lab.ts'
import type { Checks } from '../suite.ts'
import { Told } from '../told.ts'

/** More turns than this, and a thread is left alone. */
const MOST_TURNS = 12

interface OwnThread {
  readonly id: string
  turns: number
  /** Names that a kill may have come in the middle of, and the one that was answered last. */
  names: (string | null)[]
  archived: boolean | 'unknown'
}

export class SoakClient {
  readonly counts = new Map<string, number>()
  readonly #name: string
  readonly #random: Random
  readonly #told = new Told()
  readonly #threads: OwnThread[] = []
  #loaded = new Set<string>()
  #peer: SocketPeer | undefined
  #words = 0

  constructor(name: string, random: Random) {
    this.#name = name
    this.#random = random
  }

  get threads(): number {
    return this.#threads.length
  }

  /** Works until `signal` aborts or the server is gone. Throws what a server may not answer. */
  async work(url: string, signal: AbortSignal): Promise<void> {
    await using peer = await SocketPeer.connect(url)
    this.#peer = peer
    this.#loaded = new Set()
    try {
      await this.#ask('initialize', HANDSHAKE)
      while (!signal.aborted) await this.#step()
    } catch (error) {
      if (!(error instanceof Gone)) throw error
    } finally {
      this.#told.hear(peer.messages)
    }
  }

  /** All that was acknowledged is there; of so many threads, or of all. */
  async assertKept(peer: SocketPeer, checks: Checks, most = this.threads): Promise<void> {
    const from = this.#random(Math.max(1, this.threads - most + 1))
    const some = this.#threads.slice(from, from + most)
    await this.#told.assertKept(
      peer,
      checks,
      some.map(({ id }) => id),
    )
    for (const { id: threadId, names, archived } of some) {
      const thread = objectAt(await peer.request('thread/read', { threadId }), 'thread') ?? {}
      assert.ok(names.includes(stringAt(thread, 'name') ?? null), `the name of ${threadId}`)
      const isInArchive = String(thread.path).includes('archived_sessions')
      if (archived !== 'unknown') assert.equal(isInArchive, archived, `${threadId} in the archive`)
      checks.add(2)
    }
  }

  async #step(): Promise<void> {
    const own = this.#threads.filter(({ turns, archived }) => turns < MOST_TURNS && !archived)
    if (own.length < 3) return await this.#startThread()
    const thread = oneOf(this.#random, own)
    const { id: threadId } = thread
    switch (this.#random(16)) {
      case 0:
        return await this.#startThread()
      case 1:
        return await this.#nameIt(thread)
      case 2:
        return await this.#archive(thread)
      case 3:
        return await this.#fork(thread)
      case 4:
      case 5:
        return void (await this.#ask('thread/list', { limit: 50 }))
      case 6:
        return void (await this.#ask('thread/search', { searchTerm: this.#name, limit: 10 }))
      case 7:
        return void (await this.#ask('thread/read', { threadId, includeTurns: true }))
      case 8:
        return void (await this.#ask('thread/turns/list', { threadId, limit: 3 }))
      default:
        return await this.#runTurn(thread)
    }
  }

  async #startThread(): Promise<void> {
    const id = idOf(await this.#ask('thread/start', { ...FREE }), 'thread')
    this.#loaded.add(id)
    const thread: OwnThread = { id, turns: 0, names: [null], archived: false }
    await this.#runTurn(thread, () => this.#threads.push(thread))
  }

  /** `onStart` runs when the turn's message is acknowledged. */
  async #runTurn(thread: OwnThread, onStart: () => void = () => undefined): Promise<void> {
    const { id: threadId } = thread
    await this.#load(threadId)
    const text = `${this.#name} says ${this.#word()}`
    const input: Json[] = [{ type: 'text', text, text_elements: [] }]
    const turnId = idOf(await this.#ask('turn/start', { threadId, input }), 'turn')
    this.#told.message(threadId, turnId, text)
    thread.turns += 1
    onStart()
    const ended = this.#connection.find(({ method, params }) => {
      return method === 'turn/completed' && idOf(params as JsonObject, 'turn') === turnId
    })
    await this.#orGone(ended)
  }

  async #nameIt(thread: OwnThread): Promise<void> {
    const name = this.#word()
    thread.names.push(name)
    await this.#ask('thread/name/set', { threadId: thread.id, name })
    thread.names = [name]
  }

  async #archive(thread: OwnThread): Promise<void> {
    thread.archived = 'unknown'
    await this.#ask('thread/archive', { threadId: thread.id })
    thread.archived = true
    this.#loaded.delete(thread.id)
    if (this.#random(2) === 0) return
    thread.archived = 'unknown'
    await this.#ask('thread/unarchive', { threadId: thread.id })
    thread.archived = false
  }

  async #fork({ id: threadId, names }: OwnThread): Promise<void> {
    const result = await this.#ask('thread/fork', { threadId, ...FREE, excludeTurns: true })
    const id = idOf(result, 'thread')
    this.#loaded.add(id)
    this.#threads.push({ id, turns: 1, names: [null, ...names], archived: false })
  }

  async #load(threadId: string): Promise<void> {
    if (this.#loaded.has(threadId)) return
    await this.#ask('thread/resume', { threadId, ...FREE })
    this.#loaded.add(threadId)
  }

  async #ask(method: string, params: JsonObject): Promise<JsonObject> {
    this.counts.set(method, (this.counts.get(method) ?? 0) + 1)
    return await this.#orGone(this.#connection.request(method, params))
  }

  get #connection(): SocketPeer {
    return this.#peer ?? assert.fail('there is no connection')
  }

  /** What is not answered any more, since the server is gone. */
  async #orGone<T>(answer: Promise<T>): Promise<T> {
    const gone = this.#connection.closed.then(() => {
      throw new Gone()
    })
    // Both may fail; one of them is told.
    gone.catch(() => undefined)
    return await Promise.race([answer, gone])
  }

  #word(): string {
    this.#words += 1
    return `${this.#name}-${this.#words}`
  }
}

/** The server was killed: what was not answered may be there or not. */
class Gone extends Error {
  override readonly name = 'Gone'
}
