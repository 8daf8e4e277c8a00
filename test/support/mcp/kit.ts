/** MCP servers of a session without a session: what is kept and told can be looked at. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { Clock, JsonObject } from '../../../src/base/index.ts'
import { systemClock } from '../../../src/base/index.ts'
import { type McpServerConfig, McpServers } from '../../../src/core/mcp/index.ts'
import { EventHub } from '../../../src/core/session/event-hub.ts'
import { EventRecorder } from '../../../src/core/session/event-recorder.ts'
import type { SessionSettings } from '../../../src/core/settings.ts'
import type { Clients, Tool, ToolContext } from '../../../src/core/tools/tool.ts'
import { TurnDiff } from '../../../src/core/turn/turn-diff.ts'
import type { RolloutItem, SessionEvent, ToolOutput } from '../../../src/protocol/index.ts'
import type { LiveThread } from '../../../src/thread-store/index.ts'
import { noClients } from '../clients.ts'

const DEFAULTS = {
  isEnabled: true,
  isRequired: false,
  startupTimeoutMs: 30_000,
  toolTimeoutMs: 120_000,
  disabledTools: [],
  approvalMode: 'auto',
  toolApprovalModes: {},
} as const

export function stdioConfig(
  script: 'stdio-server' | 'broken-server',
  args: readonly string[] = [],
  more: Partial<McpServerConfig> = {},
): McpServerConfig {
  const path = join(import.meta.dirname, `${script}.ts`)
  return {
    ...DEFAULTS,
    name: 'fake',
    endpoint: {
      kind: 'stdio',
      command: process.execPath,
      args: [path, ...args],
      env: {},
      envVars: [],
    },
    ...more,
  }
}

export function httpConfig(url: string, more: Partial<McpServerConfig> = {}): McpServerConfig {
  return {
    ...DEFAULTS,
    name: 'fake',
    endpoint: { kind: 'http', url, headers: {}, envHeaders: {} },
    ...more,
  }
}

export interface McpKitOptions {
  readonly clock?: Clock
  readonly environment?: NodeJS.ProcessEnv
  readonly settings?: Partial<SessionSettings>
}

export class McpKit implements AsyncDisposable {
  readonly servers: McpServers
  readonly kept: RolloutItem[] = []
  readonly told: SessionEvent[] = []
  readonly statuses: string[] = []
  /** Ends the turn of all calls. */
  stop = new AbortController()
  clients: Clients = noClients
  settings: SessionSettings
  readonly #recorder: EventRecorder
  #calls = 0

  constructor(configs: readonly McpServerConfig[], options: McpKitOptions = {}) {
    const hub = new EventHub()
    hub.listen((event) => this.told.push(event))
    const append = async (items: readonly RolloutItem[]) => void this.kept.push(...items)
    this.#recorder = new EventRecorder({ append } as unknown as LiveThread, hub)
    this.settings = {
      cwd: import.meta.dirname,
      model: 'm',
      modelProvider: 'p',
      approvalPolicy: 'never',
      sandboxPolicy: { type: 'danger-full-access' },
      ...options.settings,
    }
    this.servers = new McpServers({
      servers: configs,
      version: '0.0.0',
      threadId: 'thread-1',
      cwd: this.settings.cwd,
      environment: options.environment ?? { PATH: process.env.PATH },
      clock: options.clock ?? systemClock,
      tell: ({ server, status, error }) =>
        this.statuses.push([server, status, error].filter((part) => part !== null).join(' ')),
    })
  }

  static async open(
    configs: readonly McpServerConfig[],
    options: McpKitOptions = {},
  ): Promise<McpKit> {
    const kit = new McpKit(configs, options)
    await kit.servers.ready()
    return kit
  }

  get names(): string[] {
    return this.servers.tools().map(({ name, namespace }) => `${namespace?.name}${name}`)
  }

  tool(name: string): Tool {
    const all = [...this.servers.resourceTools, ...this.servers.tools()]
    return all.find((tool) => tool.name === name) ?? assert.fail(`there is no tool ${name}`)
  }

  /** What the model reads, with the time taken out. `input`: arguments, or text as it is. */
  async call(name: string, input: JsonObject | string = {}): Promise<ToolOutput> {
    this.#calls += 1
    const output = await this.tool(name).run(
      {
        callId: `call_${this.#calls}`,
        name,
        kind: 'function',
        input: typeof input === 'string' ? input : JSON.stringify(input),
      },
      this.context(),
    )
    return timeless(output)
  }

  context(): ToolContext {
    return {
      turnId: 'turn',
      settings: this.settings,
      recorder: this.#recorder,
      clients: this.clients,
      turnDiff: new TurnDiff('/'),
      remember: async () => undefined,
      interruptTurn: () => this.stop.abort(),
      signal: this.stop.signal,
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.servers[Symbol.asyncDispose]()
  }
}

function timeless(output: ToolOutput): ToolOutput {
  if (typeof output === 'string') return output.replace(/Wall time: [\d.]+ s/, 'Wall time: <t> s')
  return output.map((part) =>
    typeof part.text === 'string' ? { ...part, text: timeless(part.text) as string } : part,
  )
}
