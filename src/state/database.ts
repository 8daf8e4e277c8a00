import { closeSync, constants, openSync, readdirSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { errorCode } from '../base/index.ts'
import { Database, isDamaged } from './sqlite.ts'

/** Waiting holds the whole process up: whoever has time tries again. */
const BUSY_TIMEOUT_MS = 50
const MIGRATIONS = join(import.meta.dirname, 'migrations')

/** The index cannot be used now; the caller goes on from the files. */
export class IndexUnavailable extends Error {
  override readonly name = 'IndexUnavailable'
}

/**
 * Opens the index and brings it up to date. A damaged file is set aside under another name and a
 * new one begun: everything in it can be read from the rollouts again. Throws `IndexUnavailable`
 * when the folder is not there or cannot be written, the file stays locked, or it is of a newer
 * version: two versions on one home would throw away each other's index.
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

/** Whether a newer Bobbin has taken the index over. */
export function isOfNewerVersion(database: Database): boolean {
  try {
    return database.userVersion > scripts().length
  } catch {
    // Too damaged to tell.
    return false
  }
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
  const database = new Database(path, { timeoutMs: BUSY_TIMEOUT_MS, mode: 'create' })
  try {
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
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
  const all = scripts()
  if (database.userVersion === all.length) return
  database.immediate(() => {
    const reached = database.userVersion
    if (reached > all.length) throw new Error(`the index is of the newer version ${reached}`)
    for (const script of all.slice(reached)) {
      database.exec(readFileSync(join(MIGRATIONS, script), 'utf8'))
    }
    database.exec(`PRAGMA user_version = ${all.length}`)
  })
}

function scripts(): string[] {
  return readdirSync(MIGRATIONS).sort()
}
