import { join } from 'node:path'
import type { DirectoryEntry, FileSystem } from '../../../base/index.ts'
import type { RolloutFile } from '../../../rollout/index.ts'
import { counted, type Finding, finding, MOST_NAMED } from './finding.ts'
import { expectedFolder, folderBelow, type HomeWalk } from './walk-home.ts'

export const REPAIRS_FOLDER = 'repairs'
const DAY_MS = 24 * 60 * 60 * 1000

/** What lies in a home where it does not belong, or more than once. */
export async function inspectPlaces(
  files: FileSystem,
  home: string,
  walk: HomeWalk,
  nowMs: number,
): Promise<Finding[]> {
  return [
    ...walk.unreadable.map(({ path, reason }) =>
      finding({
        severity: 'fail',
        section: 'threads',
        code: 'unreadable_folder',
        what: `the folder cannot be read: ${reason}`,
        path,
        remedy: 'mend its permissions',
      }),
    ),
    ...irregularFindings(walk.irregular),
    ...strayFindings(walk.strays),
    ...wrongFolders(home, walk.rollouts),
    ...duplicates(walk.rollouts),
    ...(await leftovers(files, home, walk.parts, nowMs)),
  ]
}

function irregularFindings(paths: readonly string[]): Finding[] {
  return paths.map((path) =>
    finding({
      severity: 'warn',
      section: 'threads',
      code: 'not_a_file',
      what: 'has the name of a thread, but is no regular file: nobody reads it',
      path,
      remedy: 'put the file itself there, or take it away',
    }),
  )
}

function strayFindings(paths: readonly string[]): Finding[] {
  if (paths.length === 0) return []
  return [
    finding({
      severity: 'warn',
      section: 'threads',
      code: 'stray_files',
      what: `${counted(paths.length, 'entry', 'entries')} among the threads that nobody reads`,
      count: paths.length,
      paths: paths.slice(0, MOST_NAMED),
      remedy: 'move them out of the folder of the threads',
    }),
  ]
}

function wrongFolders(home: string, rollouts: readonly RolloutFile[]): Finding[] {
  return rollouts
    .filter((file) => folderBelow(home, file.path) !== expectedFolder(file))
    .map((file) =>
      finding({
        severity: 'warn',
        section: 'threads',
        code: 'other_folder',
        what: `lies in the folder of another day, not in ${expectedFolder(file)}`,
        path: file.path,
        remedy: `move it to ${join(home, expectedFolder(file))}`,
      }),
    )
}

function duplicates(rollouts: readonly RolloutFile[]): Finding[] {
  const byId = Map.groupBy(rollouts, ({ threadId }) => threadId)
  return [...byId.values()]
    .filter((copies) => copies.length > 1)
    .map((copies) =>
      finding({
        severity: 'warn',
        section: 'threads',
        code: 'several_files',
        what: `thread ${copies[0]?.threadId} has ${copies.length} files (${kindsOf(copies)})`,
        path: copies[0]?.path ?? null,
        count: copies.length,
        paths: copies.slice(0, MOST_NAMED).map(({ path }) => path),
        remedy: 'keep the one that went on longest, and move the others away',
      }),
    )
}

function kindsOf(copies: readonly RolloutFile[]): string {
  const kinds = copies.map(({ isArchived, isCompressed }) =>
    [isArchived ? 'archived' : 'active', ...(isCompressed ? ['compressed'] : [])].join(' '),
  )
  return kinds.join(', ')
}

const REPLACEMENT = /^session_index\.jsonl\..+\.tmp$/
const SET_ASIDE = /^bobbin_\d+\.sqlite\.set-aside-\d+$/

async function leftovers(
  files: FileSystem,
  home: string,
  parts: readonly string[],
  nowMs: number,
): Promise<Finding[]> {
  const names = (await entries(files, home)).map(({ name }) => name)
  const replacements = names.filter((name) => REPLACEMENT.test(name))
  const found: Finding[] = []
  for (const path of [...parts, ...replacements.map((name) => join(home, name))]) {
    const modifiedAtMs = (await files.facts(path))?.modifiedAtMs ?? nowMs
    found.push(leftover(path, nowMs - modifiedAtMs > DAY_MS))
  }
  const asides = names.filter((name) => SET_ASIDE.test(name))
  if (asides.length > 0) found.push(kept(home, 'set_aside', asides, 'index that was set aside'))
  const repairs = (await entries(files, join(home, REPAIRS_FOLDER))).map(({ name }) => name)
  const below = repairs.map((name) => join(REPAIRS_FOLDER, name))
  if (below.length > 0) found.push(kept(home, 'repairs', below, 'backup of an earlier repair'))
  return found
}

function leftover(path: string, isOld: boolean): Finding {
  const told = { section: 'threads', code: 'leftover_part', path } as const
  if (!isOld) return finding({ ...told, severity: 'ok', what: 'is perhaps being written now' })
  const what = 'was left by a program that did not get to its end'
  return finding({ ...told, severity: 'warn', what, repair: 'move_leftover' })
}

function kept(home: string, code: string, names: readonly string[], what: string): Finding {
  const many = what.replace(/^(\w+)/, (word) => (word === 'index' ? 'indexes' : `${word}s`))
  return finding({
    severity: 'ok',
    section: code === 'repairs' ? 'threads' : 'index',
    code,
    what: `${counted(names.length, what, many)}, to be deleted when not needed any more`,
    count: names.length,
    paths: names.slice(0, MOST_NAMED).map((name) => join(home, name)),
  })
}

async function entries(files: FileSystem, folder: string): Promise<DirectoryEntry[]> {
  try {
    const all = await files.readDirectory(folder)
    return all.sort((a, b) => (a.name < b.name ? -1 : 1))
  } catch {
    // Nobody misses what is kept aside in a folder that cannot be read.
    return []
  }
}
