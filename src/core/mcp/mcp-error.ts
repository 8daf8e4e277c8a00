import { errorCode, errorText } from '../../base/index.ts'

export type McpFailure =
  /** The program cannot be started, or the address not be reached. */
  | 'unreachable'
  | 'startup_timeout'
  | 'tool_timeout'
  /** The connection is gone. */
  | 'disconnected'
  /** More than is taken from a server, or something that is no answer at all. */
  | 'bad_answer'
  /** The server answered with an error of its own. */
  | 'refused'

/** What a server says of its failure may be as long as it likes. */
const MOST_MESSAGE_CHARACTERS = 8 * 1024

/** What an MCP server could not do, in words for the model and the person. */
export class McpError extends Error {
  override readonly name = 'McpError'
  readonly code: McpFailure

  constructor(code: McpFailure, message: string, cause?: unknown) {
    const isLong = message.length > MOST_MESSAGE_CHARACTERS
    const text = isLong ? `${message.slice(0, MOST_MESSAGE_CHARACTERS)}…` : message
    super(text, cause === undefined ? undefined : { cause })
    this.code = code
  }
}

/** A lost connection in one word for all transports; else what failed, with its cause. */
export function failureText(error: unknown): string {
  const text = errorText(error)
  if (/connection closed|not connected/i.test(text)) return 'Transport closed'
  const cause = error instanceof Error ? error.cause : undefined
  if (!(cause instanceof Error)) return text
  const why = cause.message || errorCode(cause)
  return why === undefined ? text : `${text}: ${why}`
}
