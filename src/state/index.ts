export { type Database, IndexUnavailable, openDatabase } from './database.ts'
export { readThreadRow, type ThreadRow, upsertThreadRows } from './thread-rows.ts'
