import { IndexDatabase } from './index-database.ts'
import { OutlineIndex } from './outline-index.ts'
import { ThreadIndex } from './thread-index.ts'

/** All that a home's index holds. */
export class HomeIndex implements Disposable {
  readonly threads: ThreadIndex
  readonly outlines: OutlineIndex
  readonly #database: IndexDatabase

  private constructor(database: IndexDatabase) {
    this.#database = database
    this.threads = new ThreadIndex(database)
    this.outlines = new OutlineIndex(database)
  }

  /** Undefined when it cannot be used: no permission, locked by another, no room. */
  static open(path: string, nowMs: number): HomeIndex | undefined {
    const database = IndexDatabase.open(path, nowMs)
    return database && new HomeIndex(database)
  }

  /** False once it was given up: no row is read or written any more. */
  get isUsable(): boolean {
    return this.#database.isUsable
  }

  /** Forgets what is not `present` any more, once a folder has more rows than files. */
  prune(folder: string, present: ReadonlySet<string>): void {
    const known = new Set([...this.threads.pathsIn(folder), ...this.outlines.pathsIn(folder)])
    if (known.size <= present.size) return
    this.remove([...known].filter((path) => !present.has(path)))
  }

  /** Forgets files that are gone or have moved. */
  remove(rolloutPaths: readonly string[]): void {
    this.threads.remove(rolloutPaths)
    this.outlines.remove(rolloutPaths)
  }

  [Symbol.dispose](): void {
    this.#database[Symbol.dispose]()
  }
}
