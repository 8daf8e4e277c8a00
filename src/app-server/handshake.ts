import * as z from 'zod/mini'
import type { Json } from '../base/index.ts'
import { isHeaderValue } from './client-info.ts'
import type { ClientInfo } from './connection.ts'
import { invalid } from './protocol/jsonrpc.ts'
import { method, parseParams } from './protocol/method.ts'
import { optional, struct, texts } from './protocol/schema.ts'

export const INITIALIZE = method('initialize', () =>
  z.object({
    clientInfo: struct('ClientInfo', {
      name: z.string(),
      title: optional(z.string()),
      version: z.string(),
    }),
    capabilities: optional(
      struct('InitializeCapabilities', {
        experimentalApi: optional(z.boolean()),
        requestAttestation: optional(z.boolean()),
        optOutNotificationMethods: optional(texts),
        /** Bobbin's own: notifications of threads carry `eventCursor`. */
        eventCursors: optional(z.boolean()),
      }),
    ),
  }),
)

/** What a client tells of itself. Throws `RpcError`. Source: `reference/app-server.md` 2. */
export function parseHandshake(params: Json | undefined): ClientInfo {
  const { clientInfo, capabilities } = parseParams(INITIALIZE, params)
  const { name, version } = clientInfo
  if (!isHeaderValue(name)) {
    const reason = 'Must be a valid HTTP header value.'
    throw invalid(`Invalid clientInfo.name: '${name}'. ${reason}`)
  }
  return {
    name,
    version,
    hasExperimentalApi: capabilities?.experimentalApi ?? false,
    hasEventCursors: capabilities?.eventCursors ?? false,
    optOuts: new Set(capabilities?.optOutNotificationMethods ?? []),
  }
}
