export { McpError, type McpFailure } from './mcp-error.ts'
export { McpServers, type McpServersOptions } from './mcp-servers.ts'
export type {
  HttpEndpoint,
  McpServerConfig,
  StdioEndpoint,
  ToolApprovalMode,
} from './server-config.ts'
