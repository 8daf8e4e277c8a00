import {
  type Clock,
  hasUncommittedChanges,
  type JsonObject,
  readWorkTree,
  TaskScope,
  type WorkTreeFacts,
} from '../base/index.ts'
import { type ModelHistory, replayModelHistory } from '../history/index.ts'
import {
  newThreadId,
  type RolloutItem,
  type SessionEvent,
  type SessionMeta,
  type ThreadId,
} from '../protocol/index.ts'
import {
  LiveThread,
  type StoredHistory,
  type StoredThread,
  type ThreadMetadataPatch,
  type ThreadStore,
} from '../thread-store/index.ts'
import { BASE_INSTRUCTIONS } from './context/base-instructions.ts'
import { readProjectDocs } from './context/project-docs.ts'
import { localTimezone } from './context/timezone.ts'
import { SessionError } from './errors.ts'
import { type McpServerConfig, McpServers } from './mcp/index.ts'
import type { ModelClient } from './model/model-client.ts'
import { Session } from './session/session.ts'
import type { SessionServices } from './session/session-services.ts'
import { SessionState } from './session/session-state.ts'
import type { SessionOrigin, SessionSettings } from './settings.ts'
import { ThreadHandle } from './thread-handle.ts'
import { createToolSet } from './tools/create-tool-set.ts'
import { userShell } from './tools/exec/index.ts'

export interface ModelAccess {
  readonly client: ModelClient
  /** Attempts after the first when a stream breaks. */
  readonly streamMaxRetries: number
}

export interface ThreadManagerOptions {
  readonly store: ThreadStore
  readonly clock: Clock
  /** The model of a provider, by the provider's id. Throws for an unknown one. */
  readonly modelAccess: (providerId: string) => ModelAccess
  readonly origin: SessionOrigin
  /** Written into new threads as `cli_version`. */
  readonly version: string
  /** Environment of the commands that the model runs. */
  readonly environment: NodeJS.ProcessEnv
  /** Folder whose `AGENTS.md` holds for every project. */
  readonly docsHome?: string
  /** Started anew for every thread. */
  readonly mcpServers?: readonly McpServerConfig[]
}

export interface StartThread {
  readonly settings: SessionSettings
  /** Nothing of the thread is kept anywhere. */
  readonly isEphemeral?: boolean
}

export interface ResumeThread {
  readonly threadId: ThreadId
  /** In force where neither `overrides` nor the thread says otherwise. */
  readonly defaults: SessionSettings
  /** Wins over what the thread used last. */
  readonly overrides: Partial<Pick<SessionSettings, 'model' | 'modelProvider' | 'effort'>>
}

interface SessionStart {
  readonly threadId: ThreadId
  readonly settings: SessionSettings
  readonly instructions: string
  readonly history: ModelHistory
  readonly live: LiveThread | undefined
  readonly workTree: WorkTree
}

/** The loaded threads of this process. Disposing it closes them all. */
export class ThreadManager implements AsyncDisposable {
  readonly #options: ThreadManagerOptions
  readonly #handles = new Map<ThreadId, ThreadHandle>()
  readonly #resuming = new Set<ThreadId>()
  readonly #loading = new Set<Promise<ThreadHandle>>()
  #isDisposed = false

  constructor(options: ThreadManagerOptions) {
    this.#options = options
  }

  /** A new thread. It is in the store once it has its first turn. */
  start(params: StartThread): Promise<ThreadHandle> {
    return this.#follow(() => this.#start(params))
  }

  /**
   * A stored thread, with its own instructions, and its last model, effort and provider unless
   * overridden. Permissions and folder are those of `defaults`: resuming widens nothing.
   * Throws `ThreadStoreError`, and `SessionError` `already_loaded`.
   */
  async resume(params: ResumeThread): Promise<ThreadHandle> {
    const { threadId } = params
    if (this.#handles.has(threadId) || this.#resuming.has(threadId)) {
      throw new SessionError('already_loaded', `thread ${threadId} is already loaded`)
    }
    this.#resuming.add(threadId)
    try {
      return await this.#follow(() => this.#resume(params))
    } finally {
      this.#resuming.delete(threadId)
    }
  }

  get(threadId: ThreadId): ThreadHandle | undefined {
    return this.#handles.get(threadId)
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

  /** Throws when a thread could not be saved, once all of them are closed. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true
    await Promise.allSettled(this.#loading)
    const handles = [...this.#handles.values()]
    const ends = await Promise.allSettled(handles.map((handle) => handle[Symbol.asyncDispose]()))
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

  async #start({ settings, isEphemeral }: StartThread): Promise<ThreadHandle> {
    const { store, clock } = this.#options
    await using opening = new AsyncDisposableStack()
    const threadId = newThreadId()
    const createdAtMs = clock.nowMs()
    const workTree = opening.use(new WorkTree(settings.cwd))
    const notices = new Early<string>()
    const header = async () => this.#header(threadId, createdAtMs, settings, await workTree.facts())
    const live = isEphemeral
      ? undefined
      : await LiveThread.create(
          store,
          { threadId, createdAtMs, header, onNotice: notices.hear },
          clock,
        )
    if (live) opening.use(live)
    const history = replayModelHistory([])
    const instructions = BASE_INSTRUCTIONS
    const parts = { threadId, settings, instructions, history, live, workTree }
    const handle = this.#load(parts, notices, [])
    opening.move()
    return handle
  }

  async #resume({ threadId, defaults, overrides }: ResumeThread): Promise<ThreadHandle> {
    await using opening = new AsyncDisposableStack()
    const notices = new Early<string>()
    const { store, clock } = this.#options
    const { live, history: log } = await LiveThread.resume(store, threadId, {
      onNotice: notices.hear,
      clock,
    })
    opening.use(live)
    const header = headerOf(log.items)
    const history = replayModelHistory(log.items)
    const settings = resumedSettings(defaults, overrides, header, history)
    const instructions = header?.base_instructions?.text ?? BASE_INSTRUCTIONS
    const workTree = opening.use(new WorkTree(settings.cwd))
    const parts = { threadId, settings, instructions, history, live, workTree }
    const handle = this.#load(parts, notices, log.damage)
    opening.move()
    return handle
  }

  #load(
    parts: SessionStart,
    notices: Early<string>,
    damage: StoredHistory['damage'],
  ): ThreadHandle {
    const { threadId, settings, instructions, history, live, workTree } = parts
    const statuses = new Early<SessionEvent>()
    const services = this.#services(threadId, settings, workTree, statuses.hear)
    const session = new Session({
      threadId,
      settings,
      origin: this.#options.origin,
      instructions,
      state: new SessionState(history),
      services,
      live,
    })
    notices.follow((message) => session.warn(message))
    statuses.follow((event) => session.tell(event))
    const handle = new ThreadHandle(threadId, session, damage, () => {
      // The thread may have been loaded anew since: that handle stays.
      if (this.#handles.get(threadId) === handle) this.#handles.delete(threadId)
    })
    this.#handles.set(threadId, handle)
    return handle
  }

  #services(
    threadId: ThreadId,
    settings: SessionSettings,
    workTree: WorkTree,
    tell: (event: SessionEvent) => void,
  ): SessionServices {
    const { clock, modelAccess, environment, docsHome, version, mcpServers } = this.#options
    // Throws for a provider that cannot be used, before any process is started.
    const model = modelAccess(settings.modelProvider)
    const { cwd } = settings
    const around = { cwd, environment, clock, version, threadId, tell }
    const mcp = new McpServers({ ...around, servers: mcpServers ?? [] })
    return {
      clock,
      model,
      tools: createToolSet({ threadId, environment, clock, mcp }),
      surroundings: {
        shellName: userShell(environment).name,
        timezone: localTimezone(),
        projectDocs: (cwd) => readProjectDocs(docsHome, cwd),
        workspaces: () => workTree.forRequests(),
      },
      background: workTree,
    }
  }

  #header(
    threadId: ThreadId,
    createdAtMs: number,
    settings: SessionSettings,
    tree: WorkTreeFacts | undefined,
  ): SessionMeta {
    const { origin, version } = this.#options
    return {
      id: threadId,
      timestamp: new Date(createdAtMs).toISOString(),
      cwd: settings.cwd,
      originator: origin.originator,
      cli_version: version,
      source: origin.source,
      ...(origin.threadSource ? { thread_source: origin.threadSource } : {}),
      model_provider: settings.modelProvider,
      base_instructions: { text: BASE_INSTRUCTIONS },
      ...(tree ? { git: gitInfo(tree) } : {}),
    }
  }
}

function headerOf(items: readonly RolloutItem[]): SessionMeta | undefined {
  return items.find((item) => item.type === 'session_meta')?.payload
}

function resumedSettings(
  defaults: SessionSettings,
  overrides: ResumeThread['overrides'],
  header: SessionMeta | undefined,
  history: ModelHistory,
): SessionSettings {
  const last = history.lastTurnContext
  const isSameModel = overrides.model === undefined || overrides.model === last?.model
  const effort = overrides.effort ?? (isSameModel ? last?.effort : undefined) ?? defaults.effort
  return {
    ...defaults,
    model: overrides.model ?? last?.model ?? defaults.model,
    modelProvider: overrides.modelProvider ?? header?.model_provider ?? defaults.modelProvider,
    ...(effort === undefined ? {} : { effort }),
  }
}

function gitInfo(tree: WorkTreeFacts): NonNullable<SessionMeta['git']> {
  return {
    ...(tree.commitHash ? { commit_hash: tree.commitHash } : {}),
    ...(tree.branch ? { branch: tree.branch } : {}),
    ...(tree.originUrl ? { repository_url: tree.originUrl } : {}),
  }
}

/** Storage and tools may have something to say before there is a session to say it. */
class Early<T> {
  #early: T[] = []
  #tell: ((said: T) => void) | undefined

  readonly hear = (said: T): void => {
    if (this.#tell) this.#tell(said)
    else this.#early.push(said)
  }

  follow(tell: (said: T) => void): void {
    this.#tell = tell
    for (const said of this.#early.splice(0)) tell(said)
  }
}

/** The checkout that a session works in, asked once, in the background. */
class WorkTree implements AsyncDisposable {
  readonly #scope = new TaskScope(() => undefined)
  readonly #facts: Promise<WorkTreeFacts | undefined>
  #forRequests: JsonObject | undefined

  constructor(cwd: string) {
    this.#facts = readWorkTree(cwd, this.#scope.signal)
    this.#scope.run(async (signal) => {
      const facts = await this.#facts
      if (!facts) return
      const hasChanges = await hasUncommittedChanges(cwd, signal)
      this.#forRequests = {
        [facts.root]: {
          ...(facts.originUrl ? { associated_remote_urls: { origin: facts.originUrl } } : {}),
          ...(facts.commitHash ? { latest_git_commit_hash: facts.commitHash } : {}),
          ...(hasChanges === undefined ? {} : { has_changes: hasChanges }),
        },
      }
    })
  }

  facts(): Promise<WorkTreeFacts | undefined> {
    return this.#facts
  }

  forRequests(): JsonObject | undefined {
    return this.#forRequests
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scope[Symbol.asyncDispose]()
  }
}
