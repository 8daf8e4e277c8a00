import type { Clock } from '../../base/index.ts'

/** Where a model is served, and how patient to be with it. */
export interface ModelProvider {
  readonly id: string
  readonly name: string
  /** Without trailing slash; `/responses` is added. */
  readonly baseUrl: string
  /** Sent as `Authorization: Bearer`; never logged. */
  readonly bearerToken: string | undefined
  readonly headers: { readonly [name: string]: string }
  readonly queryParams: { readonly [name: string]: string }
  readonly requestMaxRetries: number
  readonly streamMaxRetries: number
  readonly streamIdleTimeoutMs: number
  /** Whether sessions ask over a WebSocket that they keep; false unless told. */
  readonly supportsWebsockets?: boolean
  /** How long the WebSocket's handshake may take; 15 seconds unless told. */
  readonly websocketConnectTimeoutMs?: number
}

export interface ResponsesClientOptions {
  readonly provider: ModelProvider
  readonly clock: Clock
  /** Name of the client program, for `originator` and `user-agent`. */
  readonly originator: string
  readonly version: string
  /** Id of the home, told to the endpoint as `x-codex-installation-id`. */
  readonly installationId: () => Promise<string>
}
