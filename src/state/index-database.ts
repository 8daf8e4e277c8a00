import { IndexUnavailable, isOfNewerVersion, openDatabase, setAside } from './database.ts'
import { type Database, isDamaged, isSqliteError } from './sqlite.ts'

/**
 * The index file of a home. It can be thrown away at any time, so no trouble with it ever reaches
 * a caller: what cannot be read is missing, what cannot be written is written another time.
 */
export class IndexDatabase implements Disposable {
  readonly #path: string
  readonly #nowMs: number
  #database: Database | undefined

  private constructor(path: string, nowMs: number) {
    this.#path = path
    this.#nowMs = nowMs
    this.#database = openDatabase(path, nowMs)
  }

  /** Undefined when it cannot be used: no permission, locked by another, no room. */
  static open(path: string, nowMs: number): IndexDatabase | undefined {
    try {
      return new IndexDatabase(path, nowMs)
    } catch (error) {
      if (error instanceof IndexUnavailable) return undefined
      throw error
    }
  }

  /** False once it was given up: no row is read or written any more. */
  get isUsable(): boolean {
    return this.#database !== undefined
  }

  /** Undefined when SQLite fails. */
  read<T>(work: (database: Database) => T): T | undefined {
    if (!this.#database) return undefined
    try {
      return work(this.#database)
    } catch (error) {
      // SQLite's own failures only: what the index holds can be read from the files.
      if (!isSqliteError(error)) throw error
      if (isDamaged(error)) this.#giveUp()
      return undefined
    }
  }

  /** All of the work or nothing of it; answers whether it was done. */
  write(work: (database: Database) => void): boolean {
    const isDone = this.read((database) => {
      database.immediate(() => work(database))
      return true
    })
    return isDone ?? false
  }

  [Symbol.dispose](): void {
    this.#database?.close()
    this.#database = undefined
  }

  /** The damage is in the file: the next to open the index begins a new one. */
  #giveUp(): void {
    const isNewer = this.#database !== undefined && isOfNewerVersion(this.#database)
    this[Symbol.dispose]()
    if (isNewer) return
    try {
      setAside(this.#path, this.#nowMs)
    } catch {
      // It stays where it is, and is tried again by the next to open it.
    }
  }
}
