/** What can become of the index of a home, below everybody who has it open. */
import { existsSync, mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { Sqlite } from '../support/sqlite.ts'

/** Takes the index and its log away. */
function remove(path: string): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true, recursive: true })
}

/** Does the fault; what is answered undoes it. */
export const INDEX_FAULTS: { readonly [what: string]: (path: string) => Disposable | undefined } = {
  deleted: (path) => void remove(path),
  'deleted without its log': (path) => void rmSync(path, { force: true, recursive: true }),
  'overwritten with rubbish': (path) => void writeFileSync(path, Buffer.alloc(50_000, 'x')),
  'overwritten with its log': (path) => {
    for (const suffix of ['', '-wal']) writeFileSync(path + suffix, Buffer.alloc(50_000, 'x'))
    return undefined
  },
  'cut to nothing': (path) => void (existsSync(path) && truncateSync(path, 0)),
  'cut in the middle': (path) => void (existsSync(path) && truncateSync(path, 6000)),
  'replaced by a folder': (path) => {
    remove(path)
    mkdirSync(path)
    return undefined
  },
  'replaced by that of another': (path) => {
    remove(path)
    const other = new Sqlite(path)
    other.exec('CREATE TABLE threads (x); PRAGMA user_version = 1')
    other.close()
    return undefined
  },
  'locked by another': (path) => {
    const other = new Sqlite(path)
    other.pragma('journal_mode = WAL')
    other.exec('BEGIN EXCLUSIVE')
    return { [Symbol.dispose]: () => other.close() }
  },
}
