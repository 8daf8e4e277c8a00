import { hostname } from 'node:os'
import {
  aFunction,
  anAbsolutePath,
  assert,
  aText,
  errorText,
  type JsonObject,
  members,
} from '../base/index.ts'
import { usualClient, welcomeOf } from './client-info.ts'
import { type ClientInfo, Connection, type Wire } from './connection.ts'
import { isPeer } from './peer-client.ts'
import {
  invalid,
  overloaded,
  RpcError,
  type RpcMessage,
  type RpcRequest,
  readMessage,
  requestIdOf,
} from './protocol/jsonrpc.ts'
import type { ServerContext } from './server-context.ts'
import type { ThreadServer } from './thread-server.ts'

/** The threads that are served. */
export type ThreadRuntime = Pick<ServerContext, 'manager' | 'store'>

export interface AppServerOptions
  extends Omit<ServerContext, 'manager' | 'store' | 'feed' | 'feedOf' | 'broadcast'> {
  /**
   * Asked for behind the first handshake, and again only after it has failed; closed by whoever
   * made it.
   */
  readonly runtime: () => ThreadRuntime | Promise<ThreadRuntime>
  /** Hears the name of the first client: it is the originator of what this process starts. */
  readonly onFirstClient?: (name: string) => void
}

/** One client's way in. */
export interface ClientPort {
  /** A message as it came. */
  receive(text: string): void
  /** A message that cannot be taken: the client is told why. `text` is what can be read of it. */
  refuse(reason: string, text?: string): void
  /** The client has gone: what it waits for is not done, its turns go on. */
  close(): void
}

const OPTIONS = members({
  runtime: aFunction,
  clock: members({ nowMs: aFunction }),
  home: anAbsolutePath,
  cwd: anAbsolutePath,
  version: aText,
  loadConfig: aFunction,
  installationId: aFunction,
})

const A_WIRE = members({ send: aFunction })

/** More messages than this do not wait for the server to be ready. */
const MOST_WAITING = 128

/**
 * Serves the app-server protocol to any number of clients, whatever the transport. Threads belong
 * to the process: they stay loaded when their clients leave. Disposing it stops serving; the
 * manager's owner closes the threads.
 *
 * The usual handshake is answered at once. What serves everything else takes longer to load than
 * that, and is loaded behind it; messages that come meanwhile wait, in order.
 */
export class AppServer implements AsyncDisposable {
  readonly #options: AppServerOptions
  readonly #connections = new Set<Connection>()
  readonly #waiting: { readonly connection: Connection; readonly message: RpcMessage }[] = []
  #threads: ThreadServer | undefined
  #runtime: ThreadRuntime | undefined
  #loading: Promise<ThreadServer | undefined> | undefined
  #isShared = false
  #isDisposed = false

  /** Throws `TypeError` for options that make no server. */
  constructor(options: AppServerOptions) {
    const fault = OPTIONS(options, 'options')
    if (fault !== undefined) throw new TypeError(`AppServer: ${fault}`)
    this.#options = options
  }

  connect(wire: Wire): ClientPort {
    const fault = A_WIRE(wire, 'wire')
    if (fault !== undefined) throw new TypeError(`connect: ${fault}`)
    const connection = new Connection(wire)
    this.#connections.add(connection)
    return {
      receive: (text) => this.#receive(connection, text),
      refuse: (reason, text) => refuse(connection, reason, text),
      close: () => {
        connection.close()
        this.#connections.delete(connection)
        this.#threads?.forget(connection)
      },
    }
  }

  /**
   * Lets other processes of the home serve the threads of this one, until the result is disposed.
   * Dispose it when the threads are closed: whoever misses one then can load it.
   */
  offerToPeers(): AsyncDisposable {
    this.#isShared = true
    return {
      [Symbol.asyncDispose]: async () => {
        await this.#loading
        await this.#threads?.leavePeers()
      },
    }
  }

  /**
   * What is served, as JSON Schemas by their titles: requests of clients, results, notifications
   * and requests of the server.
   */
  async schemas(): Promise<{ readonly [title: string]: JsonObject }> {
    const threads = await this.#load()
    assert(threads, 'what is served can be loaded')
    const [methods, { INITIALIZE }, { requestSchema }, { toldSchemas }] = await Promise.all([
      threads.methods(),
      import('./handshake.ts'),
      import('./protocol/request-schema.ts'),
      import('./protocol/told/index.ts'),
    ])
    return { ClientRequest: requestSchema([INITIALIZE, ...methods]), ...toldSchemas() }
  }

  /** What is served, once it is there; undefined when no client has asked for anything. */
  async loaded(): Promise<ThreadRuntime | undefined> {
    await this.#loading
    return this.#runtime
  }

  /** Resolves when no request is being served. */
  async settled(): Promise<void> {
    await this.#loading
    await this.#threads?.settled()
  }

  /** Whether a turn of some thread runs. */
  get isBusy(): boolean {
    return this.#threads?.isBusy ?? false
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nobody is there any more who could end what has no time limit.
    for (const connection of this.#connections) connection.close()
    await this.settled()
    this.#isDisposed = true
    await this.#threads?.[Symbol.asyncDispose]()
  }

  #receive(connection: Connection, text: string): void {
    if (this.#isDisposed) return
    let message: RpcMessage
    try {
      message = readMessage(text)
    } catch (error) {
      assert(error instanceof RpcError, 'what is no message is told as such')
      connection.fail(null, error)
      return
    }
    if (this.#mustWait(connection, message)) this.#wait(connection, message)
    else this.#take(connection, message)
  }

  /** Messages of one client keep their order. */
  #mustWait(connection: Connection, message: RpcMessage): boolean {
    if (this.#threads) return false
    const isFirst = !this.#waiting.some((each) => each.connection === connection)
    return !isFirst || !isHandshake(message) || !newClient(connection, message)
  }

  #wait(connection: Connection, message: RpcMessage): void {
    if (this.#waiting.length < MOST_WAITING) this.#waiting.push({ connection, message })
    else if (message.kind === 'request') connection.fail(message.id, overloaded())
    void this.#load()
  }

  #take(connection: Connection, message: RpcMessage): void {
    if (isHandshake(message)) this.#greet(connection, message)
    else this.#threads?.take(connection, message)
  }

  #greet(connection: Connection, { id, params }: RpcRequest): void {
    try {
      const client = newClient(connection, { params }) ?? this.#threads?.handshake(params)
      assert(client, 'an unusual handshake waits for what can read it')
      if (connection.client) throw invalid('Already initialized')
      connection.initialize(client)
      connection.respond(id, welcomeOf(client, this.#options))
    } catch (error) {
      if (!(error instanceof RpcError)) throw error
      connection.fail(id, error)
      return
    }
    this.#welcome(connection)
    // Its answer goes out first.
    setImmediate(() => void this.#load())
  }

  #load(): Promise<ThreadServer | undefined> {
    if (this.#isDisposed) return Promise.resolve(undefined)
    this.#loading ??= this.#loadThreads().then(
      (threads) => this.#begin(threads),
      (error) => this.#giveUp(error),
    )
    return this.#loading
  }

  async #loadThreads(): Promise<ThreadServer> {
    const { ThreadServer } = await import('./thread-server.ts')
    this.#runtime = await this.#options.runtime()
    return new ThreadServer({
      ...this.#options,
      ...this.#runtime,
      connections: this.#connections,
      connectPeer: this.#isShared ? (wire) => this.connect(wire) : undefined,
    })
  }

  #begin(threads: ThreadServer): ThreadServer {
    this.#threads = threads
    for (const { connection, message } of this.#waiting.splice(0)) this.#take(connection, message)
    return threads
  }

  /** The next message tries again. */
  #giveUp(error: unknown): undefined {
    this.#loading = undefined
    const reason = `the server could not be loaded: ${errorText(error)}`
    process.emitWarning(reason)
    for (const { connection, message } of this.#waiting.splice(0)) {
      const text = `${reason}; the next message tries again`
      const failure = new RpcError('internal', text, undefined, error)
      if (message.kind === 'request') connection.fail(message.id, failure)
    }
  }

  /** What a client is told behind its handshake. */
  #welcome(connection: Connection): void {
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
    const installationId = await this.#options.installationId().catch(() => null)
    const about = { serverName: hostname(), installationId, environmentId: null }
    connection.notify('remoteControl/status/changed', { status: 'disabled', ...about })
  }
}

function isHandshake(message: RpcMessage): message is RpcRequest {
  return message.kind === 'request' && message.method === 'initialize'
}

/** Who has come with a handshake of the usual shape, and not before. */
function newClient(
  connection: Connection,
  { params }: Pick<RpcRequest, 'params'>,
): ClientInfo | undefined {
  return connection.client ? undefined : usualClient(params)
}

/** A client that knows which of its requests it was need not wait for the answer. */
function refuse(connection: Connection, reason: string, text: string | undefined): void {
  connection.fail(text === undefined ? null : requestIdOf(text), new RpcError('parseError', reason))
}
