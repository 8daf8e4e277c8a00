import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { TempFolder } from '../../../test/support/temp-folder.ts'
import type { ReviewTarget } from '../../protocol/index.ts'
import { ReviewError, type ReviewFailure, reviewPrompt } from './index.ts'

const IDENTITY = ['-c', 'user.name=t', '-c', 'user.email=t@example.invalid']

/** A repository with a first commit on `main`; `commit` adds one where it stands. */
async function openRepository() {
  const folder = await TempFolder.create()
  const path = folder.at('repo')
  await mkdir(path)
  const git = (...args: string[]) =>
    execFileSync('git', [...IDENTITY, ...args], { cwd: path, encoding: 'utf8' }).trim()
  git('init', '--quiet', '--initial-branch=main')
  const commit = async (name: string) => {
    await writeFile(join(path, name), name)
    git('add', '.')
    git('commit', '--quiet', `--message=${name}`)
    return git('rev-parse', 'HEAD')
  }
  const start = await commit('start')
  return {
    folder,
    path,
    git,
    commit,
    start,
    prompt: (target: ReviewTarget) => reviewPrompt(target, path),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}

const REPORT = 'Report what you find, the most important first.'

const against = (branch: string): ReviewTarget => ({ type: 'baseBranch', branch })

function baseText(branch: string, base: string): string {
  return (
    `Review what has changed since the work left the base branch '${branch}'. The merge base is ` +
    `${base}; \`git diff ${base}\` shows the changes. ${REPORT}`
  )
}

async function failureOf(prompt: Promise<string>): Promise<ReviewFailure | undefined> {
  try {
    await prompt
    return undefined
  } catch (error) {
    assert.ok(error instanceof ReviewError, String(error))
    return error.failure
  }
}

describe("the reviewer's message", () => {
  it('is what was asked for, when it is asked in words', async () => {
    const target: ReviewTarget = { type: 'custom', instructions: ' look\nat it ' }
    assert.equal(await reviewPrompt(target, '/nowhere'), 'look\nat it')
    const blank = reviewPrompt({ type: 'custom', instructions: ' ' }, '/nowhere')
    assert.deepEqual(await failureOf(blank), { code: 'empty', field: 'instructions' })
  })

  it('asks for what is not committed', async () => {
    await using at = await openRepository()
    assert.equal(
      await at.prompt({ type: 'uncommittedChanges' }),
      'Review the changes in this work tree that are not committed: staged, not staged, and ' +
        `files that git does not track yet (\`git status --short\`, \`git diff HEAD\`). ${REPORT}`,
    )
  })

  it('names a commit in full, and its title when there is one', async () => {
    await using at = await openRepository()
    const tail = `\`git show ${at.start}\` shows its changes. ${REPORT}`
    const sha = at.start.slice(0, 8)
    assert.deepEqual(
      await Promise.all([
        at.prompt({ type: 'commit', sha, title: ' The "start" ' }),
        at.prompt({ type: 'commit', sha: 'main', title: null }),
      ]),
      [`Review commit ${at.start} ("The "start""); ${tail}`, `Review commit ${at.start}; ${tail}`],
    )
  })

  it('names the commit at which the work left the base branch', async () => {
    await using at = await openRepository()
    at.git('checkout', '--quiet', '-b', 'work')
    await at.commit('mine')
    at.git('checkout', '--quiet', 'main')
    await at.commit('theirs')
    at.git('checkout', '--quiet', 'work')
    assert.equal(await at.prompt(against(' main ')), baseText('main', at.start))
    assert.equal(await at.prompt(against(at.start)), baseText(at.start, at.start))
  })

  it('takes the upstream of a base branch that is behind it, but of no other', async () => {
    await using at = await openRepository()
    const remote = at.folder.at('remote.git')
    at.git('clone', '--quiet', '--bare', at.path, remote)
    at.git('remote', 'add', 'origin', remote)
    at.git('fetch', '--quiet')
    at.git('branch', '--quiet', '--set-upstream-to=origin/main')
    const pushed = await at.commit('pushed')
    at.git('push', '--quiet', 'origin', 'main')
    at.git('checkout', '--quiet', '-b', 'work')
    const mine = await at.commit('mine')
    at.git('branch', '--force', 'main', at.start)
    assert.equal(await at.prompt(against('main')), baseText('main', pushed))
    at.git('branch', '--force', 'main', mine)
    assert.equal(await at.prompt(against('main')), baseText('main', mine))
    at.git('branch', '--quiet', '-D', 'main')
    assert.equal(await at.prompt(against('main')), baseText('main', pushed))
  })
})

describe('there is nothing to review', () => {
  it('where there is no repository', async () => {
    await using folder = await TempFolder.create()
    const failure = { code: 'not_a_repository', directory: folder.path } as const
    const targets: ReviewTarget[] = [
      { type: 'uncommittedChanges' },
      against('main'),
      { type: 'commit', sha: 'abc', title: null },
    ]
    for (const target of targets) {
      assert.deepEqual(await failureOf(reviewPrompt(target, folder.path)), failure)
    }
    assert.equal(
      new ReviewError(failure).message,
      `"${folder.path}" is not a git repository`, // As Codex says it.
    )
  })

  it('where git cannot read the repository', async () => {
    await using folder = await TempFolder.create()
    await writeFile(folder.at('.git'), 'gitdir: /nowhere\n')
    const prompt = reviewPrompt({ type: 'uncommittedChanges' }, folder.path)
    assert.deepEqual(await failureOf(prompt), {
      code: 'git_unavailable',
      directory: folder.path,
    })
  })

  it('when no branch or commit has the name', async () => {
    await using at = await openRepository()
    const tree = at.git('rev-parse', 'HEAD^{tree}')
    for (const branch of ['nope', '--all', 'a\0b', 'main..nope', '$(touch x)', tree]) {
      const failure = { code: 'unknown_branch', branch }
      assert.deepEqual(await failureOf(at.prompt(against(branch))), failure)
    }
    const sha = 'deadbeef'
    const commit = at.prompt({ type: 'commit', sha, title: null })
    assert.deepEqual(await failureOf(commit), { code: 'unknown_commit', sha })
  })

  it('when branch and work have no commit in common', async () => {
    await using at = await openRepository()
    at.git('checkout', '--quiet', '--orphan', 'alone')
    const failure = { code: 'no_common_commit', branch: 'main' }
    assert.deepEqual(await failureOf(at.prompt(against('main'))), failure)
    await at.commit('other')
    assert.deepEqual(await failureOf(at.prompt(against('main'))), failure)
  })

  it('once the person has stopped waiting, and the reason is theirs', async () => {
    await using at = await openRepository()
    const reason = new Error('stopped')
    const prompt = reviewPrompt(against('main'), at.path, AbortSignal.abort(reason))
    await assert.rejects(prompt, reason)
  })
})
