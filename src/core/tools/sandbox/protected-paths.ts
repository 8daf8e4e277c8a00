import { existsSync, lstatSync, readFileSync, realpathSync, type Stats } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { PROTECTED_FOLDERS } from '../../context/permissions.ts'
import { SandboxError } from './sandbox.ts'

/** What of a writable root stays as it is. */
export interface ProtectedPaths {
  readonly existing: readonly string[]
  /** Not there, and not to be made. */
  readonly missing: readonly string[]
}

const GIT_FILE_BYTES = 4096

/**
 * The folders that steer programs, below a root without links in its path. Of a `.git` file also
 * the folder that it names, and the repository that this one belongs to. Throws `SandboxError`.
 */
export function protectedPaths(root: string): ProtectedPaths {
  const existing: string[] = []
  const missing: string[] = []
  for (const name of PROTECTED_FOLDERS) {
    const path = join(root, name)
    const facts = lstatSync(path, { throwIfNoEntry: false })
    if (!facts) missing.push(path)
    else existing.push(path, ...behind(path, facts))
  }
  return { existing, missing }
}

function behind(path: string, facts: Stats): string[] {
  if (facts.isSymbolicLink()) {
    // The link itself cannot be held: a command could put another in its place.
    throw new SandboxError(`${path} is a symbolic link, which a sandbox cannot keep as it is`)
  }
  if (!facts.isFile() || facts.size > GIT_FILE_BYTES) return []
  const folder = named(path, /^gitdir: (.+)$/m, dirname(path))
  if (folder === undefined) return []
  const common = named(join(folder, 'commondir'), /^(.+)$/m, folder)
  const folders = [folder, ...(common === undefined ? [] : [common])]
  return folders.filter((each) => existsSync(each)).map((each) => realpathSync(each))
}

function named(path: string, pattern: RegExp, from: string): string | undefined {
  try {
    const text = pattern.exec(readFileSync(path, 'utf8'))?.[1]?.trim()
    return text ? resolve(from, text) : undefined
  } catch {
    // Nothing is named by a file that is not there or cannot be read.
    return undefined
  }
}
