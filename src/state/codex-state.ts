import { Database } from './sqlite.ts'

/** What its row of a thread says; what is left out stays. */
export interface CodexThreadFacts {
  /** Empty: cleared. */
  readonly title?: string
  readonly memoryMode?: string
  readonly git?: {
    readonly sha: string | null
    readonly branch: string | null
    readonly originUrl: string | null
  }
}

const BUSY_TIMEOUT_MS = 100

/**
 * Tells real Codex's own index what was changed of a thread, because it believes that more than the
 * log: one UPDATE of a row that is there. Best effort: whatever is in the way, nothing is made,
 * migrated or waited for, and nobody is told; the log has it all. Source:
 * `reference/rollout-and-thread-store.md` I.5. Answers whether there was a row to change.
 */
export function touchCodexState(path: string, threadId: string, facts: CodexThreadFacts): boolean {
  let database: Database | undefined
  try {
    database = new Database(path, { timeoutMs: BUSY_TIMEOUT_MS, mode: 'change' })
    if (!isOfCodex(database)) return false
    const values = columnsOf(facts)
    const columns = Object.keys(values)
    if (columns.length === 0) return false
    const assignments = columns.map((column) => `${column} = @${column}`).join(', ')
    const text = `UPDATE threads SET ${assignments} WHERE id = @id`
    const statement = database.prepare<[{ readonly [column: string]: string | null }]>(text)
    return statement.run({ ...values, id: threadId }).changes > 0
  } catch {
    // Another version's tables, no permission, in use: it will say what it said before.
    return false
  } finally {
    database?.close()
  }
}

const MEMORY_BUSY_TIMEOUT_MS = 5000

/**
 * Takes the memories out of real Codex's database, and the jobs that make them: all of it or
 * nothing. Nothing happens where it has no such tables. Throws what SQLite throws. Source:
 * `reference/state-memories-logs.md` C.12.
 */
export function clearCodexMemories(path: string): void {
  using database = new Database(path, { timeoutMs: MEMORY_BUSY_TIMEOUT_MS, mode: 'change' })
  if (!isOfCodex(database)) return
  const tables = "SELECT name FROM sqlite_master WHERE type = 'table'"
  const known = new Set(
    database
      .prepare(tables)
      .all()
      .map(({ name }) => name),
  )
  database.immediate(() => {
    if (known.has('stage1_outputs')) database.exec('DELETE FROM stage1_outputs')
    if (!known.has('jobs')) return
    const kinds = "('memory_stage1', 'memory_consolidate_global')"
    database.exec(`DELETE FROM jobs WHERE kind IN ${kinds}`)
  })
}

function isOfCodex(database: Database): boolean {
  const table = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '_sqlx_migrations'"
  return database.prepare(table).get() !== undefined
}

function columnsOf({ title, memoryMode, git }: CodexThreadFacts): {
  readonly [column: string]: string | null
} {
  return {
    ...(title === undefined ? {} : { title }),
    ...(memoryMode === undefined ? {} : { memory_mode: memoryMode }),
    ...(git === undefined
      ? {}
      : { git_sha: git.sha, git_branch: git.branch, git_origin_url: git.originUrl }),
  }
}
