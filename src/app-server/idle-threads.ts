import { type Clock, TaskScope } from '../base/index.ts'
import type { ThreadHandle } from '../core/index.ts'

/** How long a thread that nobody watches and that does nothing stays loaded: as 0.133.0. */
export const IDLE_MS = 30 * 60_000
const LOOK_EVERY_MS = 60_000

export interface IdleThreadsOptions {
  readonly clock: Clock
  /** Threads that nobody watches, with the time since which they are quiet. */
  readonly quiet: () => { readonly handle: ThreadHandle; readonly sinceMs: number }[]
  readonly unload: (handle: ThreadHandle) => Promise<void>
  readonly onError: (error: unknown) => void
}

/** Lets threads go that nobody needs; disposing it stops looking. */
export class IdleThreads implements AsyncDisposable {
  readonly #scope: TaskScope
  readonly #options: IdleThreadsOptions

  constructor(options: IdleThreadsOptions) {
    this.#options = options
    this.#scope = new TaskScope(options.onError)
    this.#scope.run((signal) => this.#look(signal))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scope[Symbol.asyncDispose]()
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { clock, quiet, unload, onError } = this.#options
    for (;;) {
      await clock.sleep(LOOK_EVERY_MS, signal)
      const nowMs = clock.monotonicMs()
      for (const { handle, sinceMs } of quiet()) {
        if (nowMs - sinceMs < IDLE_MS || handle.activeTurn) continue
        await unload(handle).catch(onError)
      }
    }
  }
}
