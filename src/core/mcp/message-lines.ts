import { McpError } from './mcp-error.ts'

/** Most that one message of a server may weigh. */
export const MOST_MESSAGE_BYTES = 16 * 1024 * 1024

/**
 * Cuts a stream into messages of a line each. Lines that are no JSON object are skipped: programs
 * print banners and debug output. Throws `McpError` when more than the limit comes without any
 * message in it.
 */
export class MessageLines {
  readonly #limit: number
  #pieces: Buffer[] = []
  /** Bytes since the last message. */
  #sizeBytes = 0

  constructor(limit: number = MOST_MESSAGE_BYTES) {
    this.#limit = limit
  }

  /** The messages that `chunk` completes. */
  push(chunk: Buffer): object[] {
    const messages: object[] = []
    let rest = chunk
    for (let end = rest.indexOf(10); end !== -1; end = rest.indexOf(10)) {
      this.#add(rest.subarray(0, end + 1))
      const message = parseMessage(Buffer.concat(this.#pieces))
      this.#pieces = []
      if (message) {
        messages.push(message)
        this.#sizeBytes = 0
      }
      rest = rest.subarray(end + 1)
    }
    if (rest.length > 0) this.#add(rest)
    return messages
  }

  #add(piece: Buffer): void {
    this.#sizeBytes += piece.length
    if (this.#sizeBytes > this.#limit) {
      this.#pieces = []
      const limit = `${this.#limit / (1024 * 1024)} MiB`
      throw new McpError('bad_answer', `the server sent more than ${limit} in one message`)
    }
    this.#pieces.push(piece)
  }
}

function parseMessage(line: Buffer): object | undefined {
  try {
    const value: unknown = JSON.parse(line.toString('utf8'))
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    // Not JSON: it was not meant for us.
    return undefined
  }
}
