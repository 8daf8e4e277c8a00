import type { Client, StandardSchemaV1 } from '@modelcontextprotocol/client'
import { arrayAt, isObject, type JsonObject, stringAt } from '../../base/index.ts'
import { picked, TOOL_MEMBERS } from './listed-members.ts'
import { failureText, McpError } from './mcp-error.ts'
import type { ServerTransport } from './server-transport.ts'

/** Limits of what a server may offer. */
const MOST_PAGES = 100
const MOST_TOOLS = 2000
/** Of the descriptions of all tools, as JSON; what comes behind is left out. */
const MOST_LIST_CHARACTERS = 16 * 1024 * 1024
const MOST_INSTRUCTION_CHARACTERS = 64 * 1024
const MOST_DESCRIPTION_CHARACTERS = 64 * 1024
const MOST_TITLE_CHARACTERS = 1024

/** Time is kept by whoever asks; the package's own limit is out of the way. */
const NO_TIMEOUT_MS = 2 ** 31 - 1

/** A tool as its server describes it. */
export interface ServerTool {
  readonly name: string
  readonly title?: string
  readonly description: string
  readonly inputSchema: JsonObject
  readonly annotations: JsonObject
  /** As the server lists it: the members that the protocol knows. */
  readonly listed: JsonObject
}

export interface McpClientEvents {
  /** The server's list of tools may be another one now. */
  onToolsChanged(): void
  /** Nothing can be asked any more. */
  onClosed(): void
  /** A request of the server's own: its answer, or what it is refused with. */
  onElicitation(params: JsonObject, signal: AbortSignal): Promise<JsonObject>
}

export interface ClientIdentity {
  readonly version: string
}

/** Takes any answer as it is: what it may be is checked where it is used. */
const anything: StandardSchemaV1<unknown, unknown> = {
  '~standard': { version: 1, vendor: 'bobbin', validate: (value) => ({ value }) },
}

/** An established connection to one server. */
export class McpClient implements AsyncDisposable {
  readonly instructions: string | undefined
  readonly #client: Client
  readonly #protocolError: typeof import('@modelcontextprotocol/client').ProtocolError
  readonly #server: ServerTransport

  private constructor(
    client: Client,
    protocolError: typeof import('@modelcontextprotocol/client').ProtocolError,
    server: ServerTransport,
  ) {
    this.#client = client
    this.#protocolError = protocolError
    this.#server = server
    this.instructions = client.getInstructions()?.slice(0, MOST_INSTRUCTION_CHARACTERS)
  }

  /**
   * Shakes hands. Throws what the transport or the server said, or the signal's reason; the
   * transport is then left to the caller.
   */
  static async connect(
    server: ServerTransport,
    identity: ClientIdentity,
    events: McpClientEvents,
    signal: AbortSignal,
  ): Promise<McpClient> {
    const { Client, ProtocolError } = await import('@modelcontextprotocol/client')
    signal.throwIfAborted()
    const info = { name: 'bobbin-mcp-client', title: 'Bobbin', version: identity.version }
    const client = new Client(info, { capabilities: { elicitation: { form: {}, url: {} } } })
    client.setRequestHandler(
      'elicitation/create',
      { params: anything },
      async (params, { mcpReq }) => {
        return await events.onElicitation(isObject(params) ? params : {}, mcpReq.signal)
      },
    )
    const changed = 'notifications/tools/list_changed'
    client.setNotificationHandler(changed, { params: anything }, () => events.onToolsChanged())
    // What a server sends out of turn is no reason to stop; a lost connection is told by `onclose`.
    client.onerror = () => undefined
    client.onclose = () => events.onClosed()
    await client.connect(server.transport, { signal, timeout: NO_TIMEOUT_MS })
    return new McpClient(client, ProtocolError, server)
  }

  /** All tools, each name once. Throws `McpError`, or the signal's reason. */
  async listTools(signal: AbortSignal): Promise<ServerTool[]> {
    if (!this.#client.getServerCapabilities()?.tools) return []
    const tools = new Map<string, ServerTool>()
    let cursor: string | undefined
    let left = MOST_LIST_CHARACTERS
    for (let page = 0; page < MOST_PAGES; page += 1) {
      const params = cursor === undefined ? {} : { cursor }
      const result = await this.request('tools/list', params, signal)
      left -= JSON.stringify(result).length
      for (const each of arrayAt(result, 'tools') ?? []) {
        const tool = isObject(each) ? serverTool(each) : undefined
        if (tool && tools.size < MOST_TOOLS) tools.set(tool.name, tool)
      }
      cursor = stringAt(result, 'nextCursor')
      if (cursor === undefined || left <= 0 || tools.size >= MOST_TOOLS) break
    }
    return [...tools.values()]
  }

  /**
   * One request; an abort cancels it at the server too. Throws the signal's reason, and `McpError`:
   * `refused`, `bad_answer`, `disconnected`.
   */
  async request(method: string, params: JsonObject, signal: AbortSignal): Promise<JsonObject> {
    signal.throwIfAborted()
    let result: unknown
    try {
      const options = { signal, timeout: NO_TIMEOUT_MS }
      result = await this.#client.request({ method, params }, anything, options)
    } catch (error) {
      signal.throwIfAborted()
      throw this.#failure(error)
    }
    if (isObject(result) && canBeWritten(result)) return result
    throw new McpError('bad_answer', 'Unexpected response type')
  }

  /** Idempotent. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.end()
  }

  #failure(error: unknown): McpError {
    if (error instanceof McpError) return error
    if (!this.#protocolError.isInstance(error)) {
      const text = this.#server.failure()?.message ?? failureText(error)
      return new McpError('disconnected', text, error)
    }
    const { code, message, data } = error
    const details = data === undefined ? '' : `(${JSON.stringify(data)})`
    return new McpError('refused', `Mcp error: ${code}: ${message}${details}`, error)
  }
}

/** An answer may be nested deeper than JSON can be written. */
function canBeWritten(value: JsonObject): boolean {
  try {
    JSON.stringify(value)
    return true
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
}

/** Undefined for one without a usable name. */
function serverTool(tool: JsonObject): ServerTool | undefined {
  const name = stringAt(tool, 'name')
  if (!name || name.length > MOST_TITLE_CHARACTERS) return undefined
  const title = stringAt(tool, 'title')
  const { annotations, inputSchema } = tool
  return {
    name,
    ...(title === undefined ? {} : { title: title.slice(0, MOST_TITLE_CHARACTERS) }),
    description: (stringAt(tool, 'description') ?? '').slice(0, MOST_DESCRIPTION_CHARACTERS),
    inputSchema: isObject(inputSchema) ? inputSchema : {},
    annotations: isObject(annotations) ? annotations : {},
    listed: picked(tool, TOOL_MEMBERS),
  }
}
