import { readFileSync, statSync } from 'node:fs'
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { isDamaged } from './sqlite.ts'

export type IndexRecord = { readonly [column: string]: SQLOutputValue }

/**
 * The index file for reading only, without making, migrating or setting aside anything: a doctor
 * has to see it as it is.
 */
export class IndexReader implements Disposable {
  readonly #database: DatabaseSync

  private constructor(database: DatabaseSync) {
    this.#database = database
  }

  /** Throws SQLite's errors; `faultOf` tells what they mean. */
  static open(path: string): IndexReader {
    return new IndexReader(openReadOnly(path))
  }

  get version(): number {
    return Number(this.#database.prepare('PRAGMA user_version').get()?.user_version ?? 0)
  }

  /** What SQLite finds wrong with the file and with its full-text index, at most ten faults. */
  check(): string[] {
    const rows = this.#database.prepare('PRAGMA quick_check(10)').all()
    const told = rows.map((row) => String(row.quick_check))
    return told.filter((text) => text !== 'ok')
  }

  /** Paths of the rollouts that have rows. */
  *paths(): Generator<string> {
    const select = 'SELECT rollout_path FROM threads UNION SELECT rollout_path FROM outlines'
    for (const row of this.#database.prepare(select).iterate()) yield String(row.rollout_path)
  }

  thread(path: string): IndexRecord | undefined {
    return this.#database.prepare('SELECT * FROM threads WHERE rollout_path = ?').get(path)
  }

  outline(path: string): IndexRecord | undefined {
    return this.#database.prepare('SELECT * FROM outlines WHERE rollout_path = ?').get(path)
  }

  /** One after the other, as they are asked for. */
  *turns(outlineId: SQLOutputValue): Generator<IndexRecord, undefined> {
    const columns = 'turn_order, turn_id, status, start_offset, end_offset, is_taken_back'
    const select = `SELECT ${columns} FROM turns WHERE outline_id = ? ORDER BY turn_order`
    yield* this.#database.prepare(select).iterate(outlineId)
    return undefined
  }

  [Symbol.dispose](): void {
    this.#database.close()
  }
}

/** The fault is in the file, or it cannot be read now. */
export function faultOf(error: unknown): 'damaged' | 'unavailable' {
  return isDamaged(error) ? 'damaged' : 'unavailable'
}

/** Version of the library that wrote a database last, from its header. */
export function writtenBy(path: string): string {
  const number = readFileSync(path).readUInt32BE(96)
  return [number / 1_000_000, (number / 1000) % 1000, number % 1000].map(Math.trunc).join('.')
}

const BUSY_TIMEOUT_MS = 2000

/**
 * Even a reader makes files beside a database in WAL mode; where there is no log, nobody has it
 * open, and it can be taken as it lies there.
 */
function openReadOnly(path: string): DatabaseSync {
  const url = pathToFileURL(path)
  const log = statSync(`${path}-wal`, { throwIfNoEntry: false })
  if (!log) url.searchParams.set('immutable', '1')
  return new DatabaseSync(url, { readOnly: true, timeout: BUSY_TIMEOUT_MS })
}
