import { closeSync, constants, openSync, readdirSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { errorCode } from '../base/index.ts'

export type Database = Sqlite.Database

const BUSY_TIMEOUT_MS = 250
const MIGRATIONS = join(import.meta.dirname, 'migrations')

/** The index cannot be used now; the caller goes on from the files. */
export class IndexUnavailable extends Error {
  override readonly name = 'IndexUnavailable'
}

/**
 * Opens the index and brings it up to date. A file that is damaged or of a newer version is set
 * aside under another name and a new one begun: everything in it can be read from the rollouts
 * again. Throws `IndexUnavailable` when the folder is not there or cannot be written, or the
 * file stays locked.
 */
export function openDatabase(path: string, nowMs: number): Database {
  try {
    return openOnce(path)
  } catch (error) {
    if (!isDamaged(error)) throw new IndexUnavailable(`cannot open ${path}`, { cause: error })
  }
  try {
    setAside(path, nowMs)
    return openOnce(path)
  } catch (error) {
    throw new IndexUnavailable(`cannot rebuild ${path}`, { cause: error })
  }
}

/** The one way to write: the lock is taken at once, so two writers queue and none fails late. */
export function immediate<T>(database: Database, work: () => T): T {
  return database.transaction(work).immediate()
}

class NewerIndex extends Error {}

/**
 * Whether the fault is in the file. A plain `SQLITE_ERROR` can only mean that its tables are not
 * ours: all our statements are fixed.
 */
export function isDamaged(error: unknown): boolean {
  const code = errorCode(error) ?? ''
  const isOfFile = code === 'SQLITE_NOTADB' || code === 'SQLITE_ERROR'
  return error instanceof NewerIndex || isOfFile || code.startsWith('SQLITE_CORRUPT')
}

/** Its log goes first, so that no new file is ever found beside an old log. */
export function setAside(path: string, nowMs: number): void {
  for (const suffix of ['-wal', '-shm', '']) {
    try {
      renameSync(path + suffix, `${path}.set-aside-${nowMs}${suffix}`)
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error
    }
  }
}

function openOnce(path: string): Database {
  // Made by us, so that only its owner can read it; SQLite gives the log beside it the same mode.
  createPrivately(path)
  const database = new Sqlite(path, { timeout: BUSY_TIMEOUT_MS })
  try {
    database.pragma('journal_mode = WAL')
    database.pragma('synchronous = NORMAL')
    migrate(database)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

function createPrivately(path: string): void {
  try {
    closeSync(openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600))
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error
  }
}

function migrate(database: Database): void {
  const scripts = readdirSync(MIGRATIONS).sort()
  const version = Number(database.pragma('user_version', { simple: true }))
  if (version > scripts.length) throw new NewerIndex(`version ${version}`)
  if (version === scripts.length) return
  immediate(database, () => {
    const reached = Number(database.pragma('user_version', { simple: true }))
    for (const script of scripts.slice(reached)) {
      database.exec(readFileSync(join(MIGRATIONS, script), 'utf8'))
    }
    database.pragma(`user_version = ${scripts.length}`)
  })
}
