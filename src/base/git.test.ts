import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { TempFolder } from '../../test/support/temp-folder.ts'
import { readWorkTree } from './git.ts'

const IDENTITY = ['-c', 'user.name=t', '-c', 'user.email=t@example.invalid']

function git(folder: TempFolder, ...args: readonly string[]): string {
  return execFileSync('git', args, { cwd: folder.path, encoding: 'utf8', stdio: 'pipe' }).trim()
}

async function repository(): Promise<TempFolder> {
  const folder = await TempFolder.create()
  git(folder, 'init', '--quiet', '--initial-branch=main')
  return folder
}

/** Its hash. */
function commit(folder: TempFolder): string {
  git(folder, ...IDENTITY, 'commit', '--quiet', '--allow-empty', '--message=start')
  return git(folder, 'rev-parse', 'HEAD')
}

describe('what git says of a work tree', () => {
  it('is its commit, its branch and where it comes from, also in a folder of it', async () => {
    await using folder = await repository()
    const commitHash = commit(folder)
    const originUrl = 'https://example.invalid/web.git'
    git(folder, 'remote', 'add', 'origin', originUrl)
    await mkdir(folder.at('src'))
    const facts = { root: folder.path, commitHash, branch: 'main', originUrl }
    assert.deepEqual(await readWorkTree(folder.at('src')), facts)
  })

  it('has no branch while the head is detached', async () => {
    await using folder = await repository()
    const commitHash = commit(folder)
    git(folder, 'checkout', '--quiet', '--detach')
    assert.deepEqual(await readWorkTree(folder.path), { root: folder.path, commitHash })
  })

  it('is its root alone before the first commit', async () => {
    await using folder = await repository()
    assert.deepEqual(await readWorkTree(folder.path), { root: folder.path })
  })

  it('is nothing outside of one', async () => {
    await using folder = await TempFolder.create()
    assert.equal(await readWorkTree(folder.path), undefined)
  })
})
