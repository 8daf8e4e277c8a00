import {
  hasUncommittedChanges,
  type JsonObject,
  readWorkTree,
  TaskScope,
  type WorkTreeFacts,
} from '../../base/index.ts'

/** The checkout that a session works in, asked once, in the background. */
export class WorkTree implements AsyncDisposable {
  readonly #scope = new TaskScope(() => undefined)
  readonly #facts: Promise<WorkTreeFacts | undefined>
  #forRequests: JsonObject | undefined

  constructor(cwd: string) {
    this.#facts = readWorkTree(cwd, this.#scope.signal)
    this.#scope.run(async (signal) => {
      const facts = await this.#facts
      if (!facts) return
      const hasChanges = await hasUncommittedChanges(cwd, signal)
      const told = {
        ...(facts.originUrl ? { associated_remote_urls: { origin: facts.originUrl } } : {}),
        ...(facts.commitHash ? { latest_git_commit_hash: facts.commitHash } : {}),
        ...(hasChanges === undefined ? {} : { has_changes: hasChanges }),
      }
      if (Object.keys(told).length > 0) this.#forRequests = { [facts.root]: told }
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
