/** `usage`: a flag is wrong. `failed`: the transport cannot be opened. */
export type TransportFailure = 'usage' | 'failed'

/** Why a server does not start, in the words of 0.133.0 where it has them. */
export class TransportError extends Error {
  override readonly name = 'TransportError'
  readonly code: TransportFailure

  constructor(code: TransportFailure, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}
