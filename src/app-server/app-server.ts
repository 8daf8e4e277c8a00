import { hostname } from 'node:os'
import { assert, errorText, type JsonObject } from '../base/index.ts'
import type { ThreadHandle } from '../core/index.ts'
import type { ThreadId } from '../protocol/index.ts'
import { Connection, type Wire } from './connection.ts'
import { routes } from './handlers/index.ts'
import { IdleThreads } from './idle-threads.ts'
import { isPeer, PeerListener, RequestForwarder } from './peers/index.ts'
import { readMessage } from './protocol/jsonrpc.ts'
import { Router } from './router.ts'
import type { ServerContext } from './server-context.ts'
import { ServerRequests } from './server-requests.ts'
import { ThreadFeed } from './thread-feed.ts'

export interface AppServerOptions extends Omit<ServerContext, 'feed' | 'feedOf' | 'broadcast'> {
  /** Hears the name of the first client: it is the originator of what this process starts. */
  readonly onFirstClient?: (name: string) => void
}

/** One client's way in. */
export interface ClientPort {
  /** A message as it came; what is no message is passed over. */
  receive(text: string): void
  /** The client has gone: what it waits for is not done, its turns go on. */
  close(): void
}

/**
 * Serves the app-server protocol to any number of clients, whatever the transport. Threads belong
 * to the process: they stay loaded when their clients leave. Disposing it stops serving; the
 * manager's owner closes the threads.
 */
export class AppServer implements AsyncDisposable {
  readonly #options: AppServerOptions
  readonly #context: ServerContext
  readonly #router: Router
  readonly #requests = new ServerRequests()
  readonly #connections = new Set<Connection>()
  readonly #feeds = new Map<ThreadId, ThreadFeed>()
  readonly #listening: Disposable
  readonly #idle: IdleThreads
  readonly #forwarder: RequestForwarder
  #isDisposed = false

  constructor(options: AppServerOptions) {
    this.#options = options
    this.#context = {
      ...options,
      feed: (threadId) => this.#feeds.get(threadId),
      feedOf: (handle) => this.#feedOf(handle),
      broadcast: (method, params) => this.#broadcast(method, params),
    }
    this.#forwarder = new RequestForwarder({
      ...options,
      requests: this.#requests,
      tellAll: (method, params) => {
        for (const each of this.#connections) if (!isPeer(each)) each.notify(method, params)
      },
    })
    const served = routes(this.#context, (connection) => this.#greet(connection))
    this.#router = new Router(served, (from, request) => this.#forwarder.tryForward(from, request))
    this.#listening = options.manager.listen({
      onLoaded: (handle) => void this.#feedOf(handle),
      onClosed: (threadId) => this.#forget(threadId),
    })
    this.#idle = new IdleThreads({
      clock: options.clock,
      quiet: () => this.#quiet(),
      unload: (handle) => this.#unload(handle),
      onError: (error) => process.emitWarning(errorText(error)),
    })
  }

  connect(wire: Wire): ClientPort {
    const connection = new Connection(wire)
    this.#connections.add(connection)
    return {
      receive: (text) => this.#receive(connection, text),
      close: () => {
        connection.close()
        this.#connections.delete(connection)
        this.#requests.forget(connection)
        for (const feed of this.#feeds.values()) feed.unsubscribe(connection)
        this.#forwarder.forget(connection)
      },
    }
  }

  /**
   * Lets other processes of the home serve the threads of this one, until the result is disposed.
   * Dispose it when the threads are closed: whoever misses one then can load it. Where nothing can
   * be offered, that is warned of, and others are refused as before.
   */
  async offerToPeers(): Promise<AsyncDisposable> {
    try {
      return await PeerListener.open({
        path: this.#forwarder.ownSocket,
        clock: this.#options.clock,
        connect: (wire) => this.connect(wire),
      })
    } catch (error) {
      process.emitWarning(`threads are not shared with other processes: ${errorText(error)}`)
      return new AsyncDisposableStack()
    }
  }

  /**
   * What is served, as JSON Schemas by their titles: requests of clients, results, notifications
   * and requests of the server.
   */
  async schemas(): Promise<{ readonly [title: string]: JsonObject }> {
    const [{ requestSchema }, { toldSchemas }] = await Promise.all([
      import('./protocol/request-schema.ts'),
      import('./protocol/told/index.ts'),
    ])
    return { ClientRequest: requestSchema(this.#router.methods), ...toldSchemas() }
  }

  /** Resolves when no request is being served. */
  async settled(): Promise<void> {
    await this.#router.settled()
  }

  /** Whether a turn of some thread runs. */
  get isBusy(): boolean {
    return this.#options.manager.list().some((handle) => handle.activeTurn !== undefined)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nobody is there any more who could end what has no time limit.
    for (const connection of this.#connections) connection.close()
    await this.settled()
    this.#isDisposed = true
    await this.#forwarder[Symbol.asyncDispose]()
    await this.#idle[Symbol.asyncDispose]()
    this.#listening[Symbol.dispose]()
    for (const feed of this.#feeds.values()) feed[Symbol.dispose]()
    this.#feeds.clear()
  }

  #receive(connection: Connection, text: string): void {
    if (this.#isDisposed) return
    const message = readMessage(text)
    if (message?.kind === 'request') this.#router.take(connection, message)
    else if (message?.kind === 'answer') this.#requests.accept(connection, message)
  }

  /** What a client is told behind its handshake. */
  #greet(connection: Connection): void {
    const name = connection.client?.name
    assert(name !== undefined, 'a client that is greeted has initialized')
    if (isPeer(connection)) return
    this.#options.onFirstClient?.(name)
    for (const warning of this.#options.configWarnings ?? []) {
      connection.notify('configWarning', { ...warning } as unknown as JsonObject)
    }
    void this.#tellRemoteControl(connection)
  }

  /** Remote control is never on; clients of 0.133.0 are told so. */
  async #tellRemoteControl(connection: Connection): Promise<void> {
    // Without an id a client is told of none: it is only shown.
    const installationId = await this.#context.installationId().catch(() => null)
    const about = { serverName: hostname(), installationId, environmentId: null }
    connection.notify('remoteControl/status/changed', { status: 'disabled', ...about })
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
    for (const connection of this.#connections) connection.notify(method, params)
  }
}
