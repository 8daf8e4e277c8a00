import { type FileFacts, isObject, numberAt, stringAt } from '../base/index.ts'
import type { ThreadSummary } from '../history/index.ts'
import {
  type Database,
  IndexUnavailable,
  immediate,
  isDamaged,
  isOfNewerVersion,
  openDatabase,
  setAside,
} from './database.ts'

/** What the index remembers of a rollout, and of the file it was read from. */
export interface ThreadRow {
  readonly rolloutPath: string
  readonly file: Pick<FileFacts, 'sizeBytes' | 'modifiedAtMs' | 'inode'>
  readonly summary: ThreadSummary
  /** Bytes that the summary was folded from: whole lines. */
  readonly foldedBytes: number
}

interface StoredRow {
  rollout_path: string
  thread_id: string
  size_bytes: number
  modified_at_ms: number
  inode: number
  folded_bytes: number
  summary: string
}

/**
 * Summaries of rollouts, kept so that a list need not read them again. It can be thrown away at
 * any time, so no trouble with it ever reaches the caller: a row that cannot be read is missing,
 * one that cannot be written is written another time.
 */
export class ThreadIndex implements Disposable {
  readonly #path: string
  readonly #nowMs: number
  #database: Database | undefined

  private constructor(path: string, nowMs: number) {
    this.#path = path
    this.#nowMs = nowMs
    this.#database = openDatabase(path, nowMs)
  }

  /** Undefined when it cannot be used: no permission, locked by another, no room. */
  static open(path: string, nowMs: number): ThreadIndex | undefined {
    try {
      return new ThreadIndex(path, nowMs)
    } catch (error) {
      if (error instanceof IndexUnavailable) return undefined
      throw error
    }
  }

  /** False once it was given up: no row is read or written any more. */
  get isUsable(): boolean {
    return this.#database !== undefined
  }

  read(rolloutPath: string): ThreadRow | undefined {
    const row = this.#attempt((database) =>
      database
        .prepare<[string], StoredRow>(
          `SELECT rollout_path, thread_id, size_bytes, modified_at_ms, inode, folded_bytes, summary
           FROM threads WHERE rollout_path = ?`,
        )
        .get(rolloutPath),
    )
    const summary = row && parseSummary(row)
    if (!summary) return undefined
    const { size_bytes: sizeBytes, modified_at_ms: modifiedAtMs, inode } = row
    const file = { sizeBytes, modifiedAtMs, inode }
    return { rolloutPath, file, summary, foldedBytes: row.folded_bytes }
  }

  upsert(rows: readonly ThreadRow[]): void {
    if (rows.length === 0) return
    this.#attempt((database) => immediate(database, () => this.#write(database, rows)))
  }

  /** Forgets files that are gone or have moved. */
  remove(rolloutPaths: readonly string[]): void {
    this.#attempt((database) =>
      immediate(database, () => {
        const statement = database.prepare('DELETE FROM threads WHERE rollout_path = ?')
        for (const path of rolloutPaths) statement.run(path)
      }),
    )
  }

  /** Forgets what is not `present` any more, once a folder has more rows than files. */
  prune(folder: string, present: ReadonlySet<string>): void {
    const rows = 'FROM threads WHERE rollout_path > ? AND rollout_path < ?'
    // In the order of text, `0` comes right after `/`.
    const range = [`${folder}/`, `${folder}0`] as const
    this.#attempt((database) => {
      const count = database.prepare<[string, string], number>(`SELECT count(*) ${rows}`).pluck()
      if ((count.get(...range) ?? 0) <= present.size) return
      const paths = database
        .prepare<[string, string], string>(`SELECT rollout_path ${rows}`)
        .pluck()
      this.remove(paths.all(...range).filter((path) => !present.has(path)))
    })
  }

  [Symbol.dispose](): void {
    this.#database?.close()
    this.#database = undefined
  }

  #write(database: Database, rows: readonly ThreadRow[]): void {
    const statement = database.prepare<StoredRow>(
      `INSERT INTO threads VALUES
         (@rollout_path, @thread_id, @size_bytes, @modified_at_ms, @inode, @folded_bytes,
          @summary)
       ON CONFLICT (rollout_path) DO UPDATE SET
         thread_id = excluded.thread_id, size_bytes = excluded.size_bytes,
         modified_at_ms = excluded.modified_at_ms, inode = excluded.inode,
         folded_bytes = excluded.folded_bytes, summary = excluded.summary`,
    )
    for (const row of rows) {
      statement.run({
        rollout_path: row.rolloutPath,
        thread_id: row.summary.threadId,
        size_bytes: row.file.sizeBytes,
        modified_at_ms: row.file.modifiedAtMs,
        inode: row.file.inode,
        folded_bytes: row.foldedBytes,
        summary: JSON.stringify(row.summary),
      })
    }
  }

  #attempt<T>(work: (database: Database) => T): T | undefined {
    if (!this.#database) return undefined
    try {
      return work(this.#database)
    } catch (error) {
      // SQLite's own failures only: what the index holds can be read from the files.
      if (!(error instanceof Error) || error.name !== 'SqliteError') throw error
      if (isDamaged(error)) this.#giveUp()
      return undefined
    }
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

/** Rows can be read by other programs, and were perhaps written by one. */
function parseSummary(row: StoredRow): ThreadSummary | undefined {
  let value: unknown
  try {
    value = JSON.parse(row.summary)
  } catch {
    // Not by us: the row counts as missing.
    return undefined
  }
  if (!isObject(value) || value.threadId !== row.thread_id) return undefined
  const hasTexts = TEXTS.every((field) => stringAt(value, field) !== undefined)
  const hasRest = numberAt(value, 'createdAtMs') !== undefined && value.source !== undefined
  return hasTexts && hasRest ? (value as unknown as ThreadSummary) : undefined
}

const TEXTS = [
  'threadId',
  'cwd',
  'cliVersion',
  'originator',
  'historyMode',
  'memoryMode',
  'preview',
]
