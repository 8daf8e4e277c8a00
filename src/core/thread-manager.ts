import { bobbinVersion, type Clock, givenOf, OnceMade, systemClock } from '../base/index.ts'
import type { DynamicToolDefinition, ReviewTarget, ThreadId, TurnId } from '../protocol/index.ts'
import {
  type StoredThread,
  type ThreadMetadataPatch,
  type ThreadStore,
  ThreadStoreError,
} from '../thread-store/index.ts'
import { checkArguments } from './arguments.ts'
import { SessionError } from './errors.ts'
import type { McpServerConfig } from './mcp/index.ts'
import type { ModelClient } from './model/model-client.ts'
import { reviewPrompt } from './review/index.ts'
import type { SettingsOverrides } from './session/session-header.ts'
import type { SessionOrigin, SettingsChoice } from './settings.ts'
import type { ThreadHandle } from './thread-handle.ts'
import type { LoaderOptions, ThreadLoader } from './thread-loader.ts'
import type { ExecPolicyStore } from './tools/exec-policy/index.ts'
import type { SandboxState } from './tools/sandbox/index.ts'

export interface ModelAccess {
  readonly client: ModelClient
  /** Attempts after the first when a stream breaks; 5 when left out. */
  readonly streamMaxRetries?: number
}

export interface ThreadManagerOptions {
  readonly store: ThreadStore
  /** The system's when left out. */
  readonly clock?: Clock
  /** The model of a provider, by the provider's id. Throws for an unknown one. */
  readonly modelAccess: (providerId: string) => ModelAccess
  /** Who starts the threads, as their headers tell. */
  readonly origin?: SessionOrigin
  /** Of the program, Bobbin's when left out; written into new threads as `cli_version`. */
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

const DEFAULTS = {
  clock: systemClock,
  origin: { originator: 'bobbin', source: 'cli' } satisfies SessionOrigin as SessionOrigin,
  environment: process.env,
  mcpServers: [] as readonly McpServerConfig[],
}

/**
 * The loaded threads of this process. Disposing it closes them all. What a call does not take is
 * `SessionError` `invalid_argument`, which names it, before anything is done.
 */
export class ThreadManager implements AsyncDisposable {
  readonly #options: LoaderOptions
  readonly #handles = new Map<ThreadId, ThreadHandle>()
  readonly #resuming = new Set<ThreadId>()
  readonly #loading = new Set<Promise<ThreadHandle>>()
  readonly #listeners = new Set<ThreadListener>()
  readonly #loader = new OnceMade(() => this.#makeLoader())
  #isDisposed = false

  constructor(options: ThreadManagerOptions) {
    checkArguments('ThreadManager', options)
    this.#options = { ...DEFAULTS, version: bobbinVersion(), ...givenOf(options) }
  }

  /** A new thread. It is in the store once it has its first turn. */
  async start(params: StartThread): Promise<ThreadHandle> {
    checkArguments('start', params)
    return this.#follow((loader) => loader.start(params))
  }

  /**
   * A stored thread, with its own instructions, and its last model, effort and provider unless
   * overridden. Permissions and folder are those of `defaults`: resuming widens nothing. What is
   * in force is the handle's `settings`. Throws `ThreadStoreError`, and `SessionError`
   * `already_loaded`.
   */
  async resume(params: ResumeThread): Promise<ThreadHandle> {
    checkArguments('resume', params)
    const ref = params.threadId
    const isPath = typeof ref !== 'string'
    const threadId = isPath ? (await this.#options.store.readThread(ref)).threadId : ref
    if (this.#handles.has(threadId) || this.#resuming.has(threadId)) {
      throw new SessionError('already_loaded', `thread ${threadId} is already loaded`)
    }
    this.#resuming.add(threadId)
    try {
      const at = isPath ? { rolloutPath: ref.rolloutPath } : {}
      const load = { ...params, isFork: false }
      return await this.#follow((loader) => loader.resume(threadId, at, load))
    } finally {
      this.#resuming.delete(threadId)
    }
  }

  /**
   * A new thread that begins as another, loaded or not, which stays as it is. A turn that runs
   * there is cut off in the copy, and marked as interrupted. Throws `ThreadStoreError`
   * `invalid_request` for a turn that the source does not have, and `SessionError` `ephemeral`.
   */
  async fork(params: ForkThread): Promise<ThreadHandle> {
    checkArguments('fork', params)
    return this.#follow(async (loader) => {
      const source = this.#handles.get(params.sourceId)
      if (source?.isEphemeral) {
        const reason = 'nothing of it is kept that could be copied'
        throw new SessionError('ephemeral', `thread ${params.sourceId} is ephemeral: ${reason}`)
      }
      await source?.flush()
      return params.isEphemeral ? await loader.forkEphemeral(params) : await loader.fork(params)
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
    checkArguments('reviewDetached', source, target)
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
    checkArguments('ThreadManager.listen', listener)
    this.#listeners.add(listener)
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) }
  }

  /**
   * Changes what a person chose about a thread, loaded or not. Throws `ThreadStoreError`, and
   * `SessionError` `ephemeral`.
   */
  async updateMetadata(threadId: ThreadId, patch: ThreadMetadataPatch): Promise<StoredThread> {
    checkArguments('ThreadManager.updateMetadata', threadId)
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
    checkArguments('remove', threadId)
    const handle = this.#handles.get(threadId)
    await handle?.close()
    return handle !== undefined
  }

  /**
   * Closes all threads, and tells how that went after `deadlineMs` at the latest. No thread can be
   * loaded from now on.
   */
  async shutDown(deadlineMs: number): Promise<ShutdownReport> {
    checkArguments('shutDown', deadlineMs)
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
    const loader = await this.#loader.known()
    await loader?.[Symbol.asyncDispose]()
    const failures = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason] : []))
    if (failures.length > 1) throw new AggregateError(failures, 'threads could not be saved')
    if (failures.length > 0) throw failures[0]
  }

  /** Disposing waits for what is being loaded, and closes it too. */
  async #follow(load: (loader: ThreadLoader) => Promise<ThreadHandle>): Promise<ThreadHandle> {
    if (this.#isDisposed) throw new SessionError('closed', 'the thread manager has been closed')
    const loading = this.#loader
      .get()
      .then(load)
      .then((handle) => this.#register(handle))
    this.#loading.add(loading)
    try {
      return await loading
    } finally {
      this.#loading.delete(loading)
    }
  }

  async #makeLoader(): Promise<ThreadLoader> {
    const { ThreadLoader } = await import('./thread-loader.ts')
    return new ThreadLoader(this.#options, (handle) => this.#letGo(handle))
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
}
