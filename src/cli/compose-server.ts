import { AppServer, type ThreadRuntime } from '../app-server/index.ts'
import { bobbinVersion, OnceMade, systemClock } from '../base/index.ts'
import { configWarning, installationId } from '../config/index.ts'
import { LatestConfig, type LatestConfigOptions } from './latest-config.ts'

/**
 * A server whose threads each begin with the configuration as it is then. What it starts is told to
 * be its first client's. Manager and store are made when the server asks for them. Disposing it
 * closes all of it, in order.
 */
export class ComposedServer implements AsyncDisposable {
  readonly server: AppServer
  readonly #options: LatestConfigOptions
  readonly #config: LatestConfig
  readonly #offer: AsyncDisposable
  readonly #runtime = new OnceMade(() => this.#compose())
  #firstClient: string | undefined

  /** Throws `ConfigError` for overrides that are none. */
  constructor(options: LatestConfigOptions) {
    this.#options = options
    this.#config = new LatestConfig(options)
    const { home, environment } = options
    const { failure } = this.#config
    this.#firstClient = environment.CODEX_INTERNAL_ORIGINATOR_OVERRIDE || undefined
    this.server = new AppServer({
      runtime: () => this.#runtime.get(),
      clock: systemClock,
      home,
      cwd: process.cwd(),
      environment,
      version: bobbinVersion(),
      loadConfig: (overrides) => this.#config.load(overrides),
      configWarnings: failure ? [configWarning(failure)] : [],
      installationId: () => installationId(home, true),
      onFirstClient: (name) => {
        this.#firstClient ??= name
      },
    })
    this.#offer = this.server.offerToPeers()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await using owned = new AsyncDisposableStack()
    const runtime = await this.#runtime.known()
    if (runtime) owned.use(runtime.store)
    // Ends behind the manager: the threads are free when peers see that this process has gone.
    owned.use(this.#offer)
    if (runtime) owned.use(runtime.manager)
    owned.use(this.server)
  }

  async #compose(): Promise<ThreadRuntime> {
    const { managerOf, openStore } = await import('./compose.ts')
    const { home, environment } = this.#options
    const store = openStore(home, 'bobbin app-server', this.#config.current.durability)
    const manager = managerOf({
      current: () => this.#config.current,
      environment,
      store,
      origin: this.#origin(),
      isEphemeral: false,
    })
    return { manager, store }
  }

  #origin() {
    const originator = () => this.#firstClient ?? 'bobbin_app_server'
    return {
      get originator() {
        return originator()
      },
      source: 'vscode',
    }
  }
}
