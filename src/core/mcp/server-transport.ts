import type { Transport } from '@modelcontextprotocol/client'
import type { Clock } from '../../base/index.ts'
import { openHttpTransport } from './http-transport.ts'
import type { McpError } from './mcp-error.ts'
import type { HttpEndpoint, StdioEndpoint } from './server-config.ts'
import { StdioTransport } from './stdio-transport.ts'

/** How long a server may take to take note of the end of an HTTP session. */
const GOODBYE_MS = 1000

export interface Surroundings {
  /** Where servers run. */
  readonly cwd: string
  readonly environment: NodeJS.ProcessEnv
  readonly clock: Clock
}

export interface ServerTransport {
  readonly transport: Transport
  /** Closes it for good, in bounded time. Idempotent. */
  end(): Promise<void>
  /** Why we have given the server up; undefined when it is simply gone, or still there. */
  failure(): McpError | undefined
  /** What the server last said beside the protocol; empty when it said nothing. */
  lastWords(): string
}

/** Throws `McpError`. */
export async function serverTransport(
  endpoint: StdioEndpoint | HttpEndpoint,
  { cwd, environment, clock }: Surroundings,
): Promise<ServerTransport> {
  if (endpoint.kind === 'stdio') {
    const transport = new StdioTransport({ endpoint, cwd, environment, clock })
    return {
      transport,
      end: () => transport.close(),
      failure: () => transport.failure,
      lastWords: () => transport.lastWords,
    }
  }
  const { transport, failure } = await openHttpTransport(endpoint, environment)
  const end = async () => {
    const grace = new AbortController()
    const waited = clock.sleep(GOODBYE_MS, grace.signal).catch(() => undefined)
    // A server that does not hear of it lets the session expire.
    const toldIt = transport.terminateSession().catch(() => undefined)
    await Promise.race([toldIt, waited])
    grace.abort()
    await transport.close()
  }
  let ending: Promise<void> | undefined
  return {
    transport,
    end: () => {
      ending ??= end()
      return ending
    },
    failure,
    lastWords: () => '',
  }
}
