import type { ClientPort } from '../app-server.ts'
import type { Wire } from '../connection.ts'

/** How a transport came to its end by itself. */
export interface TransportEnd {
  readonly reason: string
  /** It was not the client's wish. */
  readonly isFailure: boolean
}

/** Carries messages between clients and the server. Its owner closes it. */
export interface Transport {
  /** Resolves when no client is there any more and none can come; never rejects. */
  readonly ended: Promise<TransportEnd>
  /** Sends what waits, then ends all connections: within a few seconds in any case. Idempotent. */
  close(): Promise<void>
}

/** What a transport needs of the server. */
export interface Serving {
  connect(wire: Wire): ClientPort
  /** A line for whoever runs the server. Never holds a secret. */
  log(line: string): void
}
