import { nodeFileSystem, systemClock } from '../base/index.ts'
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
import { bobbinVersion } from './version.ts'

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
export function composeManager(params: ComposeParams): ThreadManager {
  const { config, environment, store, origin, isEphemeral } = params
  let id: Promise<string> | undefined
  const idOfHome = () => {
    id ??= installationId(config.home, !isEphemeral)
    return id
  }
  const modelAccess = (providerId: string): ModelAccess => {
    const provider = requireProvider(config.providers, providerId)
    const bearerToken = requireToken(provider, config.home, environment)
    const client = new ResponsesClient({
      provider: { ...provider, bearerToken },
      clock: systemClock,
      originator: origin.originator,
      version: bobbinVersion(),
      installationId: idOfHome,
    })
    return { client, streamMaxRetries: provider.streamMaxRetries }
  }
  return new ThreadManager({
    store,
    clock: systemClock,
    modelAccess,
    origin,
    version: bobbinVersion(),
    environment,
    docsHome: config.home,
    execPolicy: homeExecPolicy(config.home, config.trustedFolders, !isEphemeral),
    mcpServers: config.mcpServers,
  })
}
