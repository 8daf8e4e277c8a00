import { type AskGit, findWorkTreeRoot, gitIn } from '../../base/index.ts'
import type { ReviewTarget } from '../../protocol/index.ts'
import { ReviewError } from './review-error.ts'
import { trimReviewTarget } from './review-target.ts'

const REPORT = 'Report what you find, the most important first.'

/**
 * The message that sets a reviewer to work in `cwd`. Asks git a few short questions, at most 5 s
 * each. Throws `ReviewError` when there is nothing to review, and the signal's reason once that is
 * aborted.
 */
export async function reviewPrompt(
  target: ReviewTarget,
  cwd: string,
  signal?: AbortSignal,
): Promise<string> {
  try {
    return await promptFor(trimReviewTarget(target), cwd, gitIn(cwd, signal))
  } catch (error) {
    // A question that was cut short looks like one that git answered with no.
    signal?.throwIfAborted()
    throw error
  }
}

async function promptFor(target: ReviewTarget, cwd: string, ask: AskGit): Promise<string> {
  if (target.type === 'custom') return target.instructions
  await requireRepository(cwd, ask)
  switch (target.type) {
    case 'uncommittedChanges':
      return (
        'Review the changes in this work tree that are not committed: staged, not staged, and ' +
        `files that git does not track yet (\`git status --short\`, \`git diff HEAD\`). ${REPORT}`
      )
    case 'baseBranch': {
      const base = await mergeBase(target.branch, ask)
      return (
        `Review what has changed since the work left the base branch '${target.branch}'. The ` +
        `merge base is ${base}; \`git diff ${base}\` shows the changes. ${REPORT}`
      )
    }
    case 'commit': {
      const sha = await commitOf(target.sha, ask)
      if (sha === undefined) throw new ReviewError({ code: 'unknown_commit', sha: target.sha })
      const title = target.title === null ? '' : ` ("${target.title}")`
      return `Review commit ${sha}${title}; \`git show ${sha}\` shows its changes. ${REPORT}`
    }
  }
}

async function requireRepository(directory: string, ask: AskGit): Promise<void> {
  if ((await ask('rev-parse', '--git-dir')) !== undefined) return
  const isWorkTree = findWorkTreeRoot(directory) !== undefined
  throw new ReviewError({ code: isWorkTree ? 'git_unavailable' : 'not_a_repository', directory })
}

/**
 * Where the checked-out commit left the branch. The branch's upstream counts when it has commits
 * that the local branch has not: those are not what is to be reviewed. A branch that is only at
 * origin is taken from there.
 */
async function mergeBase(branch: string, ask: AskGit): Promise<string> {
  const local = await commitOf(branch, ask)
  const tip = local ?? (await commitOf(`refs/remotes/origin/${branch}`, ask))
  if (tip === undefined) throw new ReviewError({ code: 'unknown_branch', branch })
  const upstream = local === undefined ? undefined : await commitOf(`${branch}@{upstream}`, ask)
  const isUpToDate =
    upstream === undefined ||
    (await ask('merge-base', '--is-ancestor', upstream, tip)) !== undefined
  const base = await ask('merge-base', 'HEAD', isUpToDate ? tip : upstream)
  if (base === undefined) throw new ReviewError({ code: 'no_common_commit', branch })
  return base
}

/** The full name of the commit; undefined when the name is none, or not of one commit. */
async function commitOf(name: string, ask: AskGit): Promise<string | undefined> {
  if (name.startsWith('-') || name.includes('\0')) return undefined // No name: an option, or worse.
  return ask('rev-parse', '--verify', '--quiet', `${name}^{commit}`)
}
