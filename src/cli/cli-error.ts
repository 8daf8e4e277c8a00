import { EXIT, type ExitCode } from './exit-codes.ts'
import { SCHEMA_VERSION } from './output/thread-json.ts'

export interface CliErrorParts {
  /** What to do about it. */
  readonly remedy?: string | undefined
  /** What lies behind the message, where that does not say it. */
  readonly reason?: string | undefined
  /** Facts that a script can use: who holds the thread, which file is damaged. */
  readonly details?: object | undefined
}

/** Something that a person has to put right. One line: what is wrong, and the remedy. */
export class CliError extends Error {
  override readonly name = 'CliError'
  readonly exitCode: ExitCode
  readonly remedy: string | undefined
  readonly reason: string | undefined
  readonly details: object | undefined

  constructor(exitCode: ExitCode, message: string, parts: string | CliErrorParts = {}) {
    super(message)
    const { remedy, reason, details } = typeof parts === 'string' ? { remedy: parts } : parts
    this.exitCode = exitCode
    this.remedy = remedy
    this.reason = reason
    this.details = details
  }
}

/** The line for standard error: for a person, or the one JSON object for a script. */
export function errorLine(error: CliError, isJson: boolean): string {
  if (isJson) return `${JSON.stringify(errorJson(error))}\n`
  const { message, remedy } = error
  const line = remedy === undefined ? message : `${message} (${remedy})`
  return `bobbin: ${line.replaceAll(/\s*\n\s*/g, ' ')}\n`
}

function errorJson({ exitCode, message, remedy, reason, details }: CliError): object {
  const error = {
    code: CODES[exitCode],
    exitCode,
    message,
    reason: reason ?? null,
    remedy: remedy ?? null,
    details: details ?? null,
  }
  return { schemaVersion: SCHEMA_VERSION, error }
}

/** The exit codes by name: stable, as they are. */
const CODES: { readonly [code in ExitCode]: string } = {
  [EXIT.ok]: 'ok',
  [EXIT.failed]: 'failed',
  [EXIT.usage]: 'usage',
  [EXIT.notFound]: 'thread_not_found',
  [EXIT.conflict]: 'conflict',
  [EXIT.unconfirmed]: 'unconfirmed',
  [EXIT.damaged]: 'damaged',
  [EXIT.invalidConfig]: 'invalid_config',
  [EXIT.missingKey]: 'missing_key',
  [EXIT.homeUnreadable]: 'home_unreadable',
  [EXIT.unknownProvider]: 'unknown_provider',
  [EXIT.interrupted]: 'interrupted',
  [EXIT.terminated]: 'terminated',
}

const JSON_FLAGS: ReadonlySet<string> = new Set(['--json', '--jsonl', '--experimental-json'])

/**
 * Whether a script reads what comes out. The words themselves are asked, for those that cannot be
 * made sense of are an error that has to be told, too.
 */
export function wantsJson(args: readonly string[]): boolean {
  const end = args.indexOf('--')
  return args.slice(0, end === -1 ? args.length : end).some((arg) => JSON_FLAGS.has(arg))
}
