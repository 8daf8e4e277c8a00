import type { SandboxState } from './sandbox.ts'

/** Looks for the sandbox once, when it is needed first, and owns what it finds. */
export class SandboxFinder implements AsyncDisposable {
  readonly #look: () => Promise<SandboxState & Disposable>
  #found: Promise<SandboxState & Disposable> | undefined
  #known: SandboxState | undefined

  constructor(look: () => Promise<SandboxState & Disposable>) {
    this.#look = look
  }

  /** Undefined until it has been found out. */
  get known(): SandboxState | undefined {
    return this.#known
  }

  async find(): Promise<SandboxState> {
    this.#found ??= this.#look()
    this.#known = await this.#found
    return this.#known
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const found = await this.#found
    found?.[Symbol.dispose]()
  }
}
