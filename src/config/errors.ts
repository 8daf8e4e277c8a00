export type ConfigFailure =
  | 'home_unreadable'
  | 'invalid_config'
  | 'unknown_provider'
  | 'missing_key'

/** What is wrong with the home or its configuration, and what to do about it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly code: ConfigFailure
  readonly remedy: string

  constructor(code: ConfigFailure, message: string, remedy: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.remedy = remedy
  }
}
