import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { findWorkTreeRoot, gitIn } from '../../base/index.ts'

export interface FoundEntry {
  /** From the root, with slashes. */
  readonly path: string
  readonly isFolder: boolean
}

const MOST_FILES = 200_000
const MOST_DEPTH = 64

/**
 * Files and folders below a root: in a work tree those that git does not ignore, else all. A root
 * that is no folder has none. Rejects with the signal's reason.
 */
export async function listFiles(root: string, signal: AbortSignal): Promise<FoundEntry[]> {
  const files = (await filesOfGit(root, signal)) ?? (await walk(root, signal))
  signal.throwIfAborted()
  const folders = new Set<string>()
  for (const file of files) {
    for (let at = file.lastIndexOf('/'); at > 0; at = file.lastIndexOf('/', at - 1)) {
      const folder = file.slice(0, at)
      if (folders.has(folder)) break
      folders.add(folder)
    }
  }
  return [
    ...[...folders].map((path) => ({ path, isFolder: true })),
    ...files.map((path) => ({ path, isFolder: false })),
  ]
}

/** Undefined where git has no say, or does not answer. */
async function filesOfGit(root: string, signal: AbortSignal): Promise<string[] | undefined> {
  if (findWorkTreeRoot(root) === undefined) return undefined
  const flags = ['-z', '--cached', '--others', '--exclude-standard', '--deduplicate']
  const listed = await gitIn(root, signal)('ls-files', ...flags)
  if (listed === undefined) return undefined
  return listed
    .split('\0')
    .filter((path) => path !== '')
    .slice(0, MOST_FILES)
}

async function walk(root: string, signal: AbortSignal): Promise<string[]> {
  const files: string[] = []
  const waiting = [{ folder: '', depth: 0 }]
  for (let next = waiting.shift(); next && files.length < MOST_FILES; next = waiting.shift()) {
    signal.throwIfAborted()
    const { folder, depth } = next
    // Gone, or not to be read: nothing is found there.
    const entries = await readdir(join(root, folder), { withFileTypes: true }).catch(() => [])
    for (const entry of entries) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (!entry.isDirectory()) files.push(path)
      else if (depth < MOST_DEPTH) waiting.push({ folder: path, depth: depth + 1 })
    }
  }
  return files
}
