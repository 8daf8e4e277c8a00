import assert from 'node:assert/strict'
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { describe, it } from 'node:test'
import { CodexHome } from '../../../test/support/codex-home.ts'
import { TempFolder } from '../../../test/support/temp-folder.ts'
import { header, named, says, textOf, threadIdOf } from '../../../test/support/thread-log.ts'
import { ThreadStoreError } from '../errors.ts'

const ID = threadIdOf(1)
const LOG = [header(ID), ...says('u1')]

function failsWith(code: string): (error: unknown) => boolean {
  return (error) => error instanceof ThreadStoreError && error.failure.code === code
}

/** A rollout outside of the home, under a name of its own. */
async function external(folder: TempFolder, text = textOf(LOG)): Promise<string> {
  const path = folder.at('elsewhere/some-thread.jsonl')
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, text)
  return path
}

describe('a rollout by its path', () => {
  it('is read wherever it lies, relative to the home or not, compressed or not', async () => {
    await using home = await CodexHome.create()
    await using folder = await TempFolder.create()
    await using store = home.store()
    const inside = await home.place({ n: 2 })
    const outside = await external(folder)
    const paths = [inside, inside.slice(home.path.length + 1), outside]
    for (const rolloutPath of paths) {
      const thread = await store.readThread({ rolloutPath })
      assert.deepEqual((await store.loadHistory({ rolloutPath })).thread, thread)
      assert.equal(thread.threadId, rolloutPath === outside ? ID : threadIdOf(2))
    }
  })

  it('is refused when there is no regular file, or none with a header', async () => {
    await using home = await CodexHome.create()
    await using folder = await TempFolder.create()
    await using store = home.store()
    const path = await external(folder, 'rubbish\n')
    await symlink(path, folder.at('link.jsonl'))
    for (const rolloutPath of ['none', home.path, folder.at('link.jsonl'), '/dev/zero']) {
      await assert.rejects(store.readThread({ rolloutPath }), failsWith('invalid_request'))
    }
    await assert.rejects(store.readThread({ rolloutPath: path }), failsWith('damaged'))
  })

  it('is resumed, appended to and named at its own path, and not in the home', async () => {
    await using home = await CodexHome.create()
    await using folder = await TempFolder.create()
    const path = await external(folder)
    await using store = home.store()
    await store.resumeThread(ID, { rolloutPath: path })
    await store.appendItems(ID, says('more'))
    const thread = await store.updateThreadMetadata(ID, { name: 'N', git: { branch: 'b' } })
    assert.deepEqual([thread.name, thread.git, thread.rolloutPath], ['N', { branch: 'b' }, path])
    const { turns } = await store.listTurns({ threadId: ID, limit: 9, direction: 'asc' })
    assert.equal(turns.length, 2)
    await store.closeThread(ID)
    const lines = [...LOG, ...says('more'), header(ID, { git: { branch: 'b' } }), named(ID, 'N')]
    const withMode = textOf(lines).replace('"git"', '"memory_mode":"enabled","git"')
    assert.equal((await readFile(path, 'utf8')).split('\n').length, withMode.split('\n').length)
    assert.ok(!(await readdir(home.path)).includes('sessions'))
  })

  it('is not resumed as another thread', async () => {
    await using home = await CodexHome.create()
    await using folder = await TempFolder.create()
    const path = await external(folder)
    await using store = home.store()
    const resume = store.resumeThread(threadIdOf(2), { rolloutPath: path })
    await assert.rejects(resume, failsWith('invalid_request'))
    await store.resumeThread(ID, { rolloutPath: path })
  })
})
