import type {
  ClientAnswer,
  ClientRequest,
  ClientRequestKind,
  ClientRequestParams,
} from '../../protocol/index.ts'

/**
 * What a client of a thread can answer. The signal aborts when another client was faster, or the
 * request is moot: nobody waits for the answer then. A handler that throws has no answer.
 */
export type ClientHandlers = {
  readonly [K in ClientRequestKind]?: (
    params: ClientRequestParams<K>,
    about: { readonly id: string; readonly turnId: string | null; readonly signal: AbortSignal },
  ) => Promise<ClientAnswer<K>>
}

/** Hears of clients that come and go. */
export interface ClientWatcher {
  onJoined(client: Client): void
  onLeft(client: Client): void
}

/** One who can answer, from its registration on. */
export class Client {
  readonly #handlers: ClientHandlers

  constructor(handlers: ClientHandlers) {
    this.#handlers = handlers
  }

  answers(kind: ClientRequestKind): boolean {
    return this.#handlers[kind] !== undefined
  }

  /** Rejects when the client has no answer. */
  async answer(request: ClientRequest, signal: AbortSignal): Promise<unknown> {
    const handler = this.#handlers[request.kind] as
      | ((params: unknown, about: object) => Promise<unknown>)
      | undefined
    return await handler?.(request.params, { id: request.id, turnId: request.turnId, signal })
  }
}

/** The clients of one session that can be asked something. */
export class ClientRegistry {
  readonly #clients = new Set<Client>()
  readonly #watchers = new Set<ClientWatcher>()

  /** Asks `handlers` too, also what is open already, until the result is disposed. */
  join(handlers: ClientHandlers): Disposable {
    const client = new Client(handlers)
    this.#clients.add(client)
    for (const watcher of this.#watchers) watcher.onJoined(client)
    return {
      [Symbol.dispose]: () => {
        if (!this.#clients.delete(client)) return
        for (const watcher of this.#watchers) watcher.onLeft(client)
      },
    }
  }

  clientsFor(kind: ClientRequestKind): Client[] {
    return [...this.#clients].filter((client) => client.answers(kind))
  }

  watch(watcher: ClientWatcher): Disposable {
    this.#watchers.add(watcher)
    return { [Symbol.dispose]: () => void this.#watchers.delete(watcher) }
  }
}
