export type { McpInventory, McpToolCall } from './client-calls.ts'
export { inspectMcpServers, readMcpResource } from './inspect-servers.ts'
export type { McpContext } from './mcp-context.ts'
export { McpError, type McpFailure } from './mcp-error.ts'
export { McpServers, type McpServersOptions } from './mcp-servers.ts'
export type {
  HttpEndpoint,
  McpServerConfig,
  StdioEndpoint,
  ToolApprovalMode,
} from './server-config.ts'
