import { errorText, type Json, type JsonObject } from '../base/index.ts'
import type { ThreadHandle } from '../core/index.ts'
import type { ThreadId } from '../protocol/index.ts'
import type { ClientPort } from './app-server.ts'
import type { ClientInfo, Connection, Wire } from './connection.ts'
import { HistoryBudget } from './event-history.ts'
import { firstRoutes, loadOtherRoutes } from './handlers/index.ts'
import { parseHandshake } from './handshake.ts'
import { IdleThreads } from './idle-threads.ts'
import { isPeer } from './peer-client.ts'
import { newPeerSocket, PeerOffer, RequestForwarder } from './peers/index.ts'
import type { RpcMessage, RpcRequest } from './protocol/jsonrpc.ts'
import type { Method } from './protocol/method.ts'
import { Router } from './router.ts'
import type { ServerContext } from './server-context.ts'
import { ServerRequests } from './server-requests.ts'
import { ThreadFeed } from './thread-feed.ts'

export interface ThreadServerOptions extends Omit<ServerContext, 'feed' | 'feedOf' | 'broadcast'> {
  /** Every client, whether it has initialized or not. */
  readonly connections: ReadonlySet<Connection>
  /** Lets other processes of the home in; undefined when none is to come. */
  readonly connectPeer: ((wire: Wire) => ClientPort) | undefined
}

/** They load a thread: before they are answered, peers can find it here. */
const LOADING: ReadonlySet<string> = new Set([
  'thread/start',
  'thread/resume',
  'thread/fork',
  'review/start',
])

/** Serves what clients ask behind their handshake, and tells them what threads do. */
export class ThreadServer implements AsyncDisposable {
  readonly #options: ThreadServerOptions
  readonly #context: ServerContext
  readonly #router: Router
  readonly #requests = new ServerRequests()
  readonly #feeds = new Map<ThreadId, ThreadFeed>()
  readonly #historyBudget = new HistoryBudget()
  readonly #listening: Disposable
  readonly #idle: IdleThreads
  readonly #forwarder: RequestForwarder
  readonly #offer: PeerOffer | undefined

  constructor(options: ThreadServerOptions) {
    this.#options = options
    this.#context = {
      ...options,
      feed: (threadId) => this.#feeds.get(threadId),
      feedOf: (handle) => this.#feedOf(handle),
      broadcast: (method, params) => this.#broadcast(method, params),
    }
    const peerSocket = newPeerSocket(options.home)
    const { connectPeer: connect, clock } = options
    this.#offer = connect && new PeerOffer({ path: peerSocket, clock, connect })
    this.#forwarder = new RequestForwarder({
      ...options,
      peerSocket,
      requests: this.#requests,
      tellAll: (method, params) => {
        for (const each of options.connections) if (!isPeer(each)) each.notify(method, params)
      },
    })
    this.#router = new Router({
      first: firstRoutes(this.#context),
      loadOthers: () => loadOtherRoutes(this.#context),
      tryForward: (from, request) => this.#tryForward(from, request),
    })
    this.#listening = options.manager.listen({
      onLoaded: (handle) => void this.#feedOf(handle),
      onClosed: (threadId) => this.#forget(threadId),
    })
    this.#idle = new IdleThreads({
      clock,
      quiet: () => this.#quiet(),
      unload: (handle) => this.#unload(handle),
      onError: (error) => process.emitWarning(errorText(error)),
    })
  }

  methods(): Promise<Method[]> {
    return this.#router.methods()
  }

  /** Whether a turn of some thread runs. */
  get isBusy(): boolean {
    return this.#options.manager.list().some((handle) => handle.activeTurn !== undefined)
  }

  /** What a client tells of itself, whatever the shape of it. Throws `RpcError`. */
  handshake(params: Json | undefined): ClientInfo {
    return parseHandshake(params)
  }

  take(connection: Connection, message: RpcMessage): void {
    if (message.kind === 'request') this.#router.take(connection, message)
    else if (message.kind === 'answer') this.#requests.accept(connection, message)
  }

  /** The client has gone. */
  forget(connection: Connection): void {
    this.#requests.forget(connection)
    for (const feed of this.#feeds.values()) feed.unsubscribe(connection)
    this.#forwarder.forget(connection)
  }

  /** Resolves when no request is being served. */
  async settled(): Promise<void> {
    await this.#router.settled()
  }

  /** Peers hear that the threads of this process are free, and can come no more. */
  async leavePeers(): Promise<void> {
    await this.#offer?.[Symbol.asyncDispose]()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#forwarder[Symbol.asyncDispose]()
    await this.#idle[Symbol.asyncDispose]()
    this.#listening[Symbol.dispose]()
    for (const feed of this.#feeds.values()) feed[Symbol.dispose]()
    this.#feeds.clear()
  }

  #tryForward(connection: Connection, request: RpcRequest): Promise<boolean> | undefined {
    const forward = () => this.#forwarder.tryForward(connection, request)
    const offer = this.#offer
    if (!offer || offer.isOpen || !LOADING.has(request.method)) return forward()
    return offer.open().then(async () => (await forward()) ?? false)
  }

  #quiet() {
    return [...this.#feeds.values()]
      .filter((feed) => !feed.hasSubscribers)
      .map(({ handle, lastActivityMs }) => ({ handle, sinceMs: lastActivityMs }))
  }

  async #unload({ threadId }: ThreadHandle): Promise<void> {
    await this.#options.manager.remove(threadId)
    this.#broadcast('thread/closed', { threadId })
  }

  #feedOf(handle: ThreadHandle): ThreadFeed {
    const known = this.#feeds.get(handle.threadId)
    if (known) return known
    const feed = new ThreadFeed({
      handle,
      requests: this.#requests,
      historyBudget: this.#historyBudget,
      clock: this.#context.clock,
      broadcast: ({ method, params }) => this.#broadcast(method, params),
    })
    this.#feeds.set(handle.threadId, feed)
    return feed
  }

  #forget(threadId: ThreadId): void {
    const feed = this.#feeds.get(threadId)
    if (!feed) return
    this.#feeds.delete(threadId)
    feed[Symbol.dispose]()
    // Who hears of the end of the process need not hear of each thread's.
    if (!this.#options.manager.isClosing) feed.tellNotLoaded()
  }

  #broadcast(method: string, params: JsonObject): void {
    for (const connection of this.#options.connections) connection.notify(method, params)
  }
}
