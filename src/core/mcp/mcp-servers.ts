import type { JsonObject } from '../../base/index.ts'
import type { SessionEvent } from '../../protocol/index.ts'
import { SessionError } from '../errors.ts'
import type { Tool, ToolSource } from '../tools/tool.ts'
import {
  callToolOf,
  inventoryOf,
  type McpInventory,
  type McpToolCall,
  readResourceOf,
} from './client-calls.ts'
import type { ServerTool } from './mcp-client.ts'
import type { McpContext } from './mcp-context.ts'
import { McpError } from './mcp-error.ts'
import { McpServer } from './mcp-server.ts'
import { resourceTools } from './resource-tools.ts'
import { allowsTool, type McpServerConfig } from './server-config.ts'
import { serverTool } from './server-tool.ts'
import type { Surroundings } from './server-transport.ts'
import { ToolApprovals } from './tool-approval.ts'
import { type CallableName, callableNames } from './tool-names.ts'

type StatusEvent = Extract<SessionEvent, { type: 'mcpServerStatus' }>

export interface McpServersOptions extends Surroundings {
  readonly servers: readonly McpServerConfig[]
  /** Told to the servers. */
  readonly version: string
  readonly threadId: string
  /** Hears how the start of each server goes. */
  readonly tell: (event: StatusEvent) => void
}

/** The MCP servers of a session: all enabled ones are connected to when it is made. */
export class McpServers implements ToolSource {
  /** Functions about the resources of servers; none where there are no servers. */
  readonly resourceTools: readonly Tool[]
  readonly #options: McpServersOptions
  readonly #servers: readonly McpServer[]
  readonly #approvals = new ToolApprovals()
  /** Undefined when a list has changed since. */
  #tools: readonly Tool[] | undefined

  constructor(options: McpServersOptions) {
    this.#options = options
    const enabled = options.servers.filter((config) => config.isEnabled)
    this.#servers = enabled.map((config) => this.#start(config))
    this.resourceTools =
      enabled.length === 0
        ? []
        : resourceTools({
            serverOf: (name) => this.#serverOf(name),
            servers: () => this.#servers.filter((server) => server.isReady),
            monotonicMs: () => options.clock.monotonicMs(),
          })
  }

  /** Throws `SessionError` `not_started`, with all required servers that did not start. */
  async ready(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.ready()))
    const failures = this.#servers.flatMap(({ config, startFailure }) =>
      config.isRequired && startFailure ? [`${config.name}: ${startFailure.message}`] : [],
    )
    if (failures.length === 0) return
    const reason = `required MCP servers failed to initialize: ${failures.join(', ')}`
    throw new SessionError('not_started', reason)
  }

  /** The tools of servers that are ready, in the order of their names. */
  tools(): readonly Tool[] {
    this.#tools ??= this.#namedTools()
    return this.#tools
  }

  get configured(): readonly McpServerConfig[] {
    return this.#options.servers
  }

  /** Throws `McpError`. */
  async callTool(call: McpToolCall, context: McpContext): Promise<JsonObject> {
    const { threadId } = this.#options
    return await callToolOf(this.#serverOf(call.server), call, threadId, context)
  }

  /** Throws `McpError`. */
  async readResource(server: string, uri: string, context: McpContext): Promise<JsonObject> {
    return await readResourceOf(this.#serverOf(server), uri, context)
  }

  /** What each enabled server offers, by its name. */
  async inventories(
    hasResources: boolean,
    context: McpContext,
  ): Promise<ReadonlyMap<string, McpInventory>> {
    const found = this.#servers.map(async (server) => {
      return [server.config.name, await inventoryOf(server, hasResources, context)] as const
    })
    return new Map(await Promise.all(found))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#servers.map((server) => server[Symbol.asyncDispose]()))
  }

  #start(config: McpServerConfig): McpServer {
    const { tell } = this.#options
    return new McpServer(config, {
      ...this.#options,
      onStatus: (status, error) => {
        tell({ type: 'mcpServerStatus', turnId: null, server: config.name, status, error })
      },
      onToolsChanged: () => {
        this.#tools = undefined
      },
    })
  }

  #serverOf(name: string): McpServer {
    const server = this.#servers.find(({ config }) => config.name === name)
    if (server) return server
    throw new McpError('unreachable', `unknown MCP server '${name}'`)
  }

  #namedTools(): Tool[] {
    const offered = this.#servers.flatMap((server) =>
      server.tools
        .filter((tool) => allowsTool(server.config, tool.name))
        .map((tool) => ({ server, tool })),
    )
    const names = callableNames(
      offered.map(({ server, tool }) => ({ server: server.config.name, tool: tool.name })),
    )
    const tools = offered.map(({ server, tool }, index) => {
      const name = names[index] ?? { namespace: '', name: tool.name }
      return this.#tool(server, tool, name)
    })
    return tools.sort(byName)
  }

  #tool(server: McpServer, tool: ServerTool, { namespace, name }: CallableName): Tool {
    const description = server.instructions || `Tools in the ${namespace} namespace.`
    const meta: JsonObject = { threadId: this.#options.threadId }
    return serverTool({
      server,
      tool,
      name,
      namespace: { name: namespace, description },
      approvals: this.#approvals,
      meta,
      monotonicMs: () => this.#options.clock.monotonicMs(),
    })
  }
}

function byName(one: Tool, other: Tool): number {
  return (
    compare(one.namespace?.name ?? '', other.namespace?.name ?? '') || compare(one.name, other.name)
  )
}

function compare(one: string, other: string): number {
  return one < other ? -1 : Number(one > other)
}
