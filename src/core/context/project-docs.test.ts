import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { describe, it } from 'node:test'
import { TempFolder } from '../../../test/support/temp-folder.ts'
import { PROJECT_DOC_MAX_BYTES, readProjectDocs } from './project-docs.ts'

/** A home, a repository with a folder in it, and a plain folder; `docs` by path. */
async function open(docs: { readonly [path: string]: string }) {
  const folder = await TempFolder.create()
  for (const path of ['home', 'repo/.git', 'repo/a/b', 'plain/a']) {
    await mkdir(folder.at(path), { recursive: true })
  }
  for (const [path, text] of Object.entries(docs)) {
    await mkdir(dirname(folder.at(path)), { recursive: true })
    await writeFile(folder.at(path), text)
  }
  const read = (cwd: string, maxBytes?: number) =>
    readProjectDocs(folder.at('home'), folder.at(cwd), maxBytes)
  return { folder, read, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() }
}

describe('AGENTS.md', () => {
  it('is none where there is no file', async () => {
    await using at = await open({ 'AGENTS.md': 'above the repository' })
    assert.equal(await at.read('repo/a/b'), undefined)
    assert.equal(await readProjectDocs(undefined, at.folder.at('repo')), undefined)
  })

  it("is the home's, then the project's from its root down to the folder", async () => {
    await using at = await open({
      'home/AGENTS.md': 'home',
      'AGENTS.md': 'above the repository',
      'repo/AGENTS.md': 'root',
      'repo/a/b/AGENTS.md': 'deep',
      'repo/c/AGENTS.md': 'elsewhere',
    })
    assert.equal(await at.read('repo/a/b'), 'home\n\n--- project-doc ---\n\nroot\n\ndeep')
    assert.equal(await at.read('repo'), 'home\n\n--- project-doc ---\n\nroot')
    assert.equal(await readProjectDocs(undefined, at.folder.at('repo')), 'root')
  })

  it('is the home alone when the project has none', async () => {
    await using at = await open({ 'home/AGENTS.md': 'home' })
    assert.equal(await at.read('repo/a'), 'home')
  })

  it("is only the folder's own outside of a work tree", async () => {
    await using at = await open({ 'plain/AGENTS.md': 'parent', 'plain/a/AGENTS.md': 'own' })
    assert.equal(await at.read('plain/a'), 'own')
  })

  it('gives way to AGENTS.override.md in the same folder, unless that is blank', async () => {
    await using at = await open({
      'home/AGENTS.md': 'home',
      'home/AGENTS.override.md': 'home override',
      'repo/AGENTS.md': 'root',
      'repo/AGENTS.override.md': ' \n',
      'repo/a/AGENTS.md': 'a',
      'repo/a/AGENTS.override.md': 'a override',
    })
    const expected = 'home override\n\n--- project-doc ---\n\nroot\n\na override'
    assert.equal(await at.read('repo/a'), expected)
  })

  it("is cut at the limit, which counts the bytes of the project's files together", async () => {
    await using at = await open({
      'home/AGENTS.md': 'h'.repeat(100),
      'repo/AGENTS.md': 'a'.repeat(6),
      'repo/a/AGENTS.md': 'b'.repeat(6),
      'repo/a/b/AGENTS.md': 'c'.repeat(6),
    })
    const project = (await at.read('repo/a/b', 10))?.split('--- project-doc ---\n\n')[1]
    assert.equal(project, 'aaaaaa\n\nbbbb')
    assert.equal(PROJECT_DOC_MAX_BYTES, 32 * 1024)
  })

  it('is cut by default at 32 KiB', async () => {
    await using at = await open({ 'repo/AGENTS.md': 'x'.repeat(40_000) })
    assert.equal((await at.read('repo'))?.length, 32 * 1024)
  })

  it('that cannot be read keeps no thread from working', { timeout: 5000 }, async () => {
    await using at = await open({ 'repo/a/AGENTS.md': 'a' })
    await mkdir(at.folder.at('home', 'AGENTS.md'))
    await symlink('AGENTS.md', at.folder.at('repo', 'AGENTS.md'))
    execFileSync('mkfifo', [at.folder.at('repo', 'a', 'AGENTS.override.md')])
    assert.equal(await at.read('repo/a'), 'a')
    assert.equal(await at.read('repo/a/AGENTS.md'), 'a')
    assert.equal(await at.read('repo/missing'), undefined)
  })

  it('may be a link to a file', async () => {
    await using at = await open({ 'repo/docs/agents.md': 'linked' })
    await symlink('docs/agents.md', at.folder.at('repo', 'AGENTS.md'))
    assert.equal(await at.read('repo'), 'linked')
  })
})
