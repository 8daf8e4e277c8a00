import { type Clock, isObject, type Json, type JsonObject, stringAt } from '../../base/index.ts'
import type { Connection } from '../connection.ts'
import { isNotLoadedThere, PEER_CLIENT } from '../peer-client.ts'
import { invalid, type RequestId, RpcError, type RpcRequest } from '../protocol/jsonrpc.ts'
import type { ServerRequests } from '../server-requests.ts'
import { MOST_MESSAGE_BYTES } from './peer-listener.ts'
import { type PeerEnd, PeerSocket } from './peer-socket.ts'
import { pidOf } from './peer-sockets.ts'
import { type PeerNotice, RemoteThread } from './remote-thread.ts'

/** What changes in the lists of all clients, whether they watch the thread or not. */
const FOR_ALL: ReadonlySet<string> = new Set([
  'thread/name/updated',
  'thread/archived',
  'thread/unarchived',
  'thread/deleted',
])

const CONNECT_LIMIT_MS = 2000
/** Less than all clients may have under way: there is room for others when a peer hangs. */
const MOST_PENDING = 64
const MOST_THREADS = 1000

/** What became of a request that was passed on: `ended` is that the peer never answered it. */
export type Forwarded = 'answered' | 'notLoaded' | 'ended'

export interface PeerLinkOptions {
  readonly path: string
  readonly clock: Clock
  readonly version: string
  readonly requests: ServerRequests
  /** Tells all clients of this process; no peer, which has its own link to the owner. */
  readonly tellAll: (method: string, params: JsonObject) => void
  readonly onEnd: (link: PeerLink, end: PeerEnd) => void
}

/** A request for a peer, from the client here that has made it. */
export interface ForwardedRequest {
  readonly connection: Connection
  readonly request: RpcRequest
  readonly threadId: string
}

/** The answer, or undefined when there will be none. */
type Settle = (answer: { readonly result?: Json; readonly error?: JsonObject } | undefined) => void

/**
 * One connection to one other process, for all clients here and all threads there. Everything that
 * comes in is dealt with at once, so that it reaches the clients in the order of the peer.
 */
export class PeerLink implements AsyncDisposable {
  readonly pid: number
  readonly #options: PeerLinkOptions
  readonly #socket: PeerSocket
  readonly #pending = new Map<RequestId, Settle>()
  readonly #threads = new Map<string, RemoteThread>()
  /** Who has asked for a review, which may be a thread that is told of before it is answered. */
  readonly #reviewing = new Set<Connection>()
  #nextId = 0
  /** Of which thread a notice is that names none, and that comes first of its history. */
  #justJoined: RemoteThread | undefined
  #end: PeerEnd | undefined

  private constructor(options: PeerLinkOptions) {
    this.#options = options
    this.pid = pidOf(options.path)
    this.#socket = new PeerSocket({
      path: options.path,
      clock: options.clock,
      onText: (text) => this.#take(text),
      isWaiting: () => this.#pending.size > 0,
      onEnd: (end) => this.#close(end),
    })
  }

  /** Why there is none when the peer cannot be talked to within two seconds. */
  static async open(options: PeerLinkOptions): Promise<PeerLink | PeerEnd> {
    const link = new PeerLink(options)
    const waiting = new AbortController()
    options.clock.sleep(CONNECT_LIMIT_MS, waiting.signal).then(
      () => link.#socket.cut('silent'),
      () => {
        // It was not needed.
      },
    )
    const isOpen = (await link.#socket.open()) && (await link.#initialize())
    waiting.abort()
    if (!isOpen) link.#socket.cut('closed')
    return isOpen ? link : (link.#end ?? 'closed')
  }

  /** Undefined while the peer answers. */
  get end(): PeerEnd | undefined {
    return this.#end
  }

  /** Whether clients here watch the thread through this link. */
  has(threadId: string): boolean {
    return this.#threads.get(threadId)?.isGone === false
  }

  /** Throws `RpcError` when too much waits for the peer. The answer goes straight to the client. */
  forward(forwarded: ForwardedRequest): Promise<Forwarded> {
    const { connection, request, threadId } = forwarded
    const { method, params } = request
    if (this.#end) return Promise.resolve('ended')
    const known = this.#threads.get(threadId)
    if (method === 'thread/unsubscribe' && known && !known.isOnlyWatcher(connection)) {
      const status = known.leave(connection) ? 'unsubscribed' : 'notSubscribed'
      connection.respond(request.id, { status })
      return Promise.resolve('answered')
    }
    const isStuck = this.#socket.waitingBytes > MOST_MESSAGE_BYTES
    if (isStuck || this.#pending.size >= MOST_PENDING) {
      throw new RpcError('overloaded', `process ${this.pid} is overloaded; retry later.`)
    }
    const { promise, resolve } = Promise.withResolvers<Forwarded>()
    const over = this.#mayJoin(forwarded)
    try {
      this.#send(method, params, (answer) => {
        resolve(this.#settle(forwarded, answer))
        over()
      })
    } catch (error) {
      over()
      throw error
    }
    return promise
  }

  /** The client has gone. */
  forget(connection: Connection): void {
    for (const [threadId, thread] of this.#threads) {
      if (thread.leave(connection)) this.#leave(threadId, thread)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#socket[Symbol.asyncDispose]()
  }

  /** Until the result is called, what the request may make its client watch is kept in mind. */
  #mayJoin({ connection, request: { method }, threadId }: ForwardedRequest): () => void {
    if (method === 'review/start') {
      this.#reviewing.add(connection)
      return () => this.#reviewing.delete(connection)
    }
    const thread = method === 'thread/resume' ? this.#threadOf(threadId) : undefined
    if (thread) thread.joining += 1
    return () => {
      if (thread) thread.joining -= 1
      this.#tidy(threadId)
    }
  }

  #initialize(): Promise<boolean> {
    const clientInfo = { name: PEER_CLIENT, version: this.#options.version }
    const capabilities = { experimentalApi: true, eventCursors: true }
    return new Promise((done) => {
      this.#send('initialize', { clientInfo, capabilities }, (answer) => {
        done(answer?.result !== undefined)
      })
    })
  }

  #send(method: string, params: Json | undefined, settle: Settle): void {
    const id = this.#nextId
    this.#nextId += 1
    const text = JSON.stringify({ id, method, ...(params === undefined ? {} : { params }) })
    if (Buffer.byteLength(text) > MOST_MESSAGE_BYTES) {
      throw invalid(`${method} is too large to be passed on to process ${this.pid}`)
    }
    this.#pending.set(id, settle)
    this.#socket.send(text)
  }

  #settle(
    { connection, request, threadId }: ForwardedRequest,
    answer: Parameters<Settle>[0],
  ): Forwarded {
    if (!answer) return 'ended'
    if (isNotLoadedThere(answer.error)) return 'notLoaded'
    connection.relay(request.id, answer)
    if (answer.error) return 'answered'
    const reviewId = isObject(answer.result) ? stringAt(answer.result, 'reviewThreadId') : undefined
    if (request.method === 'thread/resume') this.#join(threadId, connection, request.params)
    else if (request.method === 'thread/unsubscribe') this.#threads.get(threadId)?.leave(connection)
    else if (reviewId !== undefined && reviewId !== threadId) this.#join(reviewId, connection)
    return 'answered'
  }

  #join(threadId: string, connection: Connection, params?: Json): void {
    const thread = this.#threadOf(threadId)
    this.#justJoined = thread
    const cursor = isObject(params) ? params.afterEventCursor : undefined
    if (!connection.isClosed) thread.join(connection, { isBack: typeof cursor === 'string' })
    else this.#leave(threadId, thread)
  }

  #threadOf(threadId: string): RemoteThread {
    const known = this.#threads.get(threadId)
    if (known && !known.isGone) return known
    if (this.#threads.size >= MOST_THREADS) {
      throw new RpcError('overloaded', `too many threads of process ${this.pid} are watched here`)
    }
    const answer = (id: RequestId, reply: object) => {
      this.#socket.send(JSON.stringify({ id, ...reply }))
    }
    const { requests } = this.#options
    const thread = new RemoteThread({ threadId, requests, answer })
    this.#threads.set(threadId, thread)
    return thread
  }

  /** The peer is told when nobody here watches the thread any more. */
  #leave(threadId: string, thread: RemoteThread): void {
    const isWatched = thread.isNeeded || thread.isGone
    this.#tidy(threadId)
    if (isWatched || this.#end) return
    this.#send('thread/unsubscribe', { threadId }, () => {
      // Whatever the peer says of it: what it tells of the thread finds nobody here.
    })
  }

  #tidy(threadId: string): void {
    const thread = this.#threads.get(threadId)
    if (!thread || thread.isNeeded) return
    this.#threads.delete(threadId)
    thread.end()
  }

  #take(text: string): void {
    const message = parse(text)
    if (!message) return
    const { id, method, params } = message
    if (typeof method !== 'string') {
      if (typeof id === 'number') this.#answered(id, message)
      return
    }
    if (!isObject(params)) return
    if (FOR_ALL.has(method)) {
      this.#options.tellAll(method, params)
      return
    }
    const notice = { method, params, text }
    const thread = this.#threadOfNotice(notice)
    if (typeof id === 'number' || typeof id === 'string') thread?.ask(id, method, params)
    else thread?.tell(notice)
  }

  #answered(id: number, { result, error }: JsonObject): void {
    const settle = this.#pending.get(id)
    this.#pending.delete(id)
    settle?.(isObject(error) ? { error } : { result: result ?? null })
  }

  /** Some name no thread: their cursor tells whose history they are of. */
  #threadOfNotice({ params }: PeerNotice): RemoteThread | undefined {
    const threadId = stringAt(params, 'threadId')
    const history = stringAt(params, 'eventCursor')?.split(':')[0]
    if (threadId !== undefined) {
      const [reviewing] = this.#reviewing
      // Only those who watch a thread are told with a cursor: it is the reviewer's.
      if (reviewing && history && !this.#threads.has(threadId)) this.#join(threadId, reviewing)
      return this.#threads.get(threadId)
    }
    if (history === undefined) return undefined
    const known = [...this.#threads.values()].find((thread) => thread.history === history)
    if (known || this.#justJoined?.history !== undefined) return known
    return this.#justJoined
  }

  #close(end: PeerEnd): void {
    this.#end = end
    for (const thread of this.#threads.values()) thread.end()
    this.#threads.clear()
    const pending = [...this.#pending.values()]
    this.#pending.clear()
    for (const settle of pending) settle(undefined)
    this.#options.onEnd(this, end)
  }
}

function parse(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    // What a peer of another version says in another language is passed over.
    return undefined
  }
}
