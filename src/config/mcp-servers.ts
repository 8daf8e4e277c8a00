import type { ConfigValues } from './config-values.ts'

const APPROVAL_MODES = ['auto', 'prompt', 'approve'] as const

type ApprovalMode = (typeof APPROVAL_MODES)[number]

export interface StdioEndpointConfig {
  readonly kind: 'stdio'
  readonly command: string
  readonly args: readonly string[]
  readonly env: { readonly [name: string]: string }
  /** Variables handed on. */
  readonly envVars: readonly string[]
  readonly cwd?: string
}

export interface HttpEndpointConfig {
  readonly kind: 'http'
  readonly url: string
  readonly bearerToken?: string
  /** Looked up when the server is connected to. */
  readonly bearerTokenEnvVar?: string
  readonly headers: { readonly [name: string]: string }
  readonly envHeaders: { readonly [name: string]: string }
}

/** A server of `[mcp_servers.<name>]`. */
export interface McpServerConfig {
  readonly name: string
  readonly endpoint: StdioEndpointConfig | HttpEndpointConfig
  readonly isEnabled: boolean
  readonly isRequired: boolean
  readonly startupTimeoutMs: number
  readonly toolTimeoutMs: number
  /** Absent: all tools. */
  readonly enabledTools?: readonly string[]
  readonly disabledTools: readonly string[]
  readonly approvalMode: ApprovalMode
  readonly toolApprovalModes: { readonly [tool: string]: ApprovalMode }
}

/** Observed: codex 0.133.0. */
const STARTUP_TIMEOUT_MS = 30_000
const TOOL_TIMEOUT_MS = 120_000
/** As long as a timer can be. */
const MOST_TIMEOUT_MS = 2 ** 31 - 1

/** The configured servers, also those that are not enabled, in the order of the file. */
export function readMcpServers(values: ConfigValues): McpServerConfig[] {
  const servers = values.table('mcp_servers')
  return servers.keys().map((name) => {
    if (!/^[A-Za-z0-9_-]+$/.test(name)) {
      throw servers.invalid(name, 'is no name for a server: use letters, digits, - and _')
    }
    return readServer(name, servers.table(name))
  })
}

function readServer(name: string, table: ConfigValues): McpServerConfig {
  const enabledTools = table.texts('enabled_tools')
  const tools = table.table('tools')
  const modes = tools.keys().flatMap((tool): [string, ApprovalMode][] => {
    const mode = tools.table(tool).oneOf('approval_mode', APPROVAL_MODES)
    return mode === undefined ? [] : [[tool, mode]]
  })
  return {
    name,
    endpoint: readEndpoint(table),
    isEnabled: table.flag('enabled') ?? true,
    isRequired: table.flag('required') ?? false,
    startupTimeoutMs:
      seconds(table, 'startup_timeout_sec') ??
      table.count('startup_timeout_ms', MOST_TIMEOUT_MS) ??
      STARTUP_TIMEOUT_MS,
    toolTimeoutMs: seconds(table, 'tool_timeout_sec') ?? TOOL_TIMEOUT_MS,
    ...(enabledTools === undefined ? {} : { enabledTools }),
    disabledTools: table.texts('disabled_tools') ?? [],
    approvalMode: table.oneOf('default_tools_approval_mode', APPROVAL_MODES) ?? 'auto',
    toolApprovalModes: Object.fromEntries(modes),
  }
}

function readEndpoint(table: ConfigValues): McpServerConfig['endpoint'] {
  const command = table.text('command')
  const url = table.text('url')
  if (command !== undefined && url !== undefined) {
    throw table.invalid('url', 'cannot be beside command: a server has one of them')
  }
  if (command !== undefined) return readStdio(command, table)
  if (url === undefined) throw table.invalid('command', 'is missing, and so is url')
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw table.invalid('url', 'is no http or https URL')
  }
  const bearerToken = table.text('bearer_token')
  const bearerTokenEnvVar = table.text('bearer_token_env_var')
  return {
    kind: 'http',
    url,
    ...(bearerToken === undefined ? {} : { bearerToken }),
    ...(bearerTokenEnvVar === undefined ? {} : { bearerTokenEnvVar }),
    headers: { ...table.textTable('http_headers') },
    envHeaders: { ...table.textTable('env_http_headers') },
  }
}

function readStdio(command: string, table: ConfigValues): StdioEndpointConfig {
  if (command === '') throw table.invalid('command', 'is empty')
  const cwd = table.text('cwd')
  return {
    kind: 'stdio',
    command,
    args: table.texts('args') ?? [],
    env: { ...table.textTable('env') },
    envVars: table.texts('env_vars') ?? [],
    ...(cwd === undefined ? {} : { cwd }),
  }
}

/** Milliseconds of a positive number of seconds; a larger one than can be waited counts as that. */
function seconds(table: ConfigValues, key: string): number | undefined {
  const value = table.raw(key)
  if (value === undefined) return undefined
  if (typeof value !== 'number' || !(value > 0)) {
    throw table.invalid(key, `must be a number of seconds, but is ${JSON.stringify(value)}`)
  }
  return Math.min(Math.ceil(value * 1000), MOST_TIMEOUT_MS)
}
