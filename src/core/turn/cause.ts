import { errorText } from '../../base/index.ts'
import type { TurnError } from '../../protocol/index.ts'

/** What lies behind a failure, where its message does not say it. */
export function causeOf(error: unknown): Pick<TurnError, 'cause'> {
  if (!(error instanceof Error) || error.cause === undefined) return {}
  const cause = errorText(error.cause)
  return cause === '' || error.message.includes(cause) ? {} : { cause }
}
