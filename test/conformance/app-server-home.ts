/**
 * A home that real Codex 0.133.0 has written, and two servers over it: the real one, and Bobbin's
 * over a copy. What both answer to a question is compared.
 */
import { cp, mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { AppServer } from '../../src/app-server/index.ts'
import {
  type Json,
  type JsonObject,
  objectAt,
  stringAt,
  systemClock,
} from '../../src/base/index.ts'
import { loadConfig } from '../../src/config/index.ts'
import { ThreadManager } from '../../src/core/index.ts'
import { LocalThreadStore } from '../../src/thread-store/index.ts'
import { KitClient, KitRpcError } from '../support/app-server-kit.ts'
import { PlayedModel } from '../support/played-model.ts'
import { ScriptedResponsesServer } from '../support/responses-server.ts'
import { CodexAppServer, RpcError } from './codex-app-server.ts'
import { codex133, codex133Exec } from './programs.ts'
import { Scratch } from './scratch.ts'
import { concludes, richTurn } from './scripts.ts'

export type Question = readonly [method: string, params: JsonObject]
export type Ask = (method: string, params: JsonObject) => Promise<JsonObject>

/** The result, or the error with its code and text. */
export async function answerOf(ask: Ask, [method, params]: Question): Promise<JsonObject> {
  try {
    return { result: await ask(method, params) }
  } catch (error) {
    if (error instanceof KitRpcError) return { code: error.code, message: error.message }
    if (!(error instanceof RpcError)) throw error
    return { code: error.code, message: error.message.slice(`${method}: `.length) }
  }
}

/** Threads of every kind, by what was done to them. */
export interface HomeThreads {
  /** A rich turn and a plain one; it has a name. */
  readonly rich: string
  readonly fork: string
  readonly archived: string
  /** Three turns, of which two were taken back. */
  readonly rolledBack: string
  /** A turn, a compaction, a turn. */
  readonly compacted: string
  /** Written by `codex exec`. */
  readonly exec: string
  readonly spawned: string
}

export interface WrittenHome extends AsyncDisposable {
  readonly scratch: Scratch
  readonly threads: HomeThreads
}

export async function writeHome(): Promise<WrittenHome> {
  await using opening = new AsyncDisposableStack()
  const script = (_: unknown, index: number) => richTurn[index] ?? concludes('Fine.')
  const model = opening.use(await ScriptedResponsesServer.start(script))
  const scratch = opening.use(await Scratch.create())
  await scratch.useModelServer(model.baseUrl)
  const written = await writeThreads(scratch)
  const { threadId: exec } = await codex133Exec(scratch, { prompt: 'Run by a script', config: [] })
  const spawned = await placeSpawned(scratch, written.rich)
  const owned = opening.move()
  return {
    scratch,
    threads: { ...written, exec, spawned },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

async function writeThreads(scratch: Scratch): Promise<Omit<HomeThreads, 'exec' | 'spawned'>> {
  await using codex = await CodexAppServer.start(codex133, scratch)
  const start = async (...prompts: readonly string[]) => {
    const threadId = await idOf(codex.request('thread/start', {}))
    for (const prompt of prompts) await codex.runTurn(threadId, prompt)
    return threadId
  }
  const rich = await start('Change the files', 'And now?')
  await codex.request('thread/name/set', { threadId: rich, name: 'The rich one' })
  const fork = await idOf(codex.request('thread/fork', { threadId: rich }))
  await codex.runTurn(fork, 'Only in the fork')
  const archived = await start('Put away')
  await codex.request('thread/archive', { threadId: archived })
  const rolledBack = await start('One', 'Two', 'Three')
  await codex.request('thread/rollback', { threadId: rolledBack, numTurns: 2 })
  const compacted = await start('Before it')
  await codex.request('thread/compact/start', { threadId: compacted })
  await codex.waitFor('item/completed', (told) => {
    return told.threadId === compacted && objectAt(told, 'item')?.type === 'contextCompaction'
  })
  await codex.waitFor('turn/completed', (told) => {
    const isTheSecond = codex.notifications.filter(
      ({ method, params }) => method === 'turn/completed' && params.threadId === compacted,
    )
    return told.threadId === compacted && isTheSecond.length === 2
  })
  await codex.runTurn(compacted, 'Behind it')
  return { rich, fork, archived, rolledBack, compacted }
}

async function idOf(answer: Promise<JsonObject>): Promise<string> {
  return stringAt(objectAt(await answer, 'thread') ?? {}, 'id') ?? ''
}

/** A thread as an agent's child has it, made of another: its header says whose child it is. */
async function placeSpawned(scratch: Scratch, parent: string): Promise<string> {
  const id = `${parent.slice(0, -4)}abcd`
  const source = (await scratch.rollouts()).find(({ path }) => path.endsWith(`${parent}.jsonl`))
  const text = source?.text.replaceAll(parent, id) ?? ''
  const spawn = { parent_thread_id: parent, depth: 1, agent_nickname: 'Ada', agent_role: 'worker' }
  const origin = JSON.stringify({ subagent: { thread_spawn: spawn } })
  const path = source?.path.replaceAll(parent, id) ?? ''
  await writeFile(path, text.replaceAll('"source":"vscode"', `"source":${origin}`))
  return id
}

/** Bobbin's server over a copy of the home, with one client. */
export class BobbinOnCopy implements AsyncDisposable {
  readonly client: KitClient
  readonly home: string
  readonly #owned: AsyncDisposableStack

  private constructor(home: string, project: string, owned: AsyncDisposableStack) {
    this.home = home
    const store = owned.use(new LocalThreadStore({ home }))
    const model = new PlayedModel([])
    const manager = owned.use(
      new ThreadManager({
        store,
        modelAccess: () => ({ client: model }),
        origin: { originator: 'bobbin_conformance', source: 'vscode' },
        version: '0.133.0',
      }),
    )
    const server = owned.use(
      new AppServer({
        runtime: () => ({ manager, store }),
        clock: systemClock,
        home,
        cwd: project,
        version: '0.133.0',
        loadConfig: (overrides) => loadConfig({ home, environment: {}, overrides }),
        installationId: async () => '00000000-0000-4000-8000-000000000001',
      }),
    )
    this.client = owned.use(new KitClient(server))
    this.#owned = owned
  }

  static async open(scratch: Scratch): Promise<BobbinOnCopy> {
    const home = join(scratch.root, 'copy')
    await mkdir(dirname(home), { recursive: true })
    await cp(scratch.home, home, { recursive: true, preserveTimestamps: true })
    const bobbin = new BobbinOnCopy(home, scratch.project, new AsyncDisposableStack())
    await bobbin.client.initialize()
    return bobbin
  }

  /** With the paths of the copy spelled as those of the home itself. */
  async ask(scratch: Scratch, question: Question): Promise<JsonObject> {
    const ask: Ask = (method, params) => this.client.request(method, params)
    const answer: Json = await answerOf(ask, question)
    return JSON.parse(JSON.stringify(answer).replaceAll(this.home, scratch.home)) as JsonObject
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync()
  }
}
