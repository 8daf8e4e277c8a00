import { errorCode, errorText } from '../../base/index.ts'

/** What went wrong with the connection to a model endpoint; the message names the endpoint. */
export class ConnectionFailure extends Error {
  override readonly name = 'ConnectionFailure'

  /** `why`: what the system threw, or words of ours where it did not. */
  constructor(url: URL, why: unknown) {
    super(`${systemWords(why)} (${url.origin})`, { cause: why })
  }
}

/** A name that has several addresses fails once for each of them, and says nothing on the whole. */
function systemWords(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) {
    return [...new Set(error.errors.map(systemWords))].join(', ')
  }
  const code = errorCode(error)
  const text = errorText(error).trim()
  if (code === undefined || text.includes(code)) return text
  return text === '' ? code : `${text}, ${code}`
}
