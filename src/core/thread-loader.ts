import { forkedItems, type ModelHistory, replayModelHistory } from '../history/index.ts'
import {
  type DynamicToolDefinition,
  newThreadId,
  type SessionEvent,
  type SessionMeta,
  type ThreadId,
} from '../protocol/index.ts'
import { LiveThread, type StoredHistory, ThreadStoreError } from '../thread-store/index.ts'
import { checkArguments } from './arguments.ts'
import { BASE_INSTRUCTIONS } from './context/base-instructions.ts'
import { readProjectDocs } from './context/project-docs.ts'
import { localTimezone } from './context/timezone.ts'
import { type McpServerConfig, McpServers } from './mcp/index.ts'
import { openConnection } from './model/model-client.ts'
import { Early } from './session/early.ts'
import { Session } from './session/session.ts'
import {
  headerOf,
  modelChangeWarning,
  newHeader,
  resumedSettings,
} from './session/session-header.ts'
import type { SessionServices } from './session/session-services.ts'
import { SessionState } from './session/session-state.ts'
import type { StartSubSession, SubSession } from './session/sub-session.ts'
import { WorkTree } from './session/work-tree.ts'
import { completeSettings, type SessionOrigin, type SessionSettings } from './settings.ts'
import { ThreadHandle } from './thread-handle.ts'
import type {
  ForkThread,
  ResumeThread,
  StartThread,
  ThreadManagerOptions,
} from './thread-manager.ts'
import { CommandRunner } from './tools/command-runner.ts'
import { createToolSet } from './tools/create-tool-set.ts'
import { restoredDynamicTools } from './tools/dynamic-tool-definitions.ts'
import { userShell } from './tools/exec/index.ts'
import { noExecPolicy } from './tools/exec-policy/index.ts'
import { findSandbox, SandboxFinder, sandboxName } from './tools/sandbox/index.ts'

/** Source: `reference/session-runtime.md` C7. */
const STREAM_MAX_RETRIES = 5

/** Whose session it is, and what for. */
interface SessionRole {
  readonly origin: SessionOrigin
  readonly instructions: string
  readonly dynamicTools: readonly DynamicToolDefinition[]
  /** Undefined: its own, as the first of its tree. */
  readonly sessionId?: ThreadId
  readonly purpose?: string
}

/** The manager's, with what it stands on where something was left out. */
export type LoaderOptions = ThreadManagerOptions &
  Required<
    Pick<ThreadManagerOptions, 'clock' | 'origin' | 'version' | 'environment' | 'mcpServers'>
  >

export interface LoadThread extends Pick<ResumeThread, 'defaults' | 'overrides' | 'mcpServers'> {
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

/**
 * Makes sessions of threads: new ones, stored ones, copies. A manager loads it with its first
 * thread: lists and changes of stored threads do without it.
 */
export class ThreadLoader implements AsyncDisposable {
  readonly #options: LoaderOptions
  readonly #sandbox: SandboxFinder
  readonly #onClose: (handle: ThreadHandle) => void

  constructor(options: LoaderOptions, onClose: (handle: ThreadHandle) => void) {
    this.#options = options
    this.#onClose = onClose
    const searchPath = options.environment.PATH
    this.#sandbox = new SandboxFinder(options.findSandbox ?? (() => findSandbox({ searchPath })))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sandbox[Symbol.asyncDispose]()
  }

  start(params: StartThread): Promise<ThreadHandle> {
    const { dynamicTools = [], instructions = BASE_INSTRUCTIONS, threadSource } = params
    const { originator, source } = this.#options.origin
    const origin = threadSource ? { originator, source, threadSource } : this.#options.origin
    return this.#start(params, { origin, instructions, dynamicTools })
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

  async resume(
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
    return handle
  }

  async fork(params: ForkThread): Promise<ThreadHandle> {
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
    return await this.resume(threadId, {}, load)
  }

  async forkEphemeral(params: ForkThread): Promise<ThreadHandle> {
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
    return handle
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
    const handle = new ThreadHandle(threadId, session, damage, () => this.#onClose(handle))
    return handle
  }

  #services(parts: SessionStart, tell: (event: SessionEvent) => void): SessionServices {
    const { threadId, settings, role, workTree } = parts
    const { dynamicTools } = role
    const { clock, modelAccess, environment, docsHome, reviewModel } = this.#options
    const { execPolicy = noExecPolicy } = this.#options
    const commands = new CommandRunner(environment, threadId, clock)
    const sandbox = () => this.#sandbox.find()
    // Throws for a provider that cannot be used, before any process is started.
    const access = modelAccess(settings.modelProvider)
    checkArguments('modelAccess', access)
    const { client, streamMaxRetries = STREAM_MAX_RETRIES } = access
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
