import { createRequire } from 'node:module'
import type Sqlite from 'better-sqlite3'

export type Database = Sqlite.Database
export type Statement<P extends unknown[] = unknown[], R = unknown> = Sqlite.Statement<P, R>

const load = createRequire(import.meta.url)

/** Opens a database; the native module is loaded with the first. Throws what SQLite throws. */
export function openSqlite(path: string, options: Sqlite.Options): Database {
  const Native: typeof Sqlite = load('better-sqlite3')
  return new Native(path, options)
}
