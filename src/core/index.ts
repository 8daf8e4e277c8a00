export { SessionError, type SessionFailure } from './errors.ts'
export type { McpServerConfig } from './mcp/index.ts'
export { DEFAULT_MODEL, type ModelInfo, modelInfo } from './model/model-catalog.ts'
export {
  type ModelClient,
  ModelError,
  type ModelErrorOptions,
  type ModelEvent,
  type ModelRequest,
} from './model/model-client.ts'
export {
  type ModelProvider,
  ResponsesClient,
  type ResponsesClientOptions,
} from './model/responses-client.ts'
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
export type { ClientHandlers } from './session/client-registry.ts'
export type { TurnOptions } from './session/session.ts'
export type { SessionOrigin, SessionSettings } from './settings.ts'
export { ThreadHandle } from './thread-handle.ts'
export {
  type ModelAccess,
  type ResumeThread,
  type StartThread,
  ThreadManager,
  type ThreadManagerOptions,
} from './thread-manager.ts'
