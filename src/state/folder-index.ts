import type { IndexDatabase } from './index-database.ts'
import { checksumOf } from './index-row.ts'

/** A folder as it was listed; it counts as long as the folder is the same and has not changed. */
export interface FolderRow {
  readonly path: string
  readonly modifiedAtMs: number
  readonly inode: number
  /** Of its entries those that matter. */
  readonly names: readonly string[]
}

interface StoredRow {
  path: string
  modified_at_ms: number
  inode: number
  names: string
  checksum: number
}

/** No file system has it in a name. */
const BETWEEN = '/'

/** Folders of rollouts, kept so that a new process need not list them again. */
export class FolderIndex {
  readonly #database: IndexDatabase

  constructor(database: IndexDatabase) {
    this.#database = database
  }

  /** Every row that is whole. */
  readAll(): FolderRow[] {
    const rows = this.#database.read((database) =>
      database.prepare<[], StoredRow>(`SELECT ${COLUMNS} FROM folders`).all(),
    )
    return (rows ?? []).map(toFolderRow).filter((row) => row !== undefined)
  }

  /** Remembers what was listed, and forgets folders that are gone. */
  update(listed: readonly FolderRow[], gone: readonly string[]): void {
    if (listed.length === 0 && gone.length === 0) return
    this.#database.write((database) => {
      const remove = database.prepare('DELETE FROM folders WHERE path = ?')
      for (const path of gone) remove.run(path)
      const upsert = database.prepare<[StoredRow]>(UPSERT)
      for (const { path, modifiedAtMs, inode, names } of listed) {
        const columns = { path, modified_at_ms: modifiedAtMs, inode, names: names.join(BETWEEN) }
        upsert.run({ ...columns, checksum: checksumOf(columns, SUMMED) })
      }
    })
  }
}

const SUMMED = ['path', 'modified_at_ms', 'inode', 'names'] as const
const COLUMNS = [...SUMMED, 'checksum'].join(', ')

const UPSERT = `INSERT INTO folders VALUES (@path, @modified_at_ms, @inode, @names, @checksum)
 ON CONFLICT (path) DO UPDATE SET
   modified_at_ms = excluded.modified_at_ms, inode = excluded.inode, names = excluded.names,
   checksum = excluded.checksum`

function toFolderRow(row: StoredRow): FolderRow | undefined {
  if (row.checksum !== checksumOf(row, SUMMED)) return undefined
  const names = row.names === '' ? [] : row.names.split(BETWEEN)
  return { path: row.path, modifiedAtMs: row.modified_at_ms, inode: row.inode, names }
}
