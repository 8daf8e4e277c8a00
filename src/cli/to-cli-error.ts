import { errorCode, errorText, unreachable } from '../base/index.ts'
import { ConfigError } from '../config/index.ts'
import { ReviewError, SessionError } from '../core/index.ts'
import { ThreadStoreError, type ThreadStoreFailure } from '../thread-store/index.ts'
import { CliError } from './cli-error.ts'
import { EXIT } from './exit-codes.ts'

/** Any failure as the line and exit code that a person or a script gets. */
export function toCliError(error: unknown): CliError {
  if (error instanceof CliError) return error
  // What was thrown first is why; that tidying up failed too follows from it.
  if (error instanceof SuppressedError) return toCliError(error.suppressed)
  if (error instanceof ConfigError) return fromConfig(error)
  if (error instanceof ThreadStoreError) return fromStore(error.failure, error.message)
  if (error instanceof ReviewError) return new CliError(EXIT.usage, error.message)
  if (error instanceof SessionError) return new CliError(EXIT.failed, error.message)
  if (errorCode(error) === 'EPIPE') return new CliError(EXIT.failed, 'the output was closed')
  return new CliError(EXIT.failed, errorText(error))
}

function fromConfig(error: ConfigError): CliError {
  const exitCode = {
    home_unreadable: EXIT.homeUnreadable,
    invalid_config: EXIT.invalidConfig,
    unknown_provider: EXIT.unknownProvider,
    missing_key: EXIT.missingKey,
  }[error.code]
  return new CliError(exitCode, error.message, error.remedy)
}

function fromStore(failure: ThreadStoreFailure, message: string): CliError {
  switch (failure.code) {
    case 'thread_not_found':
      return new CliError(EXIT.notFound, message, '`bobbin threads list` shows what there is')
    case 'damaged':
      return new CliError(EXIT.damaged, message, 'restore the file from a backup')
    case 'home_unreadable':
      return new CliError(EXIT.homeUnreadable, message, 'set BOBBIN_HOME, or mend its permissions')
    case 'conflict':
    case 'unsupported':
      return new CliError(EXIT.conflict, message)
    case 'invalid_request':
      return new CliError(EXIT.usage, message)
    case 'internal':
    case 'disposed':
      return new CliError(EXIT.failed, message)
    default:
      return unreachable(failure)
  }
}
