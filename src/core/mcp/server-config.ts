/** When a tool of a server needs a person's consent. */
export type ToolApprovalMode =
  /** Where the server's own annotations do not call the tool harmless. */
  'auto' | 'prompt' | 'approve'

/** A server that is a child process, spoken to over its input and output. */
export interface StdioEndpoint {
  readonly kind: 'stdio'
  readonly command: string
  readonly args: readonly string[]
  /** Set for the server alone. */
  readonly env: { readonly [name: string]: string }
  /** Variables handed on, beside the few that every server gets. */
  readonly envVars: readonly string[]
  /** Absent: the thread's folder. */
  readonly cwd?: string
}

/** A server that is reached over streamable HTTP. */
export interface HttpEndpoint {
  readonly kind: 'http'
  readonly url: string
  readonly bearerToken?: string
  /** Variable with the token; it is read when the server is connected to. */
  readonly bearerTokenEnvVar?: string
  readonly headers: { readonly [name: string]: string }
  /** Header names to variables with their values. */
  readonly envHeaders: { readonly [name: string]: string }
}

/** An MCP server of `[mcp_servers.<name>]`. */
export interface McpServerConfig {
  readonly name: string
  readonly endpoint: StdioEndpoint | HttpEndpoint
  readonly isEnabled: boolean
  /** A session does not work without it. */
  readonly isRequired: boolean
  readonly startupTimeoutMs: number
  readonly toolTimeoutMs: number
  /** Absent: all tools. */
  readonly enabledTools?: readonly string[]
  readonly disabledTools: readonly string[]
  readonly approvalMode: ToolApprovalMode
  /** By tool; wins over `approvalMode`. */
  readonly toolApprovalModes: { readonly [tool: string]: ToolApprovalMode }
}

export function allowsTool(config: McpServerConfig, tool: string): boolean {
  const isEnabled = config.enabledTools?.includes(tool) ?? true
  return isEnabled && !config.disabledTools.includes(tool)
}

export function approvalModeOf(config: McpServerConfig, tool: string): ToolApprovalMode {
  const own = Object.hasOwn(config.toolApprovalModes, tool) && config.toolApprovalModes[tool]
  return own || config.approvalMode
}
