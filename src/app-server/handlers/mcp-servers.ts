import * as z from 'zod/mini'
import type { Json } from '../../base/index.ts'
import { inspectMcpServers, type McpInventory, readMcpResource } from '../../core/index.ts'
import { method, plainMethod } from '../protocol/method.ts'
import { pageOf } from '../protocol/pages.ts'
import { count, json, optional } from '../protocol/schema.ts'
import { type Route, route } from '../router.ts'
import type { ServerContext } from '../server-context.ts'
import { loadedThread } from './thread-ids.ts'

type ServerConfig = ReturnType<ServerContext['loadConfig']>['mcpServers'][number]

const statusList = method('mcpServerStatus/list', () =>
  z.object({
    cursor: optional(z.string()),
    limit: optional(count),
    detail: optional(z.enum(['full', 'toolsAndAuthOnly'])),
    threadId: optional(z.string()),
  }),
)
const reload = plainMethod('config/mcpServer/reload', { queueKey: () => 'config' })
const toolCall = method('mcpServer/tool/call', () =>
  z.object({
    threadId: z.string(),
    server: z.string(),
    tool: z.string(),
    arguments: optional(json),
    _meta: optional(json),
  }),
)
const resourceRead = method('mcpServer/resource/read', () =>
  z.object({ threadId: optional(z.string()), server: z.string(), uri: z.string() }),
)

const NOTHING: McpInventory = { tools: {}, resources: [], resourceTemplates: [] }

/** What clients ask of MCP servers. Source: observed, 0.133.0. */
export function mcpServerRoutes(context: ServerContext): Route[] {
  const { cwd, environment = process.env, clock, version } = context
  const around = { cwd, environment, clock, version }
  return [
    // The servers of the configuration, whatever thread is named: so it is in 0.133.0.
    route(statusList, async ({ detail, ...params }) => {
      const all = [...context.loadConfig([]).mcpServers]
      all.sort((a, b) => (a.name < b.name ? -1 : 1))
      const page = pageOf(all, params, 'MCP servers')
      const hasResources = detail !== 'toolsAndAuthOnly'
      const found = await inspectMcpServers({ ...around, servers: page.data, hasResources })
      const data = page.data.map((server): Json => {
        const offered = found.get(server.name) ?? NOTHING
        return {
          name: server.name,
          ...offered,
          authStatus: authStatusOf(server),
        } as unknown as Json
      })
      return { data, nextCursor: page.nextCursor }
    }),
    // Threads read the configuration when they start: those to come have the new servers.
    route(reload, async () => ({})),
    route(toolCall, async ({ threadId, _meta: meta, ...call }) => {
      return await loadedThread(context, threadId).callMcpTool({ ...call, meta })
    }),
    route(resourceRead, async ({ threadId, server, uri }) => {
      if (threadId !== undefined) {
        return await loadedThread(context, threadId).readMcpResource(server, uri)
      }
      const servers = context.loadConfig([]).mcpServers
      return await readMcpResource({ ...around, servers, server, uri })
    }),
  ]
}

function authStatusOf({ endpoint }: ServerConfig): 'bearerToken' | 'unsupported' {
  const hasToken =
    endpoint.kind === 'http' &&
    (endpoint.bearerToken !== undefined ||
      endpoint.bearerTokenEnvVar !== undefined ||
      [...Object.keys(endpoint.headers), ...Object.keys(endpoint.envHeaders)].some(
        (header) => header.toLowerCase() === 'authorization',
      ))
  return hasToken ? 'bearerToken' : 'unsupported'
}
