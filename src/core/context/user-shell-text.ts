import { truncateOutput } from '../tools/exec/index.ts'

/** How a command that a person ran has ended. */
export interface UserShellResult {
  /** -1 when a signal ended it, or the turn was interrupted. */
  readonly exitCode: number
  readonly durationMs: number
  readonly output: string
}

const MOST_OUTPUT_TOKENS = 10_000

/** Of a command that an interrupt ended: nothing of its output is told. */
export const ABORTED_USER_SHELL: UserShellResult = {
  exitCode: -1,
  durationMs: 0,
  output: 'command aborted by user',
}

/**
 * What the model reads of a command that a person ran, as a user's message; long output loses its
 * middle. Source: observed in 0.133.0, byte for byte.
 */
export function userShellMessage(command: string, result: UserShellResult): string {
  return [
    '<user_shell_command>',
    '<command>',
    command,
    '</command>',
    '<result>',
    `Exit code: ${result.exitCode}`,
    `Duration: ${(result.durationMs / 1000).toFixed(4)} seconds`,
    'Output:',
    truncateOutput(result.output, MOST_OUTPUT_TOKENS),
    '</result>',
    '</user_shell_command>',
  ].join('\n')
}
