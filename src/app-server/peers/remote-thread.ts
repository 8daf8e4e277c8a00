import { isObject, type JsonObject, objectAt, stringAt } from '../../base/index.ts'
import type { Connection } from '../connection.ts'
import type { RequestId } from '../protocol/jsonrpc.ts'
import type { ClientReply, ServerRequests } from '../server-requests.ts'

/** A notification of the owner: what is in it, and as it came. */
export interface PeerNotice {
  readonly method: string
  readonly params: JsonObject
  readonly text: string
}

export interface RemoteThreadOptions {
  readonly threadId: string
  readonly requests: ServerRequests
  /** Passes a client's answer on, to the question with the owner's id. */
  readonly answer: (id: RequestId, reply: ClientReply) => void
}

interface Question {
  /** The id that it has here. */
  readonly id: number
  isOpen: boolean
}

/** Questions whose ids are remembered: who comes back is told again that they are over. */
const MOST_QUESTIONS = 500

const CURSOR = /,"eventCursor":"[^"]*"\}\}$/

/** A thread of a peer as the clients here see it: who watches it, and what it has asked them. */
export class RemoteThread {
  readonly #options: RemoteThreadOptions
  readonly #watchers = new Set<Connection>()
  /** By the owner's id. */
  readonly #questions = new Map<RequestId, Question>()
  /** Requests under way that may make their client a watcher. */
  joining = 0
  #isGone = false
  #lastJoined: Connection | undefined
  /** Who is being told again what was told while it was away. */
  #catchingUp: Connection | undefined
  /** What was told here before it came; all of it where nothing is known of that. */
  #catchUpTo = 0
  #history: string | undefined
  #lastNumber = 0

  constructor(options: RemoteThreadOptions) {
    this.#options = options
  }

  /** The owner has let go of it. */
  get isGone(): boolean {
    return this.#isGone
  }

  get isNeeded(): boolean {
    return this.#watchers.size > 0 || this.joining > 0
  }

  /** Which of the owner's histories it is; undefined before anything was told. */
  get history(): string | undefined {
    return this.#history
  }

  isOnlyWatcher(connection: Connection): boolean {
    return this.#watchers.size === 1 && this.#watchers.has(connection) && this.joining === 0
  }

  /** What is told from now on goes to the client too, and what is still asked. */
  join(connection: Connection, { isBack }: { readonly isBack: boolean }): void {
    this.#watchers.add(connection)
    this.#lastJoined = connection
    this.#catchingUp = isBack ? connection : undefined
    this.#catchUpTo = this.#history === undefined ? Number.POSITIVE_INFINITY : this.#lastNumber
    for (const { id, isOpen } of this.#questions.values()) {
      if (isOpen) this.#options.requests.ask(id, connection)
    }
  }

  /** False when it was no watcher. */
  leave(connection: Connection): boolean {
    return this.#watchers.delete(connection)
  }

  /** In the order of the owner. */
  tell(notice: PeerNotice): void {
    const { method, params } = notice
    if (this.#isGone && method !== 'thread/closed') return
    const told = method === 'serverRequest/resolved' ? this.#withOurId(notice) : notice
    const to = this.#audience(notice)
    if (told) {
      const plain = told.text.replace(CURSOR, '}}')
      for (const connection of to) {
        const { hasEventCursors } = connection.client ?? {}
        connection.notifyText(method, hasEventCursors ? told.text : plain)
      }
    }
    if (method === 'serverRequest/resolved') this.#close(params.requestId as RequestId)
    if (method === 'thread/closed') this.#watchers.clear()
    const isLetGo = method === 'thread/status/changed' && isNotLoaded(params)
    if (!isLetGo) return
    this.#isGone = true
    for (const peerId of this.#questions.keys()) this.#close(peerId)
  }

  ask(peerId: RequestId, method: string, params: JsonObject): void {
    const { requests, answer } = this.#options
    const id = requests.open(method, params, (reply) => answer(peerId, reply))
    this.#questions.set(peerId, { id, isOpen: true })
    const [oldest] = this.#questions.keys()
    if (this.#questions.size > MOST_QUESTIONS && oldest !== undefined) {
      this.#close(oldest)
      this.#questions.delete(oldest)
    }
    for (const connection of this.#watchers) requests.ask(id, connection)
  }

  /** The owner cannot be reached any more: nothing is asked, and the thread is not loaded. */
  end(): void {
    const { threadId } = this.#options
    for (const [peerId, { id, isOpen }] of this.#questions) {
      if (isOpen) this.#tellAll('serverRequest/resolved', { threadId, requestId: id })
      this.#close(peerId)
    }
    if (!this.#isGone) {
      this.#tellAll('thread/status/changed', { threadId, status: { type: 'notLoaded' } })
    }
    this.#isGone = true
    this.#watchers.clear()
  }

  #tellAll(method: string, params: JsonObject): void {
    for (const connection of this.#watchers) connection.notify(method, params)
  }

  /** What is told to one only comes behind the answer to that one's resume. */
  #audience({ method, params }: PeerNotice): Iterable<Connection> {
    const cursor = /^([^:]*):(\d+)$/.exec(stringAt(params, 'eventCursor') ?? '')
    if (!cursor) {
      // All that is told again has a cursor, and comes in one go.
      this.#catchingUp = undefined
      return method === 'thread/tokenUsage/updated' ? this.#only(this.#lastJoined) : this.#watchers
    }
    const number = Number(cursor[2])
    this.#history = cursor[1]
    this.#lastNumber = Math.max(this.#lastNumber, number)
    const isAgain = this.#catchingUp !== undefined && number <= this.#catchUpTo
    return isAgain ? this.#only(this.#catchingUp) : this.#watchers
  }

  #only(connection: Connection | undefined): Connection[] {
    return connection && this.#watchers.has(connection) ? [connection] : []
  }

  #withOurId({ method, params }: PeerNotice): PeerNotice | undefined {
    const question = this.#questions.get(params.requestId as RequestId)
    if (!question) return undefined
    const ours = { ...params, requestId: question.id }
    return { method, params: ours, text: JSON.stringify({ method, params: ours }) }
  }

  #close(peerId: RequestId): void {
    const question = this.#questions.get(peerId)
    if (!question) return
    question.isOpen = false
    this.#options.requests.close(question.id)
  }
}

function isNotLoaded(params: JsonObject): boolean {
  const status = objectAt(params, 'status')
  return isObject(status) && status.type === 'notLoaded'
}
