/** What clients ask MCP servers for themselves, in the words of codex 0.133.0. */
import { arrayAt, errorText, isObject, type Json, type JsonObject } from '../../base/index.ts'
import { allEntries } from './list-entries.ts'
import { CONTENT_MEMBERS, picked, RESOURCE_MEMBERS, TEMPLATE_MEMBERS } from './listed-members.ts'
import type { McpContext } from './mcp-context.ts'
import { McpError } from './mcp-error.ts'
import type { McpServer } from './mcp-server.ts'
import { allowsTool } from './server-config.ts'
import { callResult } from './tool-output.ts'

export interface McpToolCall {
  readonly server: string
  readonly tool: string
  /** An object; null and undefined are none. */
  readonly arguments?: Json | undefined
  /** Goes along to the server, likewise. */
  readonly meta?: Json | undefined
}

/** What a server that has started offers; nothing of one that has not. */
export interface McpInventory {
  /** By name, as the server lists them; those that the configuration allows. */
  readonly tools: { readonly [name: string]: JsonObject }
  readonly resources: readonly JsonObject[]
  readonly resourceTemplates: readonly JsonObject[]
}

/** Throws `McpError`. */
export async function callToolOf(
  server: McpServer,
  call: McpToolCall,
  threadId: string,
  context: McpContext,
): Promise<JsonObject> {
  const { name } = server.config
  await started(server)
  if (!allowsTool(server.config, call.tool)) {
    throw new McpError('refused', `tool '${call.tool}' is disabled for MCP server '${name}'`)
  }
  try {
    const meta = objectOf(call.meta, 'MCP tool request _meta')
    const args = objectOf(call.arguments, 'MCP tool arguments')
    const params = {
      _meta: { ...meta, threadId },
      name: call.tool,
      ...(args === undefined ? {} : { arguments: args }),
    }
    const result = callResult(await server.request('tools/call', params, context))
    if (!result) throw new McpError('bad_answer', 'Unexpected response type')
    return result
  } catch (error) {
    throw failed(error, `tool call failed for \`${name}/${call.tool}\``, context)
  }
}

/** Throws `McpError`. */
export async function readResourceOf(
  server: McpServer,
  uri: string,
  context: McpContext,
): Promise<JsonObject> {
  await started(server)
  try {
    const result = await server.request('resources/read', { uri }, context)
    const contents = arrayAt(result, 'contents')
    if (!contents?.every(isObject)) throw new McpError('bad_answer', 'Unexpected response type')
    return { contents: contents.map((content) => picked(content, CONTENT_MEMBERS)) }
  } catch (error) {
    throw failed(error, `resources/read failed for \`${server.config.name}\` (${uri})`, context)
  }
}

/** With `hasResources` false, only its tools are looked at. */
export async function inventoryOf(
  server: McpServer,
  hasResources: boolean,
  context: McpContext,
): Promise<McpInventory> {
  await server.ready()
  if (!server.isReady) return { tools: {}, resources: [], resourceTemplates: [] }
  const allowed = server.tools.filter(({ name }) => allowsTool(server.config, name))
  const tools = Object.fromEntries(allowed.map(({ name, listed }) => [name, listed]))
  const list = async (method: string, key: string, members: readonly string[]) => {
    if (!hasResources) return []
    const entries = await allEntries(server, { method, key }, context)
    return entries.map((entry) => picked(entry, members))
  }
  const [resources, resourceTemplates] = await Promise.all([
    list('resources/list', 'resources', RESOURCE_MEMBERS),
    list('resources/templates/list', 'resourceTemplates', TEMPLATE_MEMBERS),
  ])
  return { tools, resources, resourceTemplates }
}

async function started(server: McpServer): Promise<void> {
  await server.ready()
  const failure = server.startFailure
  if (!failure) return
  const text = `failed to get client: MCP startup failed: ${failure.message}`
  throw new McpError(failure.code, text, failure)
}

function objectOf(value: Json | undefined, what: string): JsonObject | undefined {
  if (value === undefined || value === null) return undefined
  if (isObject(value)) return value
  throw new McpError('refused', `${what} must be a JSON object, got ${JSON.stringify(value)}`)
}

function failed(error: unknown, what: string, { signal }: McpContext): unknown {
  if (signal.aborted || !(error instanceof McpError)) return error
  return new McpError(error.code, `${what}: ${errorText(error)}`, error)
}
