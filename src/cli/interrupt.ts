/** Ctrl-C as a signal: the first ends the work in an orderly way, the second at once. */
export class Interrupt implements Disposable {
  readonly #controller = new AbortController()
  readonly #abort = () => this.#controller.abort()

  constructor() {
    process.once('SIGINT', this.#abort)
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  [Symbol.dispose](): void {
    process.removeListener('SIGINT', this.#abort)
  }
}
