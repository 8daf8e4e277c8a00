/**
 * Owns background promises. Disposing it aborts its signal, then waits for all of them; a task
 * that fails reports to `onError`, so that no rejection is lost.
 */
export class TaskScope implements AsyncDisposable {
  readonly #controller = new AbortController()
  readonly #tasks = new Set<Promise<void>>()
  readonly #onError: (error: unknown) => void

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  run(task: (signal: AbortSignal) => Promise<void>): void {
    const running = task(this.signal)
      .catch((error: unknown) => {
        if (!this.signal.aborted) this.#onError(error)
      })
      .finally(() => this.#tasks.delete(running))
    this.#tasks.add(running)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#controller.abort()
    await Promise.all(this.#tasks)
  }
}
