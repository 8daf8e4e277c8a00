export type ConfigFailure =
  | 'home_unreadable'
  | 'invalid_config'
  | 'unknown_provider'
  | 'missing_key'

/** Where in a file something is wrong: at a place, or at what a key says. */
export type ConfigPlace =
  | { readonly path: string; readonly line: number; readonly column: number }
  | { readonly path: string; readonly keyPath: readonly string[] }

/** What is wrong with the home or its configuration, and what to do about it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly code: ConfigFailure
  readonly remedy: string
  /** Undefined where no file is to blame. */
  readonly place: ConfigPlace | undefined

  constructor(
    code: ConfigFailure,
    message: string,
    remedy: string,
    { cause, place }: { readonly cause?: unknown; readonly place?: ConfigPlace } = {},
  ) {
    super(message, cause === undefined ? undefined : { cause })
    this.place = place
    this.code = code
    this.remedy = remedy
  }
}
