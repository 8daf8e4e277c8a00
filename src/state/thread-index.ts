import type { ThreadSummary } from '../history/index.ts'
import type { IndexDatabase } from './index-database.ts'
import {
  checksumOf,
  type FileColumns,
  type IndexedFile,
  parseSummary,
  toFile,
  toFileColumns,
} from './index-row.ts'

/** What the index remembers of a rollout, and of the file it was read from. */
export interface ThreadRow {
  readonly rolloutPath: string
  readonly file: IndexedFile
  readonly summary: ThreadSummary
  /** Bytes that the summary was folded from: whole lines. */
  readonly foldedBytes: number
}

interface StoredRow extends FileColumns {
  rollout_path: string
  thread_id: string
  folded_bytes: number
  summary: string
  checksum: number
}

/** Summaries of rollouts, kept so that a list need not read them again. */
export class ThreadIndex {
  readonly #database: IndexDatabase

  constructor(database: IndexDatabase) {
    this.#database = database
  }

  read(rolloutPath: string): ThreadRow | undefined {
    const row = this.#database.read((database) =>
      database
        .prepare<[string], StoredRow>(`SELECT ${COLUMNS} FROM threads WHERE rollout_path = ?`)
        .get(rolloutPath),
    )
    return row && toThreadRow(row)
  }

  /** Every row that is whole. */
  readAll(): ThreadRow[] {
    const rows = this.#database.read((database) =>
      database.prepare<[], StoredRow>(`SELECT ${COLUMNS} FROM threads`).all(),
    )
    return (rows ?? []).map(toThreadRow).filter((row) => row !== undefined)
  }

  upsert(rows: readonly ThreadRow[]): void {
    if (rows.length === 0) return
    this.#database.write((database) => {
      const statement = database.prepare<[StoredRow]>(UPSERT)
      for (const row of rows) {
        const columns = {
          ...toFileColumns(row.file),
          rollout_path: row.rolloutPath,
          thread_id: row.summary.threadId,
          folded_bytes: row.foldedBytes,
          summary: JSON.stringify(row.summary),
        }
        statement.run({ ...columns, checksum: checksumOf(columns, SUMMED) })
      }
    })
  }

  /** Forgets files that are gone or have moved. */
  remove(rolloutPaths: readonly string[]): void {
    if (rolloutPaths.length === 0) return
    this.#database.write((database) => {
      const statement = database.prepare('DELETE FROM threads WHERE rollout_path = ?')
      for (const path of rolloutPaths) statement.run(path)
    })
  }
}

const SUMMED = [
  'rollout_path',
  'thread_id',
  'size_bytes',
  'modified_at_ms',
  'inode',
  'folded_bytes',
  'summary',
] as const
const COLUMNS = [...SUMMED, 'checksum'].join(', ')

const UPSERT = `INSERT INTO threads VALUES
   (@rollout_path, @thread_id, @size_bytes, @modified_at_ms, @inode, @folded_bytes, @summary,
    @checksum)
 ON CONFLICT (rollout_path) DO UPDATE SET
   thread_id = excluded.thread_id, size_bytes = excluded.size_bytes,
   modified_at_ms = excluded.modified_at_ms, inode = excluded.inode,
   folded_bytes = excluded.folded_bytes, summary = excluded.summary,
   checksum = excluded.checksum`

function toThreadRow(row: StoredRow): ThreadRow | undefined {
  const summary = parseSummary(row.summary, row.thread_id)
  if (!summary || row.checksum !== checksumOf(row, SUMMED)) return undefined
  const { rollout_path: rolloutPath, folded_bytes: foldedBytes } = row
  return { rolloutPath, file: toFile(row), summary, foldedBytes }
}
