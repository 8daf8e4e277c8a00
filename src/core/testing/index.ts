export {
  assistantMessage,
  customToolCall,
  functionCall,
  type ModelFault,
  reasoning,
  responseEvents,
  type ScriptedResponse,
  type ScriptedUsage,
} from '../model/script.ts'
export { ScriptedModel } from '../model/scripted-model.ts'
export type { RecordedModelRequest, RecordedRequest } from './recorded-request.ts'
export {
  type Script,
  ScriptedResponsesServer,
  type ScriptedStep,
  type ServerOptions,
} from './scripted-responses-server.ts'
export type { Handshake, RecordedConnection } from './scripted-sockets.ts'
