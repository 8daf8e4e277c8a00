import { quoteRustString, shellQuote } from '../../../base/index.ts'
import type { ExecError } from './exec-error.ts'
import type { ExecAnswer } from './process-manager.ts'

/** The output text of exec_command and write_stdin. */
export function formatAnswer(answer: ExecAnswer): string {
  const state =
    answer.exitCode === undefined
      ? `Process running with session ID ${answer.sessionId}`
      : `Process exited with code ${answer.exitCode}`
  return [
    `Chunk ID: ${answer.chunkId}`,
    `Wall time: ${(answer.wallTimeMs / 1000).toFixed(4)} seconds`,
    state,
    `Original token count: ${answer.originalTokenCount}`,
    'Output:',
    answer.output,
  ].join('\n')
}

/**
 * The output text of an exec_command that did not run. `reason` is the message of an `ExecError`,
 * or why the command was refused (`rejected by user`, …).
 */
export function formatExecFailure(command: readonly string[], reason: string): string {
  const message = quoteRustString(`Rejected(${quoteRustString(reason)})`)
  return `exec_command failed for \`${shellQuote(command)}\`: CreateProcess { message: ${message} }`
}

/** The output text of a write_stdin that reached no process. */
export function formatWriteFailure(error: ExecError): string {
  return `write_stdin failed: ${error.message}`
}
