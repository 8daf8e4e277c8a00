import type { Json, JsonObject } from '../base/index.ts'
import type { Connection } from './connection.ts'
import type { RequestId, RpcAnswer } from './protocol/jsonrpc.ts'

/** An answer as it came: what is made of it, the one who has asked decides. */
export type ClientReply = { readonly result: Json } | { readonly error: JsonObject }

interface Pending {
  readonly method: string
  readonly params: JsonObject
  readonly asked: Set<Connection>
  readonly replied: (reply: ClientReply) => void
}

/**
 * What this process has asked its clients. One request goes to many, with one id; the first answer
 * of one who was asked counts, and all others are passed over.
 * Source: `reference/app-server.md` 8.
 */
export class ServerRequests {
  readonly #pending = new Map<RequestId, Pending>()
  #nextId = 0

  /** `replied` is called at most once; nobody is asked yet. */
  open(method: string, params: JsonObject, replied: (reply: ClientReply) => void): number {
    const id = this.#nextId
    this.#nextId += 1
    this.#pending.set(id, { method, params, asked: new Set(), replied })
    return id
  }

  /** Asks one more client; nothing happens when the request is over. */
  ask(id: number, connection: Connection): void {
    const pending = this.#pending.get(id)
    if (!pending || pending.asked.has(connection)) return
    pending.asked.add(connection)
    connection.ask(id, pending.method, pending.params)
  }

  /** The client has left: its answer does not count until it is asked again. */
  withdraw(id: number, connection: Connection): void {
    this.#pending.get(id)?.asked.delete(connection)
  }

  /** The request is moot, or answered: no answer counts from now on. */
  close(id: number): void {
    this.#pending.delete(id)
  }

  accept(connection: Connection, { id, result, error }: RpcAnswer): void {
    const pending = this.#pending.get(id)
    if (!pending?.asked.has(connection)) return
    this.#pending.delete(id)
    pending.replied(error ? { error } : { result: result ?? null })
  }

  forget(connection: Connection): void {
    for (const { asked } of this.#pending.values()) asked.delete(connection)
  }
}
