import { type Clock, systemClock } from '../base/index.ts'
import { forkedItems, type ModelHistory, replayModelHistory } from '../history/index.ts'
import {
  type DynamicToolDefinition,
  newThreadId,
  type ReviewTarget,
  type SessionEvent,
  type SessionMeta,
  type ThreadId,
  type TurnId,
} from '../protocol/index.ts'
import {
  LiveThread,
  type StoredHistory,
  type StoredThread,
  type ThreadMetadataPatch,
  type ThreadStore,
  ThreadStoreError,
} from '../thread-store/index.ts'
import { BASE_INSTRUCTIONS } from './context/base-instructions.ts'
import { readProjectDocs } from './context/project-docs.ts'
import { localTimezone } from './context/timezone.ts'
import { SessionError } from './errors.ts'
import { type McpServerConfig, McpServers } from './mcp/index.ts'
import { type ModelClient, openConnection } from './model/model-client.ts'
import { reviewPrompt } from './review/index.ts'
import { Early } from './session/early.ts'
import { Session } from './session/session.ts'
import {
  headerOf,
  modelChangeWarning,
  newHeader,
  resumedSettings,
  type SettingsOverrides,
} from './session/session-header.ts'
import type { SessionServices } from './session/session-services.ts'
import { SessionState } from './session/session-state.ts'
import type { StartSubSession, SubSession } from './session/sub-session.ts'
import { WorkTree } from './session/work-tree.ts'
import {
  completeSettings,
  type SessionOrigin,
  type SessionSettings,
  type SettingsChoice,
} from './settings.ts'
import { ThreadHandle } from './thread-handle.ts'
import { CommandRunner } from './tools/command-runner.ts'
import { createToolSet } from './tools/create-tool-set.ts'
import { restoredDynamicTools } from './tools/dynamic-tool-definitions.ts'
import { userShell } from './tools/exec/index.ts'
import { type ExecPolicyStore, noExecPolicy } from './tools/exec-policy/index.ts'
import {
  findSandbox,
  SandboxFinder,
  type SandboxState,
  sandboxName,
} from './tools/sandbox/index.ts'

export interface ModelAccess {
  readonly client: ModelClient
  /** Attempts after the first when a stream breaks; 5 when left out. */
  readonly streamMaxRetries?: number
}

/** Source: `reference/session-runtime.md` C7. */
const STREAM_MAX_RETRIES = 5

export interface ThreadManagerOptions {
  readonly store: ThreadStore
  /** The system's when left out. */
  readonly clock?: Clock
  /** The model of a provider, by the provider's id. Throws for an unknown one. */
  readonly modelAccess: (providerId: string) => ModelAccess
  /** Who starts the threads, as their headers tell. */
  readonly origin?: SessionOrigin
  /** Of the program; written into new threads as `cli_version`. */
  readonly version?: string
  /** Environment of the commands that the model runs; that of this process when left out. */
  readonly environment?: NodeJS.ProcessEnv
  /** Folder whose `AGENTS.md` holds for every project. */
  readonly docsHome?: string
  /** Model of reviewers; left out, that of the thread. */
  readonly reviewModel?: string
  /** The rules for commands; left out, there are none and none can be kept. */
  readonly execPolicy?: ExecPolicyStore
  /** Started anew for every thread that brings none of its own. */
  readonly mcpServers?: readonly McpServerConfig[]
  /** Looks for what confines commands; left out, on this machine. */
  readonly findSandbox?: () => Promise<SandboxState & Disposable>
}

/** What a thread has beside its settings while it is loaded. */
interface ThreadSurroundings {
  /** MCP servers to start for it; those of the manager when left out. */
  readonly mcpServers?: readonly McpServerConfig[]
}

export interface StartThread extends ThreadSurroundings {
  readonly settings: SettingsChoice
  /** Nothing of the thread is kept anywhere. */
  readonly isEphemeral?: boolean
  /** Tools that the client serves, as `parseDynamicTools` gives them; kept with the thread. */
  readonly dynamicTools?: readonly DynamicToolDefinition[]
  /** The model's base instructions for the life of the thread; Bobbin's own when left out. */
  readonly instructions?: string
  /** Noted in the thread's header. */
  readonly threadSource?: string
}

export interface ResumeThread extends ThreadSurroundings {
  /** The id, or where the store has paths the path of the log, wherever that lies. */
  readonly threadId: ThreadId | { readonly rolloutPath: string }
  /** In force where neither `overrides` nor the thread says otherwise. */
  readonly defaults: SettingsChoice
  /** Wins over what the thread used last. */
  readonly overrides: SettingsOverrides
}

export interface ForkThread extends ThreadSurroundings {
  readonly sourceId: ThreadId
  /** Last turn to take over; all of them when left out. */
  readonly throughTurnId?: string
  /** In force in the fork. */
  readonly settings: SettingsChoice
  /** Nothing of the fork is kept anywhere. */
  readonly isEphemeral?: boolean
}

/** How the threads of a manager came to their ends. Each list is sorted. */
export interface ShutdownReport {
  readonly completed: readonly ThreadId[]
  /** What these had still to save could not be saved. */
  readonly failed: readonly { readonly threadId: ThreadId; readonly error: unknown }[]
  /** Still closing when the time was over; what they have told as kept is kept. */
  readonly timedOut: readonly ThreadId[]
}

/** Hears of threads that are loaded and let go. */
export interface ThreadListener {
  onLoaded?(handle: ThreadHandle): void
  onClosed?(threadId: ThreadId): void
}

/** Whose session it is, and what for. */
interface SessionRole {
  readonly origin: SessionOrigin
  readonly instructions: string
  readonly dynamicTools: readonly DynamicToolDefinition[]
  /** Undefined: its own, as the first of its tree. */
  readonly sessionId?: ThreadId
  readonly purpose?: string
}

interface LoadThread extends Pick<ResumeThread, 'defaults' | 'overrides' | 'mcpServers'> {
  /** It was made just now, as a copy. */
  readonly isFork: boolean
}

interface SessionStart {
  readonly threadId: ThreadId
  readonly mcpServers: readonly McpServerConfig[]
  readonly settings: SessionSettings
  readonly role: SessionRole
  readonly history: ModelHistory
  /** Compactions that the thread has behind it. */
  readonly windowNumber?: number
  readonly live: LiveThread | undefined
  readonly workTree: WorkTree
  readonly damage: StoredHistory['damage']
}

const DEFAULTS = {
  clock: systemClock,
  origin: { originator: 'bobbin', source: 'cli' } satisfies SessionOrigin as SessionOrigin,
  version: '0.0.0',
  environment: process.env,
  mcpServers: [] as readonly McpServerConfig[],
}

/** The loaded threads of this process. Disposing it closes them all. */
export class ThreadManager implements AsyncDisposable {
  readonly #options: ThreadManagerOptions & typeof DEFAULTS
  readonly #handles = new Map<ThreadId, ThreadHandle>()
  readonly #resuming = new Set<ThreadId>()
  readonly #loading = new Set<Promise<ThreadHandle>>()
  readonly #listeners = new Set<ThreadListener>()
  readonly #sandbox: SandboxFinder
  #isDisposed = false

  constructor(options: ThreadManagerOptions) {
    this.#options = { ...DEFAULTS, ...options }
    const searchPath = this.#options.environment.PATH
    this.#sandbox = new SandboxFinder(options.findSandbox ?? (() => findSandbox({ searchPath })))
  }

  /** A new thread. It is in the store once it has its first turn. */
  start(params: StartThread): Promise<ThreadHandle> {
    const { dynamicTools = [], instructions = BASE_INSTRUCTIONS, threadSource } = params
    const { originator, source } = this.#options.origin
    const origin = threadSource ? { originator, source, threadSource } : this.#options.origin
    const role = { origin, instructions, dynamicTools }
    return this.#follow(async () => this.#register(await this.#start(params, role)))
  }

  /**
   * A stored thread, with its own instructions, and its last model, effort and provider unless
   * overridden. Permissions and folder are those of `defaults`: resuming widens nothing. What is
   * in force is the handle's `settings`. Throws `ThreadStoreError`, and `SessionError`
   * `already_loaded`.
   */
  async resume(params: ResumeThread): Promise<ThreadHandle> {
    const ref = params.threadId
    const isPath = typeof ref !== 'string'
    const threadId = isPath ? (await this.#options.store.readThread(ref)).threadId : ref
    if (this.#handles.has(threadId) || this.#resuming.has(threadId)) {
      throw new SessionError('already_loaded', `thread ${threadId} is already loaded`)
    }
    this.#resuming.add(threadId)
    try {
      const at = isPath ? { rolloutPath: ref.rolloutPath } : {}
      return await this.#follow(() => this.#resume(threadId, at, { ...params, isFork: false }))
    } finally {
      this.#resuming.delete(threadId)
    }
  }

  /**
   * A new thread that begins as another, loaded or not, which stays as it is. A turn that runs
   * there is cut off in the copy, and marked as interrupted. Throws `ThreadStoreError`
   * `invalid_request` for a turn that the source does not have, and `SessionError` `ephemeral`.
   */
  fork(params: ForkThread): Promise<ThreadHandle> {
    return this.#follow(async () => {
      const source = this.#handles.get(params.sourceId)
      if (source?.isEphemeral) {
        const reason = 'nothing of it is kept that could be copied'
        throw new SessionError('ephemeral', `thread ${params.sourceId} is ephemeral: ${reason}`)
      }
      await source?.flush()
      return params.isEphemeral ? await this.#forkEphemeral(params) : await this.#fork(params)
    })
  }

  /**
   * Has changes reviewed in a fork of a loaded thread, with its settings and folder; the thread
   * itself is free for other turns. Throws `ReviewError` before anything is made; a fork whose
   * review cannot begin is closed.
   */
  async reviewDetached(
    source: ThreadHandle,
    target: ReviewTarget,
  ): Promise<{ readonly handle: ThreadHandle; readonly turnId: TurnId }> {
    const { threadId: sourceId, settings } = source
    await reviewPrompt(target, settings.cwd)
    const params = { settings, mcpServers: source.mcpServers }
    const handle = await this.fork({ sourceId, ...params }).catch((error: unknown) => {
      const isEmpty = error instanceof ThreadStoreError && error.failure.code === 'thread_not_found'
      if (isEmpty) return this.start(params)
      throw error
    })
    try {
      return { handle, turnId: await handle.startReview(target) }
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  get(threadId: ThreadId): ThreadHandle | undefined {
    return this.#handles.get(threadId)
  }

  /** No thread can be loaded any more: it closes them all, or has done so. */
  get isClosing(): boolean {
    return this.#isDisposed
  }

  /** Everything that is loaded, in the order of loading. */
  list(): ThreadHandle[] {
    return [...this.#handles.values()]
  }

  /** Tells the listener of threads from now on, until the result is disposed. */
  listen(listener: ThreadListener): Disposable {
    this.#listeners.add(listener)
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) }
  }

  /**
   * Changes what a person chose about a thread, loaded or not. Throws `ThreadStoreError`, and
   * `SessionError` `ephemeral`.
   */
  updateMetadata(threadId: ThreadId, patch: ThreadMetadataPatch): Promise<StoredThread> {
    const handle = this.#handles.get(threadId)
    return handle
      ? handle.updateMetadata(patch)
      : this.#options.store.updateThreadMetadata(threadId, patch)
  }

  /**
   * Closes a thread and lets it go; false when it is not loaded. Throws when it could not be saved:
   * it stays loaded then.
   */
  async remove(threadId: ThreadId): Promise<boolean> {
    const handle = this.#handles.get(threadId)
    await handle?.close()
    return handle !== undefined
  }

  /**
   * Closes all threads, and tells how that went after `deadlineMs` at the latest. No thread can be
   * loaded from now on.
   */
  async shutDown(deadlineMs: number): Promise<ShutdownReport> {
    this.#isDisposed = true
    const waiting = new AbortController()
    const late = this.#options.clock.sleep(deadlineMs, waiting.signal).catch(() => undefined)
    await Promise.race([Promise.allSettled(this.#loading), late])
    const ends = await Promise.all(
      this.list().map(async (handle) => {
        const closed = handle.close().then(
          () => ({ outcome: 'completed' }) as const,
          (error: unknown) => ({ outcome: 'failed', error }) as const,
        )
        const end = await Promise.race([closed, late])
        return { threadId: handle.threadId, ...(end ?? { outcome: 'timedOut' as const }) }
      }),
    )
    waiting.abort()
    ends.sort((a, b) => (a.threadId < b.threadId ? -1 : 1))
    const idsOf = (outcome: string) =>
      ends.filter((end) => end.outcome === outcome).map(({ threadId }) => threadId)
    return {
      completed: idsOf('completed'),
      failed: ends.filter((end) => end.outcome === 'failed'),
      timedOut: idsOf('timedOut'),
    }
  }

  /** Throws when a thread could not be saved, once all of them are closed. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true
    await Promise.allSettled(this.#loading)
    const handles = [...this.#handles.values()]
    const ends = await Promise.allSettled(handles.map((handle) => handle[Symbol.asyncDispose]()))
    await this.#sandbox[Symbol.asyncDispose]()
    const failures = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason] : []))
    if (failures.length > 1) throw new AggregateError(failures, 'threads could not be saved')
    if (failures.length > 0) throw failures[0]
  }

  /** Disposing waits for what is being loaded, and closes it too. */
  async #follow(load: () => Promise<ThreadHandle>): Promise<ThreadHandle> {
    if (this.#isDisposed) throw new SessionError('closed', 'the thread manager has been closed')
    const loading = load()
    this.#loading.add(loading)
    try {
      return await loading
    } finally {
      this.#loading.delete(loading)
    }
  }

  async #start(params: StartThread, role: SessionRole): Promise<ThreadHandle> {
    const settings = completeSettings(params.settings)
    const { isEphemeral, mcpServers = this.#options.mcpServers } = params
    const { store, clock, version } = this.#options
    const { origin, instructions, dynamicTools } = role
    await using opening = new AsyncDisposableStack()
    const threadId = newThreadId()
    const createdAtMs = clock.nowMs()
    const workTree = opening.use(new WorkTree(settings.cwd))
    const notices = new Early<string>()
    const header = async () => {
      const facts = await workTree.facts()
      const told = { threadId, createdAtMs, settings, origin, version, instructions }
      return newHeader({ ...told, dynamicTools, workTree: facts })
    }
    const live = isEphemeral
      ? undefined
      : await LiveThread.create(
          store,
          { threadId, createdAtMs, header, onNotice: notices.hear },
          clock,
        )
    if (live) opening.use(live)
    const history = replayModelHistory([])
    const parts = { threadId, settings, mcpServers, role, history, live, workTree, damage: [] }
    const handle = this.#load(parts, notices)
    opening.move()
    return handle
  }

  async #resume(
    threadId: ThreadId,
    at: { readonly rolloutPath?: string },
    { defaults, overrides, isFork, mcpServers = this.#options.mcpServers }: LoadThread,
  ): Promise<ThreadHandle> {
    await using opening = new AsyncDisposableStack()
    const notices = new Early<string>()
    const { store, clock } = this.#options
    const { live, history: log } = await LiveThread.resume(store, threadId, {
      ...at,
      onNotice: notices.hear,
      clock,
    })
    opening.use(live)
    const header = headerOf(log.items)
    const history = replayModelHistory(log.items)
    const settings = resumedSettings(completeSettings(defaults), overrides, header, history)
    // A fork's model was chosen for it; a thread that goes on may not do as well with another.
    const warning = isFork ? undefined : modelChangeWarning(history, settings)
    if (warning !== undefined) notices.hear(warning)
    const role = this.#roleOf(header)
    const workTree = opening.use(new WorkTree(settings.cwd))
    const { damage, compactionCount } = log
    const windowNumber = isFork ? 0 : compactionCount
    const thread = { threadId, settings, mcpServers, role, history, windowNumber }
    const parts = { ...thread, live, workTree, damage }
    const handle = this.#load(parts, notices)
    opening.move()
    return this.#register(handle)
  }

  async #fork(params: ForkThread): Promise<ThreadHandle> {
    const { sourceId, throughTurnId, settings, mcpServers = this.#options.mcpServers } = params
    const { store, clock, origin, version } = this.#options
    const threadId = newThreadId()
    await store.forkThread({
      sourceId,
      threadId,
      createdAtMs: clock.nowMs(),
      origin: { originator: origin.originator, cli_version: version, source: origin.source },
      ...(throughTurnId === undefined ? {} : { throughTurnId }),
    })
    const { model, modelProvider, effort } = completeSettings(settings)
    const overrides = { model, modelProvider, ...(effort === undefined ? {} : { effort }) }
    const load = { defaults: settings, overrides, mcpServers, isFork: true }
    return await this.#resume(threadId, {}, load)
  }

  async #forkEphemeral(params: ForkThread): Promise<ThreadHandle> {
    const { sourceId, throughTurnId, settings, mcpServers = this.#options.mcpServers } = params
    const log = await this.#options.store.loadHistory(sourceId)
    const items = forkedItems(log.items, throughTurnId)
    if (!items) {
      const reason = `thread ${sourceId} has no turn ${throughTurnId}`
      throw new ThreadStoreError({ code: 'invalid_request', reason })
    }
    await using opening = new AsyncDisposableStack()
    const workTree = opening.use(new WorkTree(settings.cwd))
    const role = this.#roleOf(headerOf(items))
    const history = replayModelHistory(items)
    const parts = { settings: completeSettings(settings), mcpServers, role, history, workTree }
    const { damage } = log
    const whole = { ...parts, damage, threadId: newThreadId(), live: undefined }
    const handle = this.#load(whole, new Early<string>())
    opening.move()
    return this.#register(handle)
  }

  /** The instructions of a thread never change. */
  #roleOf(header: SessionMeta | undefined): SessionRole {
    const instructions = header?.base_instructions?.text ?? BASE_INSTRUCTIONS
    const dynamicTools = restoredDynamicTools(header?.dynamic_tools)
    return { origin: this.#options.origin, instructions, dynamicTools }
  }

  /** A session that works for another one is nobody else's: it is in no list. */
  #startSub(parent: SessionStart, params: StartSubSession): Promise<SubSession> {
    const { purpose, settings, instructions } = params
    const { originator } = parent.role.origin
    const source = { subagent: purpose }
    const role = {
      origin: { originator, source, threadSource: 'subagent' },
      instructions,
      dynamicTools: [],
      sessionId: parent.role.sessionId ?? parent.threadId,
      purpose,
    }
    // Who works for another session has the built-in tools only.
    const isEphemeral = parent.live === undefined
    return this.#start({ settings, isEphemeral, mcpServers: [] }, role)
  }

  #load(parts: SessionStart, notices: Early<string>): ThreadHandle {
    const { threadId, settings, role, history, windowNumber, live, damage } = parts
    const statuses = new Early<SessionEvent>()
    const session = new Session({
      threadId,
      sessionId: threadId,
      ...role,
      state: new SessionState(history, settings, windowNumber),
      services: this.#services(parts, statuses.hear),
      live,
    })
    notices.follow((message) => session.warn(message))
    statuses.follow((event) => session.tell(event))
    session.prewarm()
    const handle = new ThreadHandle(threadId, session, damage, () => this.#letGo(handle))
    return handle
  }

  #register(handle: ThreadHandle): ThreadHandle {
    this.#handles.set(handle.threadId, handle)
    for (const listener of [...this.#listeners]) listener.onLoaded?.(handle)
    return handle
  }

  #letGo(handle: ThreadHandle): void {
    const { threadId } = handle
    // The thread may have been loaded anew since: that handle stays.
    if (this.#handles.get(threadId) !== handle) return
    this.#handles.delete(threadId)
    for (const listener of [...this.#listeners]) listener.onClosed?.(threadId)
  }

  #services(parts: SessionStart, tell: (event: SessionEvent) => void): SessionServices {
    const { threadId, settings, role, workTree } = parts
    const { dynamicTools } = role
    const { clock, modelAccess, environment, docsHome, reviewModel } = this.#options
    const { execPolicy = noExecPolicy } = this.#options
    const commands = new CommandRunner(environment, threadId, clock)
    const sandbox = () => this.#sandbox.find()
    // Throws for a provider that cannot be used, before any process is started.
    const { client, streamMaxRetries = STREAM_MAX_RETRIES } = modelAccess(settings.modelProvider)
    const { version } = this.#options
    const around = { cwd: settings.cwd, environment, clock, version, threadId, tell }
    const mcp = new McpServers({ ...around, servers: parts.mcpServers })
    return {
      clock,
      model: { client: openConnection(client), streamMaxRetries },
      tools: createToolSet({ commands, clock, execPolicy, sandbox, dynamicTools, mcp }),
      mcp,
      commands,
      userCommands: new CommandRunner(environment, threadId, clock),
      surroundings: {
        shellName: userShell(environment).name,
        timezone: localTimezone(),
        projectDocs: (cwd) => readProjectDocs(docsHome, cwd),
        workspaces: () => workTree.forRequests(),
        sandboxName: (policy) => sandboxName(policy, this.#sandbox.known),
      },
      startSubSession: (params) => this.#startSub(parts, params),
      reviewSettings: reviewModel === undefined ? {} : { model: reviewModel },
      background: workTree,
    }
  }
}
