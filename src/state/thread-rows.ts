import type { FileFacts } from '../base/index.ts'
import type { ThreadSummary } from '../history/index.ts'
import { type Database, immediate } from './database.ts'

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

export function readThreadRow(database: Database, rolloutPath: string): ThreadRow | undefined {
  const row = database
    .prepare<[string], StoredRow>('SELECT * FROM threads WHERE rollout_path = ?')
    .get(rolloutPath)
  if (!row) return undefined
  return {
    rolloutPath,
    file: { sizeBytes: row.size_bytes, modifiedAtMs: row.modified_at_ms, inode: row.inode },
    summary: JSON.parse(row.summary) as ThreadSummary,
  }
}

export function upsertThreadRows(database: Database, rows: readonly ThreadRow[]): void {
  if (rows.length === 0) return
  const statement = database.prepare<StoredRow>(
    `INSERT INTO threads VALUES
       (@rollout_path, @thread_id, @size_bytes, @modified_at_ms, @inode, @summary)
     ON CONFLICT (rollout_path) DO UPDATE SET
       thread_id = excluded.thread_id, size_bytes = excluded.size_bytes,
       modified_at_ms = excluded.modified_at_ms, inode = excluded.inode,
       summary = excluded.summary`,
  )
  immediate(database, () => {
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
  })
}
