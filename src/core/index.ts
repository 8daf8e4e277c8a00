export { projectDocPaths } from './context/project-docs.ts'
export { SessionError, type SessionFailure } from './errors.ts'
export {
  inspectMcpServers,
  type McpInventory,
  type McpServerConfig,
  type McpToolCall,
  readMcpResource,
} from './mcp/index.ts'
export { DEFAULT_MODEL, type ModelInfo, modelInfo } from './model/model-catalog.ts'
export {
  type ModelClient,
  type ModelConnection,
  ModelError,
  type ModelErrorOptions,
  type ModelEvent,
  type ModelRequest,
} from './model/model-client.ts'
export type { ModelProvider, ResponsesClientOptions } from './model/provider.ts'
export { ResponsesClient } from './model/responses-client.ts'
export {
  assistantMessage,
  customToolCall,
  functionCall,
  type ModelFault,
  reasoning,
  responseEvents,
  type ScriptedResponse,
  type ScriptedUsage,
} from './model/script.ts'
export { ScriptedModel } from './model/scripted-model.ts'
export { ReviewError, type ReviewFailure } from './review/index.ts'
export type { ClientHandlers } from './session/client-registry.ts'
export type { SettingsOverrides } from './session/session-header.ts'
export type { SteerOptions, TakeOver, TurnOptions } from './session/session-options.ts'
export type { SessionOrigin, SessionSettings, SettingsChoice, SettingsPatch } from './settings.ts'
export { ThreadHandle } from './thread-handle.ts'
export {
  type ForkThread,
  type ModelAccess,
  type ResumeThread,
  type ShutdownReport,
  type StartThread,
  type ThreadListener,
  ThreadManager,
  type ThreadManagerOptions,
} from './thread-manager.ts'
export { DynamicToolError, parseDynamicTools } from './tools/dynamic-tool-definitions.ts'
export {
  ExecError,
  type StreamedProcess,
  startStreamed,
  type TerminalSize,
} from './tools/exec/index.ts'
export type { ExecPolicyStore, RuleFile } from './tools/exec-policy/index.ts'
export {
  type Confined,
  findSandbox,
  isConfining,
  networkEnvironment,
  SandboxError,
  SandboxFinder,
  type SandboxState,
} from './tools/sandbox/index.ts'
export type { TurnKind } from './turn/turn-task.ts'
