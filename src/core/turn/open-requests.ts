import { randomUUID } from 'node:crypto'
import { errorText } from '../../base/index.ts'
import type {
  ClientAnswer,
  ClientRequest,
  ClientRequestKind,
  ClientRequestParams,
  SessionEvent,
} from '../../protocol/index.ts'
import type { Client, ClientRegistry, ClientWatcher } from '../session/client-registry.ts'
import { type Clients, NoAnswer } from '../tools/tool.ts'

interface OpenRequest {
  readonly request: ClientRequest
  readonly asked: Map<Client, AbortController>
  readonly answer: PromiseWithResolvers<unknown>
}

/**
 * What one turn, or something beside the turns, has asked and nobody has answered yet. Every client
 * that can answer is asked, also one that comes later; the first answer counts. Closing it lets go
 * of whatever is still open.
 */
export class OpenRequests implements Clients, Disposable {
  readonly #registry: ClientRegistry
  readonly #turnId: string | null
  readonly #signal: AbortSignal
  readonly #tell: (event: SessionEvent) => void
  readonly #open = new Map<string, OpenRequest>()
  readonly #watching: Disposable

  constructor(
    registry: ClientRegistry,
    turnId: string | null,
    signal: AbortSignal,
    tell: (event: SessionEvent) => void,
  ) {
    this.#registry = registry
    this.#turnId = turnId
    this.#signal = signal
    this.#tell = tell
    const watcher: ClientWatcher = {
      onJoined: (client) => this.#offerAll(client),
      onLeft: (client) => this.#forget(client),
    }
    this.#watching = registry.watch(watcher)
    signal.addEventListener('abort', this.#letGo, { once: true })
  }

  canAsk(kind: ClientRequestKind): boolean {
    return this.#registry.clientsFor(kind).length > 0
  }

  async ask<K extends ClientRequestKind>(
    kind: K,
    params: ClientRequestParams<K>,
  ): Promise<ClientAnswer<K>> {
    this.#signal.throwIfAborted()
    const clients = this.#registry.clientsFor(kind)
    if (clients.length === 0) throw new NoAnswer('there is nobody to ask here')
    const id = randomUUID()
    const request = { kind, id, turnId: this.#turnId, params } as unknown as ClientRequest
    const open = { request, asked: new Map(), answer: Promise.withResolvers<unknown>() }
    this.#open.set(id, open)
    this.#tell({ type: 'requestOpened', turnId: this.#turnId, request })
    for (const client of clients) this.#offer(open, client)
    try {
      return (await open.answer.promise) as ClientAnswer<K>
    } finally {
      for (const asked of open.asked.values()) asked.abort()
      // Those that the turn's end cuts off are told behind it.
      if (!this.#signal.aborted) this.#resolve(id)
    }
  }

  /** The turn's end has been told: nothing of it is open any longer. */
  [Symbol.dispose](): void {
    this.#watching[Symbol.dispose]()
    this.#signal.removeEventListener('abort', this.#letGo)
    for (const id of [...this.#open.keys()]) this.#resolve(id)
  }

  readonly #letGo = (): void => {
    for (const { answer } of this.#open.values()) answer.reject(this.#signal.reason)
  }

  #resolve(requestId: string): void {
    if (!this.#open.delete(requestId)) return
    this.#tell({ type: 'requestResolved', turnId: this.#turnId, requestId })
  }

  #offerAll(client: Client): void {
    for (const open of this.#open.values()) {
      if (client.answers(open.request.kind) && !this.#signal.aborted) this.#offer(open, client)
    }
  }

  #offer(open: OpenRequest, client: Client): void {
    const asking = new AbortController()
    open.asked.set(client, asking)
    client.answer(open.request, asking.signal).then(open.answer.resolve, (error: unknown) => {
      open.asked.delete(client)
      // One that has left was not asked in vain: another may come and answer.
      if (asking.signal.aborted || open.asked.size > 0) return
      open.answer.reject(new NoAnswer(errorText(error), error))
    })
  }

  #forget(client: Client): void {
    for (const { asked } of this.#open.values()) {
      const asking = asked.get(client)
      asked.delete(client)
      asking?.abort()
    }
  }
}
