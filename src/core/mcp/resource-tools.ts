import { arrayAt, errorText, isObject, type Json, type JsonObject } from '../../base/index.ts'
import { SessionError } from '../errors.ts'
import {
  ArgumentsError,
  type ArgumentValues,
  type Fields,
  readArguments,
} from '../tools/exec/index.ts'
import type { Tool, ToolCall, ToolContext } from '../tools/tool.ts'
import { type Outcome, recorded } from './call-record.ts'
import { allEntries } from './list-entries.ts'
import type { McpServer } from './mcp-server.ts'
import { plainOutput } from './tool-output.ts'

/** The server of a call that names none. */
const ALL_SERVERS = 'codex'

const LIST_FIELDS = {
  server: { type: 'string', presence: 'optional' },
  cursor: { type: 'string', presence: 'optional' },
} as const satisfies Fields

const READ_FIELDS = {
  server: { type: 'string', presence: 'required' },
  uri: { type: 'string', presence: 'required' },
} as const satisfies Fields

export interface ResourceToolParts {
  /** The server of a name. Throws for one that is not there. */
  readonly serverOf: (name: string) => McpServer
  /** Those that can be asked. */
  readonly servers: () => readonly McpServer[]
  readonly monotonicMs: () => number
}

interface Listing {
  readonly name: string
  readonly method: string
  readonly key: string
  readonly description: string
  readonly serverText: string
}

const LISTINGS: readonly Listing[] = [
  {
    name: 'list_mcp_resources',
    method: 'resources/list',
    key: 'resources',
    description: 'Lists what MCP servers offer to read: files, database schemas and the like.',
    serverText: 'Name of one MCP server. Default: all of them.',
  },
  {
    name: 'list_mcp_resource_templates',
    method: 'resources/templates/list',
    key: 'resourceTemplates',
    description: 'Lists templates of URIs that MCP servers can read once parameters are filled in.',
    serverText: 'Name of one MCP server. Default: all of them.',
  },
]

/** The functions by which the model lists and reads the resources of MCP servers. */
export function resourceTools(parts: ResourceToolParts): Tool[] {
  const lists = LISTINGS.map((listing) =>
    resourceTool(parts, listing.name, listSpec(listing), listing.method, (call, context) => {
      const { args, given } = parsed(call.input, 'ListResourcesArgs', LIST_FIELDS)
      return {
        server: args.server ?? ALL_SERVERS,
        arguments: given,
        answer: () => list(parts, listing, args, context),
      }
    }),
  )
  const read = resourceTool(
    parts,
    'read_mcp_resource',
    readSpec(),
    'resources/read',
    (call, context) => {
      const { args, given } = parsed(call.input, 'ReadResourceArgs', READ_FIELDS)
      const { server, uri } = args
      const answer = async () => {
        const result = await ask(parts, server, 'resources/read', { uri }, context, ` (${uri})`)
        return { server, uri, ...result }
      }
      return { server, arguments: given, answer }
    },
  )
  return [...lists, read]
}

/** Without a place in the text where the text is valid JSON: so real Codex complains here. */
function parsed<const F extends Fields>(
  input: string,
  structName: string,
  fields: F,
): { readonly args: ArgumentValues<F>; readonly given: Json } {
  if (input.trim() === '') return { args: readArguments('{}', structName, fields), given: null }
  try {
    const args = readArguments(input, structName, fields)
    const given = JSON.parse(input) as Json
    // What is nested deeper than can be written could not be kept either.
    JSON.stringify(given)
    return { args, given }
  } catch (error) {
    if (!(error instanceof ArgumentsError) || !isJson(input)) throw error
    throw new Error(error.message.replace(/ at line \d+ column \d+$/, ''), { cause: error })
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

interface ResourceCall {
  readonly server: string
  readonly arguments: Json
  readonly answer: () => Promise<JsonObject>
}

function resourceTool(
  parts: ResourceToolParts,
  name: string,
  spec: JsonObject,
  method: string,
  prepare: (call: ToolCall, context: ToolContext) => ResourceCall,
): Tool {
  return {
    name,
    kind: 'function',
    spec,
    isParallel: () => true,
    run: async (call, context) => {
      const { server, arguments: args, answer } = prepare(call, context)
      const invocation = { callId: call.callId, server, tool: name, arguments: args }
      const outcome = await recorded(invocation, context, () =>
        outcomeOf(method, answer, context, parts.monotonicMs),
      )
      return plainOutput('failure' in outcome ? outcome.failure : textOf(outcome.result))
    },
  }
}

async function outcomeOf(
  method: string,
  answer: () => Promise<JsonObject>,
  { signal }: ToolContext,
  monotonicMs: () => number,
): Promise<Outcome> {
  const startedMs = monotonicMs()
  const durationMs = () => Math.round(monotonicMs() - startedMs)
  try {
    const text = JSON.stringify(await answer())
    const result = { content: [{ type: 'text', text }], isError: false }
    return { result, durationMs: durationMs() }
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof SessionError) throw error
    return { failure: `${method} failed: ${errorText(error)}`, durationMs: durationMs() }
  }
}

function textOf(result: JsonObject): string {
  const [part] = arrayAt(result, 'content') ?? []
  return isObject(part) && typeof part.text === 'string' ? part.text : ''
}

async function list(
  parts: ResourceToolParts,
  listing: Listing,
  { server, cursor }: { readonly server?: string; readonly cursor?: string },
  context: ToolContext,
): Promise<JsonObject> {
  const { method, key } = listing
  if (server === undefined) {
    if (cursor !== undefined) throw new Error('cursor can only be used when a server is specified')
    const lists = await Promise.all(
      parts.servers().map(async (each) => {
        const entries = await allEntries(each, { method, key }, context)
        return entries.map((entry) => ({ server: each.config.name, ...entry }))
      }),
    )
    return { [key]: lists.flat() }
  }
  const params = cursor === undefined ? {} : { cursor }
  const result = await ask(parts, server, method, params, context)
  const { nextCursor } = result
  const entries = entriesOf(result, key, server)
  return { server, [key]: entries, ...(typeof nextCursor === 'string' ? { nextCursor } : {}) }
}

function entriesOf(result: JsonObject, key: string, server: string): JsonObject[] {
  return (arrayAt(result, key) ?? []).filter(isObject).map((entry) => ({ server, ...entry }))
}

async function ask(
  { serverOf }: ResourceToolParts,
  name: string,
  method: string,
  params: JsonObject,
  context: ToolContext,
  what = '',
): Promise<JsonObject> {
  const server = serverOf(name)
  try {
    return await server.request(method, params, context)
  } catch (error) {
    context.signal.throwIfAborted()
    throw new Error(`${method} failed for \`${name}\`${what}: ${errorText(error)}`, {
      cause: error,
    })
  }
}

const text = (description: string): JsonObject => ({ type: 'string', description })

function listSpec({ name, description, serverText }: Listing): JsonObject {
  return {
    type: 'function',
    name,
    description,
    strict: false,
    parameters: {
      type: 'object',
      properties: {
        cursor: text('nextCursor of an earlier call for the same server.'),
        server: text(serverText),
      },
      additionalProperties: false,
    },
  }
}

function readSpec(): JsonObject {
  return {
    type: 'function',
    name: 'read_mcp_resource',
    description: 'Reads a resource of an MCP server.',
    strict: false,
    parameters: {
      type: 'object',
      properties: {
        server: text('Name of the MCP server, as list_mcp_resources gives it.'),
        uri: text('URI of the resource, as list_mcp_resources gives it.'),
      },
      required: ['server', 'uri'],
      additionalProperties: false,
    },
  }
}
