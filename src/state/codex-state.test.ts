import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { Sqlite } from '../../test/support/sqlite.ts'
import { TempFolder } from '../../test/support/temp-folder.ts'
import { touchCodexState } from './codex-state.ts'

/** A database with the columns of real Codex that matter here, and one thread. */
function codexState(path: string): Sqlite {
  const database = new Sqlite(path)
  database.exec(`
    CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY);
    CREATE TABLE threads (id TEXT PRIMARY KEY, title TEXT NOT NULL, memory_mode TEXT NOT NULL,
      git_sha TEXT, git_branch TEXT, git_origin_url TEXT);
    INSERT INTO threads VALUES ('one', 'before', 'enabled', 's', 'b', 'u');
    INSERT INTO threads VALUES ('two', 'other', 'enabled', NULL, NULL, NULL);
  `)
  return database
}

describe("real Codex's database", () => {
  it('is told what was changed of a thread, and nothing else', async () => {
    await using folder = await TempFolder.create()
    const path = folder.at('state_5.sqlite')
    const database = codexState(path)
    const rows = () => database.rows('SELECT * FROM threads ORDER BY id')
    assert.equal(touchCodexState(path, 'one', { title: 'N' }), true)
    const git = { sha: null, branch: 'feat', originUrl: 'u' }
    assert.equal(touchCodexState(path, 'one', { memoryMode: 'disabled', git }), true)
    assert.equal(touchCodexState(path, 'three', { title: 'N' }), false)
    assert.equal(touchCodexState(path, 'one', {}), false)
    assert.deepEqual(rows(), [
      ['one', 'N', 'disabled', null, 'feat', 'u'],
      ['two', 'other', 'enabled', null, null, null],
    ])
    database.close()
  })

  it('is left alone when it is locked, not there, or not what it is taken for', async () => {
    await using folder = await TempFolder.create()
    const path = folder.at('state_5.sqlite')
    assert.equal(touchCodexState(path, 'one', { title: 'N' }), false)
    await writeFile(path, 'rubbish '.repeat(1000))
    const before = await readFile(path)
    assert.equal(touchCodexState(path, 'one', { title: 'N' }), false)
    assert.deepEqual(await readFile(path), before)
    const foreign = folder.at('foreign.sqlite')
    const other = new Sqlite(foreign)
    other.exec(
      "CREATE TABLE threads (id TEXT, title TEXT); INSERT INTO threads VALUES ('one', 'x')",
    )
    assert.equal(touchCodexState(foreign, 'one', { title: 'N' }), false)
    assert.equal(other.value('SELECT title FROM threads'), 'x')
    other.close()
    const locked = folder.at('locked.sqlite')
    const database = codexState(locked)
    database.exec('BEGIN EXCLUSIVE')
    assert.equal(touchCodexState(locked, 'one', { title: 'N' }), false)
    database.exec('ROLLBACK')
    database.close()
  })
})
