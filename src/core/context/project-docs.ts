import { readFile, stat } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import { findWorkTreeRoot } from '../../base/index.ts'

const NAMES = ['AGENTS.override.md', 'AGENTS.md']
const SEPARATOR = '\n\n--- project-doc ---\n\n'

/** Bytes of project documents that are sent at most. Source: default of 0.133.0. */
export const PROJECT_DOC_MAX_BYTES = 32 * 1024

/**
 * The text of the `AGENTS.md` files that hold for `cwd`: the home's, then those from the project's
 * root down; a folder's `AGENTS.override.md` stands in for it. Undefined when there are none.
 * The home's is trimmed, as in 0.133.0.
 */
export async function readProjectDocs(
  home: string | undefined,
  cwd: string,
  maxBytes: number = PROJECT_DOC_MAX_BYTES,
): Promise<string | undefined> {
  const homeText = home === undefined ? undefined : (await readFirst(home))?.trim()
  const projectTexts: string[] = []
  let left = maxBytes
  for (const folder of foldersDownTo(cwd)) {
    const text = await readFirst(folder)
    if (text === undefined || left <= 0) continue
    const kept = Buffer.from(text).subarray(0, left).toString('utf8')
    projectTexts.push(kept)
    left -= Buffer.byteLength(kept)
  }
  const project = projectTexts.join('\n\n')
  if (homeText === undefined) return project === '' ? undefined : project
  return project === '' ? homeText : homeText + SEPARATOR + project
}

/** Paths of the files whose text `readProjectDocs` gives, in its order. */
export async function projectDocPaths(home: string | undefined, cwd: string): Promise<string[]> {
  const folders = [...(home === undefined ? [] : [home]), ...foldersDownTo(cwd)]
  const found = await Promise.all(folders.map(firstOf))
  return found.flatMap((each) => (each ? [each.path] : []))
}

/** From the root of the work tree down to `cwd`; only `cwd` outside of one. */
function foldersDownTo(cwd: string): string[] {
  const root = findWorkTreeRoot(cwd)
  if (root === undefined) return [cwd]
  const steps = relative(root, cwd).split(sep).filter(Boolean)
  const folders = [cwd]
  for (let at = cwd, left = steps.length; left > 0; left -= 1) {
    at = dirname(at)
    folders.unshift(at)
  }
  return folders
}

async function readFirst(folder: string): Promise<string | undefined> {
  return (await firstOf(folder))?.text
}

async function firstOf(folder: string) {
  for (const name of NAMES) {
    const path = join(folder, name)
    const text = await readRegularFile(path)
    if (text !== undefined && text.trim() !== '') return { path, text }
  }
  return undefined
}

async function readRegularFile(path: string): Promise<string | undefined> {
  try {
    // Looked at first: a pipe or a device would be read for ever.
    return (await stat(path)).isFile() ? await readFile(path, 'utf8') : undefined
  } catch {
    // A document that cannot be read is as good as none: no thread is kept from working by it.
    return undefined
  }
}
