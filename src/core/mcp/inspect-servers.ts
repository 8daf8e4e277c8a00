import type { JsonObject } from '../../base/index.ts'
import { NoAnswer } from '../tools/tool.ts'
import type { McpInventory } from './client-calls.ts'
import type { McpContext } from './mcp-context.ts'
import { McpServers } from './mcp-servers.ts'
import type { McpServerConfig } from './server-config.ts'
import type { Surroundings } from './server-transport.ts'

export interface InspectServers extends Surroundings {
  readonly servers: readonly McpServerConfig[]
  /** Told to the servers. */
  readonly version: string
}

/** Nobody is asked anything: there is no thread whose clients could be. */
const ALONE: McpContext = {
  clients: {
    canAsk: () => false,
    ask: () => Promise.reject(new NoAnswer('there is nobody to ask here')),
  },
  settings: {
    cwd: '/',
    model: '',
    modelProvider: '',
    approvalPolicy: 'never',
    sandboxPolicy: { type: 'read-only' },
  },
  signal: new AbortController().signal,
}

/**
 * What each server offers, by its name. All are started for it, and ended again; one that does not
 * start, or is switched off, offers nothing.
 */
export async function inspectMcpServers(
  params: InspectServers & { readonly hasResources: boolean },
): Promise<ReadonlyMap<string, McpInventory>> {
  await using servers = opened(params)
  return await servers.inventories(params.hasResources, ALONE)
}

/** Reads from a server that is started for it, and ended again. Throws `McpError`. */
export async function readMcpResource(
  params: InspectServers & { readonly server: string; readonly uri: string },
): Promise<JsonObject> {
  const named = params.servers.filter(({ name }) => name === params.server)
  await using servers = opened({ ...params, servers: named })
  return await servers.readResource(params.server, params.uri, ALONE)
}

function opened(params: InspectServers): McpServers {
  return new McpServers({ ...params, threadId: '', tell: () => undefined })
}
