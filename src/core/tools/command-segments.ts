import { type CommandSafety, isDangerous, isKnownSafe, splitShellCommand } from './exec/index.ts'

/** A part of a command line that runs one program, as far as that can be told. */
export interface CommandSegment {
  readonly argv: readonly string[]
  readonly safety: CommandSafety
  /** The command line that it is of. */
  readonly text: string
}

/**
 * What a shell's command line runs. One that cannot be taken apart is a single segment: the call of
 * the shell itself, of which nothing is known.
 */
export function segmentsOf(text: string, shellArgv: readonly string[]): CommandSegment[] {
  const commands = splitShellCommand(text)
  if (!commands) return [{ argv: shellArgv, safety: 'unknown', text }]
  return commands.map((argv) => ({ argv, safety: safetyOf(argv), text }))
}

function safetyOf(argv: readonly string[]): CommandSafety {
  if (isDangerous(argv)) return 'dangerous'
  return isKnownSafe(argv) ? 'safe' : 'unknown'
}
