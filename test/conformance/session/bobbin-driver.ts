/** Bobbin as a driver: its library in this process, over the same kind of home and server. */

import { newView, projectEvent } from '../../../src/app-server/projection/notifications.ts'
import { type JsonObject, nodeFileSystem, systemClock } from '../../../src/base/index.ts'
import { composeManager } from '../../../src/cli/compose.ts'
import { loadConfig } from '../../../src/config/index.ts'
import {
  type ClientHandlers,
  DynamicToolError,
  parseDynamicTools,
  ReviewError,
  SessionError,
  type SessionSettings,
  type SettingsPatch,
  type ThreadHandle,
  type ThreadManager,
  type TurnOptions,
} from '../../../src/core/index.ts'
import type {
  ReviewTarget,
  SandboxPolicy,
  ThreadId,
  TurnId,
  UserInput,
} from '../../../src/protocol/index.ts'
import { LocalThreadStore, ThreadStoreError } from '../../../src/thread-store/index.ts'
import type { Scratch } from '../scratch.ts'
import {
  type Answerer,
  type DrivenThread,
  type Driver,
  Refused,
  type Said,
  type ThreadParams,
  type TurnParams,
} from './driver.ts'
import type { WireLog, WireMessage } from './wire-log.ts'

export class BobbinDriver implements Driver {
  readonly #scratch: Scratch
  readonly #log: WireLog
  #store: LocalThreadStore
  #manager: ThreadManager
  #answerer: Answerer = () => undefined

  constructor(scratch: Scratch, log: WireLog) {
    this.#scratch = scratch
    this.#log = log
    this.#store = openStore(scratch)
    this.#manager = openManager(scratch, this.#store)
  }

  async start(params: ThreadParams): Promise<DrivenThread> {
    const settings = this.#settings(params)
    const handle = await refusing(async () => {
      const dynamicTools = parseDynamicTools(params.dynamicTools)
      return this.#manager.start({ settings, dynamicTools })
    })
    return this.#driven(handle)
  }

  async resume(threadId: string, params: ThreadParams): Promise<DrivenThread> {
    const overrides = params.model === undefined ? {} : { model: params.model }
    const defaults = this.#settings(params)
    const given = { threadId: threadId as ThreadId, defaults, overrides }
    return this.#driven(await refusing(() => this.#manager.resume(given)))
  }

  async fork(sourceId: string, params: ThreadParams): Promise<DrivenThread> {
    const given = { sourceId: sourceId as ThreadId, settings: this.#settings(params) }
    return this.#driven(await refusing(() => this.#manager.fork(given)))
  }

  async restart(): Promise<void> {
    await this[Symbol.asyncDispose]()
    this.#store = openStore(this.#scratch)
    this.#manager = openManager(this.#scratch, this.#store)
  }

  answerWith(answerer: Answerer): void {
    this.#answerer = answerer
  }

  async settle(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#manager[Symbol.asyncDispose]()
    await this.#store[Symbol.asyncDispose]()
  }

  #driven(handle: ThreadHandle): DrivenThread {
    let view = newView(handle.threadId)
    handle.listen((event) => {
      const projected = projectEvent(view, event, systemClock.nowMs())
      view = projected.view
      for (const message of projected.messages) this.#log.add(message)
    })
    handle.answerRequests(handlers((request) => this.#answerer(request)))
    return new BobbinThread(handle)
  }

  /** As a client's parameters lie over the home's `config.toml`. */
  #settings(params: ThreadParams): SessionSettings {
    const { home, project, env } = this.#scratch
    const config = loadConfig({ home, environment: env, overrides: [] })
    const mode = params.sandbox ?? config.sandboxMode ?? 'read-only'
    const { effort, reasoningSummary, verbosity, contextWindow, autoCompactTokens } = config
    const developerInstructions = params.developerInstructions ?? config.developerInstructions
    return {
      cwd: params.cwd ?? project,
      model: params.model ?? config.model ?? '',
      modelProvider: config.modelProvider,
      approvalPolicy: (params.approvalPolicy ?? config.approvalPolicy ?? 'on-request') as never,
      sandboxPolicy: config.sandboxPolicies(mode, []),
      ...defined({ effort, reasoningSummary, verbosity, contextWindow, autoCompactTokens }),
      ...defined({ developerInstructions }),
    }
  }
}

class BobbinThread implements DrivenThread {
  readonly id: string
  readonly #handle: ThreadHandle

  constructor(handle: ThreadHandle) {
    this.#handle = handle
    this.id = handle.threadId
  }

  startTurn(input: readonly Said[], params: TurnParams = {}): Promise<string> {
    const { outputSchema, clientMetadata, ...settings } = params
    const patch = Object.keys(settings).length > 0 ? { settings: settingsPatch(settings) } : {}
    const options = { ...defined({ outputSchema, clientMetadata }), ...patch }
    return refusing(() => this.#handle.startTurn(input.map(userInput), options as TurnOptions))
  }

  async steer(turnId: string, input: readonly Said[]): Promise<void> {
    // Answered once it is kept; whoever steers goes on at once, as a client of the app server.
    const steering = refusing(() => this.#handle.steerTurn(input.map(userInput), turnId as TurnId))
    const isRefused = await Promise.race([
      steering.then(
        () => undefined,
        (error: unknown) => error,
      ),
      new Promise<undefined>((resolve) => setImmediate(() => resolve(undefined))),
    ])
    if (isRefused !== undefined) throw isRefused
    steering.catch(() => undefined)
  }

  interrupt(turnId: string): Promise<void> {
    return refusing(() => this.#handle.interrupt(turnId as TurnId))
  }

  async compact(): Promise<void> {
    await refusing(() => this.#handle.compact())
  }

  async rollBack(turnCount: number): Promise<void> {
    await refusing(() => this.#handle.rollBack(turnCount))
  }

  async updateSettings(params: TurnParams): Promise<void> {
    await refusing(async () => this.#handle.updateSettings(settingsPatch(params)))
  }

  async startReview(target: ReviewTarget): Promise<void> {
    await refusing(() => this.#handle.startReview(target))
  }

  async runShellCommand(command: string): Promise<void> {
    await refusing(() => this.#handle.runShellCommand(command))
  }
}

function openStore({ home }: Scratch): LocalThreadStore {
  const client = 'conformance'
  return new LocalThreadStore({
    home,
    files: nodeFileSystem,
    clock: systemClock,
    durability: 'process',
    client,
  })
}

function openManager({ home, env }: Scratch, store: LocalThreadStore): ThreadManager {
  return composeManager({
    config: loadConfig({ home, environment: env, overrides: [] }),
    environment: env,
    store,
    origin: { originator: 'bobbin_conformance', source: 'vscode' },
    isEphemeral: false,
  })
}

/** What the library throws for what it does not do. */
const REFUSALS = [SessionError, ThreadStoreError, ReviewError, DynamicToolError]

async function refusing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (REFUSALS.some((kind) => error instanceof kind)) throw new Refused((error as Error).message)
    throw error
  }
}

function userInput(said: Said): UserInput {
  if (typeof said === 'string') return { type: 'text', text: said }
  return { type: 'localImage', path: said.image }
}

function settingsPatch(params: TurnParams): SettingsPatch {
  const { sandboxPolicy, outputSchema: _, clientMetadata: __, ...rest } = params
  const policy = sandboxPolicy ? { sandboxPolicy: storedPolicy(sandboxPolicy) } : {}
  return { ...(rest as SettingsPatch), ...policy }
}

/** `{"type":"workspaceWrite"}` in the rollout's spelling. */
function storedPolicy(policy: JsonObject): SandboxPolicy {
  if (policy.type === 'dangerFullAccess') return { type: 'danger-full-access' }
  if (policy.type === 'readOnly') return { type: 'read-only' }
  return {
    type: 'workspace-write',
    network_access: false,
    exclude_tmpdir_env_var: false,
    exclude_slash_tmp: false,
  }
}

/** Handlers of every kind, as the client of an app server has them. */
function handlers(answerer: Answerer): ClientHandlers {
  const answer =
    (method: string, member?: string) =>
    async (params: object, { signal }: { readonly signal: AbortSignal }): Promise<never> => {
      const request: WireMessage = { method, params: { ...params } as JsonObject }
      const result = await answerer(request)
      if (result) return (member === undefined ? result : result[member]) as never
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      throw signal.reason
    }
  return {
    commandApproval: answer('item/commandExecution/requestApproval', 'decision'),
    patchApproval: answer('item/fileChange/requestApproval', 'decision'),
    userInput: answer('item/tool/requestUserInput'),
    dynamicToolCall: answer('item/tool/call'),
    elicitation: answer('mcpServer/elicitation/request'),
  }
}

/** Without members that are undefined. */
function defined<T extends object>(members: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(members).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as never
}
