import { FolderIndex } from './folder-index.ts'
import { IndexDatabase } from './index-database.ts'
import { OutlineIndex } from './outline-index.ts'
import { countIn, pathsIn } from './rows-in-folder.ts'
import { ThreadIndex } from './thread-index.ts'

/** All that a home's index holds. */
export class HomeIndex implements Disposable {
  readonly threads: ThreadIndex
  readonly outlines: OutlineIndex
  readonly folders: FolderIndex
  readonly #database: IndexDatabase

  private constructor(database: IndexDatabase) {
    this.#database = database
    this.threads = new ThreadIndex(database)
    this.outlines = new OutlineIndex(database)
    this.folders = new FolderIndex(database)
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

  /** Forgets other files than these of a folder, once it has more rows than files. */
  prune(folder: string, rolloutPaths: readonly string[]): void {
    const tables = ['threads', 'outlines'] as const
    const counts = tables.map((table) => countIn(this.#database, table, folder))
    if (Math.max(...counts) <= rolloutPaths.length) return
    const present = new Set(rolloutPaths)
    const known = tables.flatMap((table) => pathsIn(this.#database, table, folder))
    this.remove(known.filter((path) => !present.has(path)))
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
