import { errorCode, errorText, unreachable } from '../base/index.ts'
import { ConfigError } from '../config/index.ts'
import { ReviewError, SessionError } from '../core/index.ts'
import { ThreadStoreError, type ThreadStoreFailure } from '../thread-store/index.ts'
import { CliError } from './cli-error.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'

/** Any failure as the line and exit code that a person or a script gets. */
export function toCliError(error: unknown): CliError {
  if (error instanceof CliError) return error
  // What was thrown first is why; that tidying up failed too follows from it.
  if (error instanceof SuppressedError) return toCliError(error.suppressed)
  if (error instanceof ConfigError) return fromConfig(error)
  if (error instanceof ThreadStoreError) return fromStore(error)
  const parts = { reason: reasonOf(error) }
  if (error instanceof ReviewError) {
    return new CliError(EXIT.usage, error.message, { details: error.failure })
  }
  if (error instanceof SessionError) {
    return new CliError(EXIT.failed, error.message, { ...parts, details: { code: error.code } })
  }
  if (errorCode(error) === 'EPIPE') return new CliError(EXIT.failed, 'the output was closed')
  return new CliError(EXIT.failed, errorText(error), parts)
}

/** What was behind it, where that says more. */
function reasonOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || error.cause === undefined) return undefined
  const text = errorText(error.cause)
  return error.message.includes(text) ? undefined : text
}

function fromConfig(error: ConfigError): CliError {
  const exitCode = {
    home_unreadable: EXIT.homeUnreadable,
    invalid_config: EXIT.invalidConfig,
    unknown_provider: EXIT.unknownProvider,
    missing_key: EXIT.missingKey,
  }[error.code]
  const { remedy, place } = error
  return new CliError(exitCode, error.message, { remedy, details: place })
}

function fromStore(error: ThreadStoreError): CliError {
  const [exitCode, remedy] = exitOf(error.failure)
  const parts = { remedy, reason: reasonOf(error), details: error.failure }
  return new CliError(exitCode, error.message, parts)
}

function exitOf(failure: ThreadStoreFailure): readonly [ExitCode, string?] {
  switch (failure.code) {
    case 'thread_not_found':
      return [EXIT.notFound, '`bobbin threads list` shows what there is']
    case 'damaged':
      return [EXIT.damaged, 'restore the file from a backup']
    case 'home_unreadable':
      return [EXIT.homeUnreadable, 'set BOBBIN_HOME, or mend its permissions']
    case 'conflict':
    case 'unsupported':
      return [EXIT.conflict]
    case 'invalid_request':
      return [EXIT.usage]
    case 'internal':
    case 'disposed':
      return [EXIT.failed]
    default:
      return unreachable(failure)
  }
}
