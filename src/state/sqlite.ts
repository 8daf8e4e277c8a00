import { DatabaseSync, type SQLInputValue, type SQLOutputValue } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { isObject, type JsonObject, numberAt } from '../base/index.ts'

export type SqlRow = { readonly [column: string]: SQLOutputValue }

/** Takes values in order, or one object by the names of its `@parameters`. */
export interface Statement<Values extends unknown[] = SQLInputValue[], Row = SqlRow> {
  get(...values: Values): Row | undefined
  all(...values: Values): Row[]
  iterate(...values: Values): Iterable<Row>
  run(...values: Values): { readonly changes: number; readonly lastInsertRowid: number }
}

export interface OpenSqlite {
  /** How long a lock of another is waited for. */
  readonly timeoutMs: number
  /** `read` changes nothing, `change` makes no file, `create` does. */
  readonly mode: 'read' | 'change' | 'create'
}

/** One connection to a SQLite file. Statements throw what SQLite says: see `isSqliteError`. */
export class Database implements Disposable {
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, unknown>()

  constructor(path: string, { timeoutMs, mode }: OpenSqlite) {
    const url = pathToFileURL(path)
    url.searchParams.set('mode', mode === 'create' ? 'rwc' : mode === 'change' ? 'rw' : 'ro')
    this.#database = new DatabaseSync(url, { timeout: timeoutMs, readOnly: mode === 'read' })
  }

  /** The statement of a text, prepared once. */
  prepare<Values extends unknown[] = SQLInputValue[], Row = SqlRow>(
    text: string,
  ): Statement<Values, Row> {
    const statement = this.#statements.get(text) ?? this.#database.prepare(text)
    this.#statements.set(text, statement)
    return statement as Statement<Values, Row>
  }

  exec(text: string): void {
    this.#database.exec(text)
  }

  /** All of the work or none; the lock is taken at once: two writers queue, and none fails late. */
  immediate(work: () => void): void {
    this.#database.exec('BEGIN IMMEDIATE')
    try {
      work()
      this.#database.exec('COMMIT')
    } catch (error) {
      // Some failures have ended it already.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      throw error
    }
  }

  get userVersion(): number {
    return Number(this.prepare('PRAGMA user_version').get()?.user_version)
  }

  close(): void {
    this.#database.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

/** Whether SQLite itself has failed, or holds a number that is none of ours. */
export function isSqliteError(error: unknown): boolean {
  return isObject(error) && (error.code === 'ERR_SQLITE_ERROR' || isTooLarge(error))
}

/** We write none that JavaScript cannot read. */
function isTooLarge(error: JsonObject): boolean {
  return error.code === 'ERR_OUT_OF_RANGE'
}

/**
 * Whether the fault is in the file. A plain `SQLITE_ERROR` can only mean that its tables are not
 * ours: all our statements are fixed.
 */
export function isDamaged(error: unknown): boolean {
  if (!isSqliteError(error) || !isObject(error)) return false
  return isTooLarge(error) || DAMAGED.includes((numberAt(error, 'errcode') ?? 0) & 0xff)
}

/** SQLITE_ERROR, SQLITE_CORRUPT, SQLITE_NOTADB. */
const DAMAGED: readonly number[] = [1, 11, 26]
