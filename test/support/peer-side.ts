import { join } from 'node:path'
import { AppServer } from '../../src/app-server/index.ts'
import { type Clock, nodeFileSystem } from '../../src/base/index.ts'
import { loadConfig } from '../../src/config/index.ts'
import { type ModelClient, ThreadManager } from '../../src/core/index.ts'
import { LocalThreadStore } from '../../src/thread-store/index.ts'
import { INSTALLATION_ID, KitClient } from './app-server-kit.ts'

export interface PeerSideOptions {
  readonly home: string
  readonly project: string
  /** How the process names itself to those whom it refuses. */
  readonly name: string
  readonly model: ModelClient
  readonly clock: Clock
}

/** A Bobbin of a home that others share: its own store, threads and app server. */
export class PeerSide implements AsyncDisposable {
  readonly server: AppServer
  readonly store: LocalThreadStore
  readonly manager: ThreadManager
  /** Names of the clients that were taken for the first. */
  readonly firstClients: string[] = []
  #offer: AsyncDisposable | undefined
  readonly #clients: KitClient[] = []

  constructor({ home, project, name, model, clock }: PeerSideOptions) {
    this.store = new LocalThreadStore({
      home,
      client: name,
      files: nodeFileSystem,
      clock,
      durability: 'turn',
    })
    this.manager = new ThreadManager({
      store: this.store,
      clock,
      modelAccess: () => ({ client: model, streamMaxRetries: 0 }),
      origin: { originator: name, source: 'exec' },
      version: '0.0.0',
      environment: { PATH: process.env.PATH, HOME: home, SHELL: '/bin/sh' },
      docsHome: home,
    })
    this.server = new AppServer({
      runtime: () => ({ manager: this.manager, store: this.store }),
      clock,
      home,
      cwd: join(project, name),
      version: '0.0.0',
      loadConfig: (overrides) => loadConfig({ home, environment: {}, overrides }),
      installationId: async () => INSTALLATION_ID,
      onFirstClient: (client) => this.firstClients.push(client),
    })
  }

  static async open(options: PeerSideOptions): Promise<PeerSide> {
    const side = new PeerSide(options)
    side.#offer = side.server.offerToPeers()
    return side
  }

  async connect(capabilities?: { readonly eventCursors: boolean }): Promise<KitClient> {
    const client = new KitClient(this.server)
    this.#clients.push(client)
    await client.initialize({ experimentalApi: true, ...capabilities })
    return client
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.close()
    await this.end()
  }

  /** As a process that is asked to stop: its clients are still there. */
  async end(): Promise<void> {
    await this.server[Symbol.asyncDispose]()
    await this.manager[Symbol.asyncDispose]()
    await this.#offer?.[Symbol.asyncDispose]()
    await this.store[Symbol.asyncDispose]()
  }
}
