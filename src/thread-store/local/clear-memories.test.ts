import assert from 'node:assert/strict'
import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { Sqlite } from '../../../test/support/sqlite.ts'
import { TempFolder } from '../../../test/support/temp-folder.ts'
import { ThreadStoreError } from '../errors.ts'
import { clearMemories } from './clear-memories.ts'

async function written(): Promise<TempFolder> {
  const folder = await TempFolder.create()
  await mkdir(folder.at('memories', '.git'), { recursive: true })
  await mkdir(folder.at('memories_extensions', 'a'), { recursive: true })
  await mkdir(folder.at('mine'))
  await writeFile(folder.at('memories', '.git', 'HEAD'), 'x')
  await writeFile(folder.at('memories', 'MEMORY.md'), 'x')
  await writeFile(folder.at('mine', 'note'), 'x')
  await symlink(folder.at('mine'), folder.at('memories', 'link'))
  return folder
}

function databaseOf(folder: TempFolder): Sqlite {
  const database = new Sqlite(folder.at('state_5.sqlite'))
  database.exec(`
    CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY);
    CREATE TABLE stage1_outputs (thread_id TEXT PRIMARY KEY);
    CREATE TABLE jobs (kind TEXT, job_key TEXT);
    INSERT INTO stage1_outputs VALUES ('one');
    INSERT INTO jobs VALUES ('memory_stage1', 'one'), ('memory_consolidate_global', 'global'),
      ('other', 'x');
  `)
  return database
}

describe('memories of a home', () => {
  it('are cleared in files and rows, and nothing beside them', async () => {
    await using folder = await written()
    using database = closing(databaseOf(folder))
    await clearMemories(folder.at('.'))
    assert.deepEqual(await readdir(folder.at('memories')), [])
    assert.deepEqual(await readdir(folder.at('memories_extensions')), [])
    assert.equal(await readFile(folder.at('mine', 'note'), 'utf8'), 'x')
    const rows = (table: string) => database.sqlite.rows(`SELECT * FROM ${table}`)
    assert.deepEqual(rows('stage1_outputs'), [])
    assert.deepEqual(rows('jobs'), [['other', 'x']])
  })

  it('of a home that has none are no failure', async () => {
    await using folder = await TempFolder.create()
    await clearMemories(folder.at('.'))
    assert.deepEqual(await readdir(folder.at('memories')), [])
    await assert.rejects(readdir(folder.at('state_5.sqlite')), { code: 'ENOENT' })
  })

  it('are left alone where their folder is a link', async () => {
    await using folder = await written()
    using database = closing(databaseOf(folder))
    await rm(folder.at('memories_extensions'), { recursive: true })
    await symlink(folder.at('mine'), folder.at('memories_extensions'))
    await assert.rejects(clearMemories(folder.at('.')), (error) => {
      assert.ok(error instanceof ThreadStoreError)
      assert.match(error.message, /: refusing to clear symlinked memory root .*_extensions$/)
      return true
    })
    assert.deepEqual((await readdir(folder.at('memories'))).sort(), ['.git', 'MEMORY.md', 'link'])
    assert.equal(database.sqlite.rows('SELECT 1 FROM stage1_outputs').length, 1)
  })
})

function closing(sqlite: Sqlite): Disposable & { readonly sqlite: Sqlite } {
  return { sqlite, [Symbol.dispose]: () => void sqlite.close() }
}
