import { constants } from 'node:fs'
import { chmod, lstat, open } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { errorText, type FileSystem } from '../../../base/index.ts'
import { WRITER_LOCKS_FOLDER } from '../writer-lease.ts'
import { counted, type Finding, finding, MOST_NAMED } from './finding.ts'
import { REPAIRS_FOLDER } from './inspect-places.ts'
import type { HomeWalk } from './walk-home.ts'

/** Keys and settings, names, indexes and logs: all that lies in the home itself and is private. */
const PRIVATE = /\.(?:jsonl|toml|json)$|\.sqlite/
const SECRET = 'auth.json'
const OTHERS = 0o077

/** Which files and folders others can get at. A closed home closes what is below it. */
export async function inspectModes(
  files: FileSystem,
  home: string,
  walk: HomeWalk,
): Promise<Finding[]> {
  const secret = join(home, SECRET)
  const found: Finding[] = []
  if (await isOpenToOthers(secret)) {
    found.push(told('open_secret', 'the key can be read by others', [secret]))
  }
  if (!(await isOpenToOthers(home))) return found
  const open: string[] = []
  for (const path of await privatePaths(files, home, walk)) {
    if (path !== secret && (await isOpenToOthers(path))) open.push(path)
  }
  if (open.length > 0) {
    const what = `${counted(open.length, 'file or folder', 'files and folders')} of conversations`
    found.push(told('open_modes', `${what} can be read by others on this machine`, open))
  }
  return found
}

/** Takes every right of others from what is private. Answers how many entries were changed. */
export async function closeModes(
  files: FileSystem,
  home: string,
  walk: HomeWalk,
): Promise<{ changed: number; failures: string[] }> {
  let changed = 0
  const failures: string[] = []
  for (const path of await privatePaths(files, home, walk)) {
    if (!(await isOpenToOthers(path))) continue
    try {
      await closeToOthers(path)
      changed += 1
    } catch (error) {
      failures.push(`${path}: ${errorText(error)}`)
    }
  }
  return { changed, failures }
}

function told(code: string, what: string, paths: readonly string[]): Finding {
  const [path = null] = paths
  const named = { path, count: paths.length, paths: paths.slice(0, MOST_NAMED) }
  const told = { severity: 'warn', section: 'home', code, what, repair: 'close_modes' } as const
  return finding({ ...told, ...named })
}

async function privatePaths(
  files: FileSystem,
  home: string,
  { folders, rollouts, parts, strays }: HomeWalk,
): Promise<string[]> {
  const entries = await files.readDirectory(home).catch(() => [])
  const top = entries.filter(({ name, kind }) => kind === 'file' && PRIVATE.test(name))
  const own = entries.filter(
    ({ name, kind }) =>
      kind === 'directory' && [REPAIRS_FOLDER, WRITER_LOCKS_FOLDER].includes(basename(name)),
  )
  const named = [...top, ...own].map(({ name }) => join(home, name)).sort()
  return [home, ...named, ...folders, ...rollouts.map(({ path }) => path), ...parts, ...strays]
}

/** False for links and for what is not there. */
async function isOpenToOthers(path: string): Promise<boolean> {
  try {
    const facts = await lstat(path)
    return (facts.isFile() || facts.isDirectory()) && (facts.mode & OTHERS) !== 0
  } catch {
    // Gone, or closed to us.
    return false
  }
}

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants

/** By its descriptor, so that a link put there meanwhile leads nowhere. */
async function closeToOthers(path: string): Promise<void> {
  try {
    const handle = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
    try {
      const facts = await handle.stat()
      if (facts.isFile() || facts.isDirectory()) await handle.chmod(facts.mode & 0o700)
    } finally {
      await handle.close()
    }
  } catch (error) {
    const facts = await lstat(path)
    if (!facts.isFile() && !facts.isDirectory()) throw error
    // We may own what we cannot read.
    await chmod(path, facts.mode & 0o700)
  }
}
