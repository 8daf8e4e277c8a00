import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { TempFolder } from '../../test/support/temp-folder.ts'
import { findMainWorkTree, readWorkTree } from './git.ts'

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

describe('the main work tree', () => {
  it('is that of the repository, also from one that was added to it', async () => {
    await using folder = await repository()
    commit(folder)
    git(folder, 'worktree', 'add', '--quiet', '-b', 'other', 'added')
    await mkdir(folder.at('added', 'src'))
    assert.equal(findMainWorkTree(folder.at('added', 'src')), folder.path)
    assert.equal(findMainWorkTree(folder.at('.git')), folder.path)
  })

  it('is not another one that a `.git` only claims to belong to', async () => {
    await using folder = await repository()
    commit(folder)
    git(folder, 'worktree', 'add', '--quiet', '-b', 'other', 'added')
    for (const [name, place] of Object.entries({
      a: '.git/worktrees/added',
      b: '.git',
      c: 'gone',
    })) {
      await mkdir(folder.at(name))
      await writeFile(folder.at(name, '.git'), `gitdir: ${folder.at(place)}\n`)
      assert.equal(findMainWorkTree(folder.at(name)), folder.at(name))
    }
  })

  it('is nowhere outside of one', async () => {
    await using folder = await TempFolder.create()
    assert.equal(findMainWorkTree(folder.path), undefined)
  })
})
