import { arch, platform, release } from 'node:os'
import * as z from 'zod'
import type { Json, JsonObject } from '../base/index.ts'
import type { Connection } from './connection.ts'
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

/** What may stand in an HTTP header, where the name ends up. */
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/

export interface ServerName {
  readonly home: string
  readonly version: string
}

/**
 * Takes a client in, and answers what it is told of the server. Throws `RpcError` and changes
 * nothing when the request is bad. Source: `reference/app-server.md` 2.
 */
export function greet(
  connection: Connection,
  params: Json | undefined,
  { home, version }: ServerName,
): JsonObject {
  const { clientInfo, capabilities } = parseParams(INITIALIZE, params)
  if (connection.client) throw invalid('Already initialized')
  const { name, version: clientVersion } = clientInfo
  if (!HEADER_VALUE.test(name)) {
    const reason = 'Must be a valid HTTP header value.'
    throw invalid(`Invalid clientInfo.name: '${name}'. ${reason}`)
  }
  connection.initialize({
    name,
    version: clientVersion,
    hasExperimentalApi: capabilities?.experimentalApi ?? false,
    hasEventCursors: capabilities?.eventCursors ?? false,
    optOuts: new Set(capabilities?.optOutNotificationMethods ?? []),
  })
  const system = `${platform()} ${release()}; ${arch()}`
  return {
    userAgent: `${name}/${version} (${system}) bobbin (${name}; ${clientVersion})`,
    codexHome: home,
    platformFamily: platform() === 'win32' ? 'windows' : 'unix',
    platformOs: platform() === 'darwin' ? 'macos' : platform(),
  }
}
