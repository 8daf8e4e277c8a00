export type RolloutFailure =
  /** Nothing at the path, or something that is no regular file. */
  | 'not_a_rollout'
  /** The file has no line that could name its thread. */
  | 'no_header'
  /** The file system refused; the system error is in `cause`. */
  | 'io'

/** What failed, on which file. */
export class RolloutError extends Error {
  override readonly name = 'RolloutError'
  readonly code: RolloutFailure
  readonly path: string

  constructor(code: RolloutFailure, path: string, message: string, cause?: unknown) {
    super(`${message}: ${path}`, cause === undefined ? undefined : { cause })
    this.code = code
    this.path = path
  }
}
