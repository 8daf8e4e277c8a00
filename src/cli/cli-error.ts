import type { ExitCode } from './exit-codes.ts'

/** Something that a person has to put right. One line: what is wrong, and the remedy. */
export class CliError extends Error {
  override readonly name = 'CliError'
  readonly exitCode: ExitCode
  readonly remedy: string | undefined

  constructor(exitCode: ExitCode, message: string, remedy?: string) {
    super(message)
    this.exitCode = exitCode
    this.remedy = remedy
  }
}

/** The line for standard error. */
export function errorLine(error: CliError): string {
  const line = error.remedy === undefined ? error.message : `${error.message} (${error.remedy})`
  return `bobbin: ${line.replaceAll(/\s*\n\s*/g, ' ')}\n`
}
