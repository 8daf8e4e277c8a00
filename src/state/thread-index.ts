import type { FileFacts } from '../base/index.ts'
import type { ThreadSummary } from '../history/index.ts'
import { type Database, IndexUnavailable, immediate, openDatabase } from './database.ts'

/** What the index remembers of a rollout, and of the file it was read from. */
export interface ThreadRow {
  readonly rolloutPath: string
  readonly file: Pick<FileFacts, 'sizeBytes' | 'modifiedAtMs' | 'inode'>
  readonly summary: ThreadSummary
}

interface StoredRow {
  rollout_path: string
  thread_id: string
  size_bytes: number
  modified_at_ms: number
  inode: number
  summary: string
}

/**
 * Summaries of rollouts, kept so that a list need not read them again. It can be thrown away at
 * any time, so no trouble with it ever reaches the caller: a row that cannot be read is missing,
 * one that cannot be written is written another time.
 */
export class ThreadIndex implements Disposable {
  readonly #database: Database

  private constructor(database: Database) {
    this.#database = database
  }

  /** Undefined when it cannot be used: no permission, locked by another, no room. */
  static open(path: string, nowMs: number): ThreadIndex | undefined {
    try {
      return new ThreadIndex(openDatabase(path, nowMs))
    } catch (error) {
      if (error instanceof IndexUnavailable) return undefined
      throw error
    }
  }

  read(rolloutPath: string): ThreadRow | undefined {
    const row = this.#attempt(() =>
      this.#database
        .prepare<[string], StoredRow>('SELECT * FROM threads WHERE rollout_path = ?')
        .get(rolloutPath),
    )
    if (!row) return undefined
    return {
      rolloutPath,
      file: { sizeBytes: row.size_bytes, modifiedAtMs: row.modified_at_ms, inode: row.inode },
      summary: JSON.parse(row.summary) as ThreadSummary,
    }
  }

  upsert(rows: readonly ThreadRow[]): void {
    if (rows.length > 0) this.#attempt(() => immediate(this.#database, () => this.#write(rows)))
  }

  [Symbol.dispose](): void {
    this.#database.close()
  }

  #write(rows: readonly ThreadRow[]): void {
    const statement = this.#database.prepare<StoredRow>(
      `INSERT INTO threads VALUES
         (@rollout_path, @thread_id, @size_bytes, @modified_at_ms, @inode, @summary)
       ON CONFLICT (rollout_path) DO UPDATE SET
         thread_id = excluded.thread_id, size_bytes = excluded.size_bytes,
         modified_at_ms = excluded.modified_at_ms, inode = excluded.inode,
         summary = excluded.summary`,
    )
    for (const row of rows) {
      statement.run({
        rollout_path: row.rolloutPath,
        thread_id: row.summary.threadId,
        size_bytes: row.file.sizeBytes,
        modified_at_ms: row.file.modifiedAtMs,
        inode: row.file.inode,
        summary: JSON.stringify(row.summary),
      })
    }
  }

  #attempt<T>(work: () => T): T | undefined {
    try {
      return work()
    } catch (error) {
      // SQLite's own failures only: what the index holds can be read from the files.
      if (error instanceof Error && error.name === 'SqliteError') return undefined
      throw error
    }
  }
}
