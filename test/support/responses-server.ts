export {
  type RecordedModelRequest as ModelRequest,
  type RecordedRequest,
  type Script,
  ScriptedResponsesServer,
  type ScriptedStep,
  type ServerOptions,
} from '../../src/core/testing/index.ts'
