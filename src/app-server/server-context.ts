import type { Clock, JsonObject } from '../base/index.ts'
import type { Config, ConfigWarning } from '../config/index.ts'
import type { ThreadHandle, ThreadManager } from '../core/index.ts'
import type { ThreadId } from '../protocol/index.ts'
import type { ThreadStore } from '../thread-store/index.ts'
import type { ThreadFeed } from './thread-feed.ts'

/** What handlers work with. */
export interface ServerContext {
  readonly manager: ThreadManager
  readonly store: ThreadStore
  readonly clock: Clock
  readonly home: string
  /** Folder that relative paths of clients are taken from. */
  readonly cwd: string
  readonly version: string
  /** The configuration as it is now, with `key=value` overrides. Throws `ConfigError`. */
  readonly loadConfig: (overrides: readonly string[]) => Config
  /** Environment of what clients run; that of this process when left out. */
  readonly environment?: NodeJS.ProcessEnv
  /** What clients are told of the configuration that this process has started with. */
  readonly configWarnings?: readonly ConfigWarning[]
  readonly installationId: () => Promise<string>
  /** Undefined for a thread that is not loaded. */
  feed(threadId: ThreadId): ThreadFeed | undefined
  feedOf(handle: ThreadHandle): ThreadFeed
  /** Tells every client that has initialized. */
  broadcast(method: string, params: JsonObject): void
}
