import { randomUUID } from 'node:crypto'
import { bobbinVersion, type Clock, givenOf, systemClock } from '../../base/index.ts'

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

/** Whom a client asks, and as whom. */
export interface ModelEndpoint {
  readonly provider: ModelProvider
  readonly clock: Clock
  /** Name of the client program, for `originator` and `user-agent`. */
  readonly originator: string
  readonly version: string
  /** Id of the home, told to the endpoint as `x-codex-installation-id`. */
  readonly installationId: () => Promise<string>
}

/** An endpoint as it is asked for; `provider.baseUrl` is all that is needed. */
export interface ResponsesClientOptions extends Partial<Omit<ModelEndpoint, 'provider'>> {
  readonly provider: Pick<ModelProvider, 'baseUrl'> & Partial<ModelProvider>
}

/** Retries and patience are 0.133.0's. Source: `reference/session-runtime.md` C7. */
export function completeEndpoint({ provider, ...options }: ResponsesClientOptions): ModelEndpoint {
  const installation = randomUUID()
  return {
    clock: systemClock,
    originator: 'bobbin',
    version: bobbinVersion(),
    installationId: async () => installation,
    ...givenOf(options),
    provider: {
      id: 'custom',
      name: 'custom',
      bearerToken: undefined,
      headers: {},
      queryParams: {},
      requestMaxRetries: 4,
      streamMaxRetries: 5,
      streamIdleTimeoutMs: 300_000,
      ...givenOf(provider),
    },
  }
}
