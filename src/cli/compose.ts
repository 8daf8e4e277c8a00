import { bobbinVersion, nodeFileSystem, OnceMade, systemClock } from '../base/index.ts'
import {
  type Config,
  checkHome,
  homeExecPolicy,
  installationId,
  requireProvider,
  requireToken,
  resolveHome,
} from '../config/index.ts'
import {
  type ModelAccess,
  ResponsesClient,
  type SessionOrigin,
  ThreadManager,
} from '../core/index.ts'
import { LocalThreadStore, type ThreadStore } from '../thread-store/index.ts'

/**
 * The store of a home; the one place where it is decided what a home is made of. `client` is named
 * to whoever is refused a thread that is open here.
 */
export function openStore(
  home: string,
  client: string,
  durability: Config['durability'] = 'turn',
): ThreadStore {
  return new LocalThreadStore({
    home,
    files: nodeFileSystem,
    clock: systemClock,
    durability,
    client,
  })
}

/** The store of the home that the environment names. Throws `home_unreadable`. */
export function openHomeStore(): ThreadStore {
  const home = resolveHome(process.env)
  checkHome(home)
  return openStore(home, 'bobbin threads')
}

export interface ComposeParams {
  readonly config: Config
  readonly environment: NodeJS.ProcessEnv
  readonly store: ThreadStore
  readonly origin: SessionOrigin
  /** Nothing may be written into the home. */
  readonly isEphemeral: boolean
}

/**
 * Wires the whole for one process: home, model access, manager. A provider that cannot be used is
 * told when a thread asks for it (`ConfigError`), before anything is written.
 */
export function composeManager({ config, ...params }: ComposeParams): ThreadManager {
  return managerOf({ ...params, current: () => config })
}

export interface ManagerParts extends Omit<ComposeParams, 'config'> {
  /** The configuration that holds for what is done now. */
  readonly current: () => Config
}

/** A manager whose threads each begin with the configuration as it is then. */
export function managerOf(parts: ManagerParts): ThreadManager {
  const { current, environment, store, origin, isEphemeral } = parts
  const { home } = current()
  const idOfHome = new OnceMade(() => installationId(home, !isEphemeral))
  const modelAccess = (providerId: string): ModelAccess => {
    const provider = requireProvider(current().providers, providerId)
    const bearerToken = requireToken(provider, home, environment)
    const client = new ResponsesClient({
      provider: { ...provider, bearerToken },
      clock: systemClock,
      originator: origin.originator,
      version: bobbinVersion(),
      installationId: () => idOfHome.get(),
    })
    return { client, streamMaxRetries: provider.streamMaxRetries }
  }
  const execPolicy = () => homeExecPolicy(home, current().trustedFolders, !isEphemeral)
  return new ThreadManager({
    store,
    clock: systemClock,
    modelAccess,
    origin,
    version: bobbinVersion(),
    environment,
    docsHome: home,
    execPolicy: {
      load: (cwd) => execPolicy().load(cwd),
      append: (prefix) => execPolicy().append(prefix),
    },
    mcpServers: current().mcpServers,
  })
}
