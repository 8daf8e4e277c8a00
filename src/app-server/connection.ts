import type { Json, JsonObject } from '../base/index.ts'
import type { RequestId, RpcError } from './protocol/jsonrpc.ts'

/** Where a connection's messages go. One message is one JSON text without a newline. */
export interface Wire {
  /** Never throws and never waits: a wire whose client does not read ends by itself. */
  send(text: string): void
}

export interface ClientInfo {
  readonly name: string
  readonly version: string
  readonly hasExperimentalApi: boolean
  /** Whether what it is told of threads carries cursors to go on from. Bobbin's own. */
  readonly hasEventCursors: boolean
  /** Names of notifications that it does not want. */
  readonly optOuts: ReadonlySet<string>
}

/** One client: what it is and what it is told. */
export class Connection {
  readonly #wire: Wire
  #client: ClientInfo | undefined
  readonly #closed = new AbortController()

  constructor(wire: Wire) {
    this.#wire = wire
  }

  /** Undefined until it has initialized. */
  get client(): ClientInfo | undefined {
    return this.#client
  }

  get isClosed(): boolean {
    return this.#closed.signal.aborted
  }

  initialize(client: ClientInfo): void {
    this.#client = client
  }

  /** Aborts when the client has gone: what belongs to it ends then. */
  get closed(): AbortSignal {
    return this.#closed.signal
  }

  /** Runs `work` once the client has gone, at once if it has; until the result is disposed. */
  onClose(work: () => void): Disposable {
    if (this.isClosed) work()
    else this.closed.addEventListener('abort', work, { once: true })
    return { [Symbol.dispose]: () => this.closed.removeEventListener('abort', work) }
  }

  close(): void {
    this.#closed.abort()
  }

  respond(id: RequestId, result: Json): void {
    this.#send({ id, result })
  }

  /** Without an id when the request could not be read. */
  fail(id: RequestId | null, { code, message, data }: RpcError): void {
    this.#send({ id, error: { code, message, ...(data === undefined ? {} : { data }) } })
  }

  /** An answer that another process has given. */
  relay(id: RequestId, { result, error }: { readonly result?: Json; readonly error?: JsonObject }) {
    this.#send({ id, ...(error ? { error } : { result: result ?? null }) })
  }

  /** Nothing is told before the handshake. */
  notify(method: string, params: JsonObject): void {
    if (this.#client && !this.#client.optOuts.has(method)) this.#send({ method, params })
  }

  /** As `notify`, of a text that many get. */
  notifyText(method: string, text: string): void {
    if (!this.isClosed && this.#client && !this.#client.optOuts.has(method)) this.#wire.send(text)
  }

  ask(id: RequestId, method: string, params: JsonObject): void {
    this.#send({ id, method, params })
  }

  #send(message: JsonObject): void {
    if (!this.isClosed) this.#wire.send(JSON.stringify(message))
  }
}
