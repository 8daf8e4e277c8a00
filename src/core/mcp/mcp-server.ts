import { type Clock, errorText, type JsonObject } from '../../base/index.ts'
import { untilAborted } from '../until-aborted.ts'
import { answerElicitation } from './elicitation.ts'
import { type ClientIdentity, McpClient, type ServerTool } from './mcp-client.ts'
import type { McpContext } from './mcp-context.ts'
import { failureText, McpError } from './mcp-error.ts'
import { PausableDeadline } from './pausable-deadline.ts'
import type { McpServerConfig } from './server-config.ts'
import { type ServerTransport, type Surroundings, serverTransport } from './server-transport.ts'

/** Questions of one server that may be open at once; more are declined. */
const MOST_QUESTIONS = 8
const MOST_LAST_WORDS = 500

export type StartStatus = 'starting' | 'ready' | 'failed' | 'cancelled'

export interface McpServerOptions extends Surroundings, ClientIdentity {
  readonly onStatus: (status: StartStatus, error: string | null) => void
  /** The list of tools is another one now. */
  readonly onToolsChanged: () => void
}

interface RunningCall {
  readonly context: McpContext
  readonly deadline: PausableDeadline
}

type State =
  | { readonly name: 'connecting'; readonly opening: Promise<McpClient> }
  | { readonly name: 'ready'; readonly client: McpClient }
  /** It was ready once; the next call tries to reach it again. */
  | { readonly name: 'lost' }
  | { readonly name: 'failed'; readonly error: McpError }
  | { readonly name: 'closed' }

/** One configured server, from its start on. It connects in the background when made. */
export class McpServer implements AsyncDisposable {
  readonly config: McpServerConfig
  readonly #options: McpServerOptions
  readonly #clock: Clock
  readonly #closing = new AbortController()
  readonly #running = new Set<RunningCall>()
  readonly #started: Promise<void>
  #state: State
  #instructions: string | undefined
  #tools: readonly ServerTool[] = []
  #refreshing: Promise<void> | undefined
  #isStale = false
  #questions = 0
  /** Ends of connections that were lost. */
  #ends: Promise<unknown> = Promise.resolve()

  constructor(config: McpServerConfig, options: McpServerOptions) {
    this.config = config
    this.#options = options
    this.#clock = options.clock
    options.onStatus('starting', null)
    const opening = this.#open()
    this.#state = { name: 'connecting', opening }
    this.#started = this.#settleStart(opening)
  }

  get instructions(): string | undefined {
    return this.#instructions
  }

  /** Stays as it was while the server is out of reach. */
  get tools(): readonly ServerTool[] {
    return this.#tools
  }

  get isReady(): boolean {
    return this.#state.name === 'ready' || this.#state.name === 'lost'
  }

  /** Why it did not start; undefined when it did, or is about to. */
  get startFailure(): McpError | undefined {
    return this.#state.name === 'failed' ? this.#state.error : undefined
  }

  /** Resolves once it is known which tools there are, or that there are none. */
  async ready(): Promise<void> {
    await this.#started
    await this.#refreshing
  }

  /**
   * One request for a running call, within the server's time limit. A server that was lost is
   * reached for once more. Throws `McpError`, or the turn's reason.
   */
  async request(method: string, params: JsonObject, context: McpContext): Promise<JsonObject> {
    const client = await untilAborted(this.#connected(), context.signal)
    const ms = this.config.toolTimeoutMs
    const late = `timed out awaiting ${method} after ${ms / 1000}s`
    using deadline = new PausableDeadline(ms, this.#clock, () => new McpError('tool_timeout', late))
    const call = { context, deadline }
    this.#running.add(call)
    try {
      const signal = AbortSignal.any([context.signal, deadline.signal])
      return await client.request(method, params, signal)
    } catch (error) {
      if (error instanceof McpError && error.code === 'disconnected') this.#lose(client)
      throw error
    } finally {
      this.#running.delete(call)
    }
  }

  /** Idempotent. Ends the connection, and a child process with all its own. */
  async [Symbol.asyncDispose](): Promise<void> {
    const state = this.#state
    this.#state = { name: 'closed' }
    this.#closing.abort(new McpError('disconnected', 'the session has been closed'))
    if (state.name === 'ready') await state.client[Symbol.asyncDispose]()
    // Whatever was being opened ends by the signal, and closes what it had.
    if (state.name === 'connecting') await state.opening.catch(() => undefined)
    await this.#started
    await this.#refreshing
    await this.#ends
  }

  async #settleStart(opening: Promise<McpClient>): Promise<void> {
    const { onStatus } = this.#options
    try {
      await opening
      onStatus('ready', null)
    } catch (error) {
      if (this.#closing.signal.aborted) onStatus('cancelled', null)
      else onStatus('failed', this.#startupText(error))
    }
  }

  #startupText(error: unknown): string {
    const { name, startupTimeoutMs } = this.config
    if (error instanceof McpError && error.code === 'startup_timeout') {
      return (
        `MCP client for \`${name}\` timed out after ${startupTimeoutMs / 1000} seconds. ` +
        'Add or adjust `startup_timeout_sec` in your config.toml:\n' +
        `[mcp_servers.${name}]\nstartup_timeout_sec = XX`
      )
    }
    return `MCP client for \`${name}\` failed to start: MCP startup failed: ${errorText(error)}`
  }

  /** A client that is ready; a lost server is reached for again. */
  #connected(): Promise<McpClient> {
    const state = this.#state
    if (state.name === 'connecting') return state.opening
    if (state.name === 'ready') return Promise.resolve(state.client)
    if (state.name === 'failed') return Promise.reject(state.error)
    if (state.name === 'closed') return Promise.reject(this.#closing.signal.reason)
    const opening = this.#open()
    this.#state = { name: 'connecting', opening }
    return opening
  }

  /** Leaves the state at `ready`, or at what it was before when it rejects. */
  async #open(): Promise<McpClient> {
    const before = this.#state?.name === 'lost' ? ({ name: 'lost' } as const) : undefined
    const { startupTimeoutMs } = this.config
    const late = `timed out handshaking with MCP server after ${startupTimeoutMs / 1000}s`
    using deadline = new PausableDeadline(
      startupTimeoutMs,
      this.#clock,
      () => new McpError('startup_timeout', late),
    )
    const signal = AbortSignal.any([this.#closing.signal, deadline.signal])
    try {
      const client = await this.#connect(signal)
      if (this.#closing.signal.aborted) {
        await client[Symbol.asyncDispose]()
        throw this.#closing.signal.reason
      }
      this.#state = { name: 'ready', client }
      // The list may have changed while it was being read.
      if (this.#isStale) this.#refresh()
      return client
    } catch (error) {
      const failure = error instanceof McpError ? error : wrapped(error)
      if (!this.#closing.signal.aborted) {
        this.#state = before ?? { name: 'failed', error: failure }
      }
      throw failure
    }
  }

  async #connect(signal: AbortSignal): Promise<McpClient> {
    const server = await serverTransport(this.config.endpoint, this.#options)
    const opened: { client?: McpClient } = {}
    const events = {
      onToolsChanged: () => this.#refresh(),
      onClosed: () => this.#lose(opened.client),
      onElicitation: (params: JsonObject) => this.#elicit(params),
    }
    try {
      const connecting = McpClient.connect(server, this.#options, events, signal)
      const client = await untilAborted(connecting, signal)
      opened.client = client
      this.#instructions = client.instructions
      this.#takeTools(await client.listTools(signal))
      signal.throwIfAborted()
      return client
    } catch (error) {
      await server.end()
      signal.throwIfAborted()
      throw explained(error, server)
    }
  }

  #lose(client: McpClient | undefined): void {
    if (!client || this.#state.name !== 'ready' || this.#state.client !== client) return
    this.#state = { name: 'lost' }
    // What is left of it: the process of a server that closed its output, or an HTTP session.
    const end = client[Symbol.asyncDispose]().catch(() => undefined)
    this.#ends = Promise.all([this.#ends, end])
  }

  #takeTools(tools: readonly ServerTool[]): void {
    this.#tools = tools
    this.#options.onToolsChanged()
  }

  /** Asks for the tools again, once more for what changes meanwhile. */
  #refresh(): void {
    this.#isStale = true
    this.#refreshing ??= this.#fetchTools().finally(() => {
      this.#refreshing = undefined
    })
  }

  async #fetchTools(): Promise<void> {
    while (this.#isStale && this.#state.name === 'ready') {
      this.#isStale = false
      using deadline = new PausableDeadline(
        this.config.startupTimeoutMs,
        this.#clock,
        () => new McpError('startup_timeout', 'timed out awaiting tools/list'),
      )
      const signal = AbortSignal.any([this.#closing.signal, deadline.signal])
      try {
        this.#takeTools(await this.#state.client.listTools(signal))
      } catch {
        // The old list stays; a call of a tool that is gone is refused by the server.
      }
    }
  }

  /** A question comes on behalf of the call that began last; servers do not say of which. */
  async #elicit(params: JsonObject): Promise<JsonObject> {
    const call = [...this.#running].at(-1)
    if (!call || this.#questions >= MOST_QUESTIONS) return { action: 'decline' }
    this.#questions += 1
    try {
      using _asking = call.deadline.pause()
      return await answerElicitation(this.config.name, params, call.context)
    } finally {
      this.#questions -= 1
    }
  }
}

function wrapped(error: unknown): McpError {
  return new McpError('unreachable', failureText(error), error)
}

function explained(error: unknown, server: ServerTransport): McpError {
  const told = error instanceof McpError ? error : wrapped(error)
  const more = server.lastWords().slice(0, MOST_LAST_WORDS)
  if (more === '') return told
  return new McpError(
    told.code,
    `handshaking with MCP server failed: ${told.message}: ${more}`,
    told,
  )
}
