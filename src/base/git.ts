import { spawn } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'

const GIT_TIMEOUT_MS = 5000

/** What git says of a work tree; a field that git could not tell is left out. */
export interface WorkTreeFacts {
  readonly root: string
  readonly commitHash?: string
  readonly branch?: string
  readonly originUrl?: string
}

/** The folder at or above `directory` that holds a `.git` entry. */
export function findWorkTreeRoot(directory: string): string | undefined {
  let current = resolve(directory)
  for (;;) {
    if (existsSync(join(current, '.git'))) return current
    const parent = dirname(current)
    if (parent === current) return undefined
    current = parent
  }
}

/** As `findWorkTreeRoot`; for one that `git worktree` has added, the root of the first. */
export function findMainWorkTree(directory: string): string | undefined {
  const root = findWorkTreeRoot(directory)
  return root === undefined ? undefined : (firstWorkTree(root) ?? root)
}

/** Both have to know each other: a `.git` that came with a download may name any repository. */
function firstWorkTree(root: string): string | undefined {
  const link = join(root, '.git')
  try {
    if (!statSync(link).isFile()) return undefined
    const own = resolve(
      root,
      readFileSync(link, 'utf8')
        .replace(/^gitdir: /, '')
        .trim(),
    )
    const back = resolve(own, readFileSync(join(own, 'gitdir'), 'utf8').trim())
    const added = dirname(own)
    const repository = dirname(added)
    const isAdded = basename(added) === 'worktrees' && basename(repository) === '.git'
    return isAdded && back === link ? dirname(repository) : undefined
  } catch {
    // What it names is not there, or is not ours to read.
    return undefined
  }
}

/** Trimmed standard output; undefined when git is missing, fails or takes over 5 s. */
export type AskGit = (...args: readonly string[]) => Promise<string | undefined>

/** Git in one folder, for questions with short answers. Arguments are not for a shell. */
export function gitIn(directory: string, signal?: AbortSignal): AskGit {
  return (...args) => runGit(directory, args, signal)
}

/**
 * Undefined outside a work tree. Two git calls in parallel, each at most 5 s: starting a process
 * holds this one up, the longer the more memory it has.
 */
export async function readWorkTree(
  directory: string,
  signal?: AbortSignal,
): Promise<WorkTreeFacts | undefined> {
  const root = findWorkTreeRoot(directory)
  if (root === undefined) return undefined
  const ask = gitIn(directory, signal)
  const [head, originUrl] = await Promise.all([
    ask('rev-parse', 'HEAD', '--abbrev-ref', 'HEAD'),
    ask('remote', 'get-url', 'origin'),
  ])
  const [commitHash, branch] = head?.split('\n') ?? []
  return {
    root,
    ...(commitHash ? { commitHash } : {}),
    ...(branch && branch !== 'HEAD' ? { branch } : {}),
    ...(originUrl ? { originUrl } : {}),
  }
}

/** Whether tracked or new files differ from HEAD; undefined when git cannot tell. */
export async function hasUncommittedChanges(
  directory: string,
  signal?: AbortSignal,
): Promise<boolean | undefined> {
  const status = await gitIn(directory, signal)('status', '--porcelain')
  return status === undefined ? undefined : status.length > 0
}

function runGit(
  cwd: string,
  args: readonly string[],
  signal?: AbortSignal,
): Promise<string | undefined> {
  const limits = [AbortSignal.timeout(GIT_TIMEOUT_MS), ...(signal ? [signal] : [])]
  return new Promise((done) => {
    const child = spawn('git', ['--no-optional-locks', ...args], {
      cwd,
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, GIT_TERMINAL_PROMPT: '0' },
      signal: AbortSignal.any(limits),
    })
    const chunks: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.on('error', () => done(undefined))
    child.on('close', (exitCode) => {
      done(exitCode === 0 ? Buffer.concat(chunks).toString('utf8').trim() : undefined)
    })
  })
}
