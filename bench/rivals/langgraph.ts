/** LangGraph's checkpointers: a step of an agent is a checkpoint of all messages so far. */
import { join } from 'node:path'
import type { JsonObject } from '../../src/base/index.ts'
import { importRival } from './install.ts'
import { PostgresServer } from './postgres.ts'
import type { Rival } from './rival.ts'

interface Checkpoint {
  id: string
  channel_values: { [channel: string]: unknown }
  channel_versions: { [channel: string]: number }
}

interface Config {
  readonly configurable: { readonly [key: string]: string }
}

interface Saver {
  setup?(): Promise<void>
  put(config: Config, checkpoint: Checkpoint, about: object, versions: object): Promise<Config>
  getTuple(config: Config): Promise<{ readonly checkpoint: Checkpoint } | undefined>
  end?(): Promise<void>
}

interface Checkpoints {
  emptyCheckpoint(): Checkpoint
  uuid6(clock: number): string
}

const THREAD: Config = { configurable: { thread_id: 'bench', checkpoint_ns: '' } }

class LangGraph implements Rival {
  readonly #saver: Saver
  readonly #checkpoints: Checkpoints
  readonly #owned: AsyncDisposable
  #config = THREAD
  #messages: JsonObject[] = []
  #step = 0

  constructor(saver: Saver, checkpoints: Checkpoints, owned: AsyncDisposable) {
    this.#saver = saver
    this.#checkpoints = checkpoints
    this.#owned = owned
  }

  async append(items: readonly JsonObject[]): Promise<void> {
    this.#messages = [...this.#messages, ...items]
    this.#step += 1
    const versions = { messages: this.#step }
    const checkpoint = {
      ...this.#checkpoints.emptyCheckpoint(),
      id: this.#checkpoints.uuid6(this.#step),
      channel_values: { messages: this.#messages },
      channel_versions: versions,
    }
    const about = { source: 'loop', step: this.#step, parents: {} }
    this.#config = await this.#saver.put(this.#config, checkpoint, about, versions)
  }

  async load(): Promise<readonly unknown[]> {
    const messages = (await this.#saver.getTuple(THREAD))?.checkpoint.channel_values.messages
    return Array.isArray(messages) ? messages : []
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#saver.end?.()
    await this.#owned[Symbol.asyncDispose]()
  }
}

export async function langgraphSqlite(folder: string): Promise<Rival> {
  const { SqliteSaver } = await importRival<{
    SqliteSaver: { fromConnString(path: string): Saver & { readonly db: { close(): void } } }
  }>('@langchain/langgraph-checkpoint-sqlite')
  const saver = SqliteSaver.fromConnString(join(folder, 'checkpoints.sqlite'))
  await using owned = new AsyncDisposableStack()
  owned.defer(() => void saver.db.close())
  return new LangGraph(saver, await checkpointTools(), owned.move())
}

export async function langgraphPostgres(): Promise<Rival> {
  const { PostgresSaver } = await importRival<{
    PostgresSaver: { fromConnString(url: string): Saver }
  }>('@langchain/langgraph-checkpoint-postgres')
  await using owned = new AsyncDisposableStack()
  const server = owned.use(await PostgresServer.start())
  const saver = PostgresSaver.fromConnString(server.url)
  await saver.setup?.()
  return new LangGraph(saver, await checkpointTools(), owned.move())
}

function checkpointTools(): Promise<Checkpoints> {
  return importRival<Checkpoints>('@langchain/langgraph-checkpoint')
}
