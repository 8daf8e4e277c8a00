export { parsedCommands } from './command-actions.ts'
export {
  type CommandSafety,
  classifyCommand,
  isDangerous,
  isKnownSafe,
  splitShellCommand,
} from './command-safety.ts'
export { ExecError, type ExecFailure } from './exec-error.ts'
export { formatAnswer, formatExecFailure, formatWriteFailure } from './format-answer.ts'
export { ArgumentsError } from './json-reader.ts'
export {
  type ExecCommandArguments,
  parseExecCommandArguments,
  parseWriteStdinArguments,
  type SandboxPermissions,
  type WriteStdinArguments,
} from './parse-arguments.ts'
export {
  type ExecAnswer,
  type ProcessExit,
  ProcessManager,
  type ProcessManagerOptions,
  type StartRequest,
  type WriteRequest,
} from './process-manager.ts'
export { killGroup, killTrees } from './process-tree.ts'
export { type ArgumentValues, type Field, type Fields, readArguments } from './read-arguments.ts'
export {
  requestedShell,
  shellArgv,
  shellEnvironment,
  type UserShell,
  userShell,
} from './shell-environment.ts'
export {
  type StreamedProcess,
  type StreamedSpec,
  startStreamed,
  type TerminalSize,
} from './streamed-process.ts'
export { countTokens, cutMiddle, truncateOutput } from './truncate-output.ts'
