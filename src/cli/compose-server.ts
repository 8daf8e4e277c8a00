import { AppServer } from '../app-server/index.ts'
import { systemClock } from '../base/index.ts'
import {
  type Config,
  ConfigError,
  configWarning,
  installationId,
  loadConfig,
  requireProvider,
} from '../config/index.ts'
import type { ThreadManager } from '../core/index.ts'
import type { ThreadStore } from '../thread-store/index.ts'
import { managerOf, openStore } from './compose.ts'
import { bobbinVersion } from './version.ts'

export interface ComposeServer {
  readonly home: string
  readonly environment: NodeJS.ProcessEnv
  /** `key=value` texts that win over the home's configuration. */
  readonly overrides: readonly string[]
  /** Hears of a configuration that cannot be read: the server starts on defaults. */
  readonly onBadConfig: (error: ConfigError) => void
}

/** What a server is made of, to be disposed in the order server, manager, store. */
export interface ComposedServer {
  readonly server: AppServer
  readonly manager: ThreadManager
  readonly store: ThreadStore
}

/**
 * Wires a server whose threads each begin with the configuration as it is then. What it starts is
 * told to be its first client's. Throws `ConfigError` for overrides that are none.
 */
export function composeServer(params: ComposeServer): ComposedServer {
  const { home, environment } = params
  const config = new LatestConfig(params)
  let firstClient = environment.CODEX_INTERNAL_ORIGINATOR_OVERRIDE || undefined
  const origin = {
    get originator() {
      return firstClient ?? 'bobbin_app_server'
    },
    source: 'vscode',
  }
  const store = openStore(home, 'bobbin app-server', config.current.durability)
  const current = () => config.current
  const manager = managerOf({ current, environment, store, origin, isEphemeral: false })
  const server = new AppServer({
    manager,
    store,
    clock: systemClock,
    home,
    cwd: process.cwd(),
    environment,
    version: bobbinVersion(),
    loadConfig: (overrides) => config.load(overrides),
    configWarnings: config.failure ? [configWarning(config.failure)] : [],
    installationId: () => installationId(home, true),
    onFirstClient: (name) => {
      firstClient ??= name
    },
  })
  return { server, manager, store }
}

/** The configuration as it was read last; providers that it had before stay known. */
class LatestConfig {
  /** Why the process has not started with what the home says. */
  readonly failure: ConfigError | undefined
  readonly #params: ComposeServer
  #current: Config

  constructor(params: ComposeServer) {
    this.#params = params
    const { home, environment, overrides, onBadConfig } = params
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
    const { home, environment, overrides } = this.#params
    const loaded = loadConfig({ home, environment, overrides: [...overrides, ...more] })
    // Threads that run ask for theirs again, with each sub-agent and reviewer.
    const providers = new Map([...this.#current.providers, ...loaded.providers])
    this.#current = { ...loaded, providers }
    return loaded
  }
}
