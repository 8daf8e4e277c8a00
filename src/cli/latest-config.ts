import { type Config, ConfigError, loadConfig, requireProvider } from '../config/index.ts'

export interface LatestConfigOptions {
  readonly home: string
  readonly environment: NodeJS.ProcessEnv
  /** `key=value` texts that win over the home's configuration. */
  readonly overrides: readonly string[]
  /** Hears of a configuration that cannot be read: defaults are taken. */
  readonly onBadConfig: (error: ConfigError) => void
}

/** The configuration as it was read last; providers that it had before stay known. */
export class LatestConfig {
  /** Why the process has not started with what the home says. */
  readonly failure: ConfigError | undefined
  readonly #options: LatestConfigOptions
  #current: Config

  /** Throws `ConfigError` for overrides that are none. */
  constructor(options: LatestConfigOptions) {
    this.#options = options
    const { home, environment, overrides, onBadConfig } = options
    try {
      this.#current = loadConfig({ home, environment, overrides })
      requireProvider(this.#current.providers, this.#current.modelProvider)
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      this.failure = error
      this.#current = loadConfig({ home, environment, overrides, ignoreFile: true })
      onBadConfig(error)
    }
  }

  get current(): Config {
    return this.#current
  }

  /** Throws `ConfigError`. */
  load(more: readonly string[]): Config {
    const { home, environment, overrides } = this.#options
    const loaded = loadConfig({ home, environment, overrides: [...overrides, ...more] })
    // Threads that run ask for theirs again, with each sub-agent and reviewer.
    const providers = new Map([...this.#current.providers, ...loaded.providers])
    this.#current = { ...loaded, providers }
    return loaded
  }
}
