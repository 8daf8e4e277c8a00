import { constants } from 'node:fs'
import { mkdir, open, readdir } from 'node:fs/promises'
import { dirname, join, resolve, sep } from 'node:path'
import { errorCode, errorText, FileLock, LockUnavailable } from '../base/index.ts'

const RULES_FOLDER = 'rules'
/** Where approved prefixes go. */
const DEFAULT_FILE = 'default.rules'
const RULES_FILE = /\.rules$/
const MOST_FILES = 100
const MOST_BYTES = 1 << 20
const LOCK_WAIT_MS = 5000

/** A file of rules, or why it cannot be read. */
export type RuleFile =
  | { readonly path: string; readonly text: string }
  | { readonly path: string; readonly problem: string }

export interface HomeExecPolicy {
  load(cwd: string): Promise<readonly RuleFile[]>
  append(prefix: readonly string[]): Promise<boolean>
}

/** The rules for commands of a home, and those that trusted projects bring in `.codex/rules`. */
export function homeExecPolicy(
  home: string,
  trustedFolders: readonly string[],
  mayWrite = true,
): HomeExecPolicy {
  return {
    load: async (cwd) => {
      const projects = trustedPath(cwd, trustedFolders).map((folder) => join(folder, '.codex'))
      const folders = [home, ...projects].map((folder) => join(folder, RULES_FOLDER))
      return (await Promise.all(folders.map(readRules))).flat()
    },
    append: async (prefix) => {
      if (!mayWrite) throw new Error('nothing may be written into the home')
      return appendRule(join(home, RULES_FOLDER, DEFAULT_FILE), prefix)
    },
  }
}

/** The trusted folder that holds `cwd`, and the folders from there down to it. */
function trustedPath(cwd: string, trustedFolders: readonly string[]): string[] {
  const trusted = new Set(trustedFolders.map((folder) => resolve(folder)))
  const folders: string[] = []
  for (let folder = resolve(cwd); ; folder = dirname(folder)) {
    folders.unshift(folder)
    if (trusted.has(folder)) return folders
    if (folder === dirname(folder)) return []
  }
}

async function readRules(folder: string): Promise<RuleFile[]> {
  try {
    const names = (await readdir(folder)).filter((name) => RULES_FILE.test(name)).sort()
    const files = await Promise.all(
      names.slice(0, MOST_FILES).map((name) => readFile(folder, name)),
    )
    const problem = `only the first ${MOST_FILES} of ${names.length} files are read`
    return names.length > MOST_FILES ? [...files, { path: folder, problem }] : files
  } catch (error) {
    const isMissing = errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR'
    return isMissing ? [] : [{ path: folder, problem: errorText(error) }]
  }
}

async function readFile(folder: string, name: string): Promise<RuleFile> {
  const path = folder + sep + name
  try {
    // A pipe in the folder must not hold anybody up.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    const facts = await file.stat()
    if (!facts.isFile()) return { path, problem: 'it is no regular file' }
    if (facts.size > MOST_BYTES) return { path, problem: `it is over ${MOST_BYTES} bytes` }
    return { path, text: await file.readFile('utf8') }
  } catch (error) {
    return { path, problem: errorText(error) }
  }
}

/** One line behind the others, unless it is there. The file's own lock keeps processes apart. */
async function appendRule(path: string, prefix: readonly string[]): Promise<boolean> {
  const words = prefix.map((word) => JSON.stringify(word)).join(', ')
  const line = `prefix_rule(pattern=[${words}], decision="allow")`
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await using _lock = await lockRules(path)
  const { O_RDWR, O_CREAT, O_APPEND, O_NOFOLLOW } = constants
  await using file = await open(path, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW, 0o600)
  const text = await file.readFile('utf8')
  if (text.split('\n').some((each) => each.trim() === line)) return false
  const start = text === '' || text.endsWith('\n') ? '' : '\n'
  await file.appendFile(`${start}${line}\n`)
  await file.sync()
  return true
}

/** Undefined where nothing can be locked: a line is still written whole, at worst twice. */
async function lockRules(path: string): Promise<FileLock | undefined> {
  try {
    const lock = await FileLock.take(path, { waitMs: LOCK_WAIT_MS })
    if (!lock) throw new Error(`another process holds ${path}`)
    return lock
  } catch (error) {
    if (error instanceof LockUnavailable) return undefined
    throw error
  }
}
