import { join, sep } from 'node:path'
import type { DirectoryEntry, FileSystem } from '../base/index.ts'
import type { ThreadId } from '../protocol/index.ts'
import {
  ARCHIVE_FOLDER,
  dayFolder,
  parseRolloutName,
  type RolloutName,
  readRolloutName,
  rolloutPath,
  SESSIONS_FOLDER,
} from './rollout-path.ts'

export interface RolloutFile extends RolloutName {
  readonly path: string
  readonly isArchived: boolean
}

const SECOND_MS = 1000
const DAY_MS = 24 * 60 * 60 * SECOND_MS
const NUMERIC = /^\d+$/

/** By start, then by id: all rollouts of different names have an order; then plain ones first. */
export function newestFirst(a: RolloutFile, b: RolloutFile): number {
  if (a.stamp !== b.stamp) return a.stamp < b.stamp ? 1 : -1
  if (a.threadId !== b.threadId) return a.threadId < b.threadId ? 1 : -1
  return Number(a.isCompressed) - Number(b.isCompressed)
}

/** Of a rollout that lies there plain and compressed the plain one, which may have gone on. */
export function rolloutNames(entries: readonly DirectoryEntry[]): string[] {
  const names = new Set(entries.filter(({ kind }) => kind === 'file').map(({ name }) => name))
  return [...names].filter((fileName) => {
    const name = parseRolloutName(fileName)
    return name && !(name.isCompressed && names.has(fileName.slice(0, -'.zst'.length)))
  })
}

/** Those of `rolloutNames`, newest first. */
export function rolloutFiles(
  folder: string,
  names: readonly string[],
  isArchived: boolean,
): RolloutFile[] {
  // A home has thousands: what is known of their names is not looked at again.
  const files = names.map((name) => {
    return { ...readRolloutName(name), path: `${folder}${sep}${name}`, isArchived }
  })
  return files.sort(newestFirst)
}

function rolloutsIn(
  folder: string,
  entries: readonly DirectoryEntry[],
  isArchived: boolean,
): RolloutFile[] {
  return rolloutFiles(folder, rolloutNames(entries), isArchived)
}

/** Hears of a folder that cannot be read, for instance for want of permission. */
export type OnUnreadable = (folder: string, error: unknown) => void

async function entriesOf(
  files: FileSystem,
  folder: string,
  onUnreadable: OnUnreadable,
): Promise<DirectoryEntry[]> {
  try {
    return await files.readDirectory(folder)
  } catch (error) {
    onUnreadable(folder, error)
    return []
  }
}

/** Greatest number first. */
export function numericFolders(entries: readonly DirectoryEntry[]): string[] {
  return entries
    .filter((entry) => entry.kind === 'directory' && NUMERIC.test(entry.name))
    .map((entry) => entry.name)
    .sort((a, b) => Number(b) - Number(a))
}

/**
 * Active rollouts, newest day first; folders are read only as far as the caller iterates. A file
 * in the folder of another day, or a folder by two names (`1` and `01`), is met out of order.
 */
export async function* scanSessions(
  files: FileSystem,
  home: string,
  onUnreadable: OnUnreadable,
): AsyncGenerator<RolloutFile> {
  const entries = (folder: string) => entriesOf(files, folder, onUnreadable)
  const inside = async (folder: string) =>
    numericFolders(await entries(folder)).map((name) => join(folder, name))
  for (const year of await inside(join(home, SESSIONS_FOLDER))) {
    for (const month of await inside(year)) {
      for (const day of await inside(month)) yield* rolloutsIn(day, await entries(day), false)
    }
  }
}

/** Archived rollouts, newest start first. */
export async function* scanArchive(
  files: FileSystem,
  home: string,
  onUnreadable: OnUnreadable,
): AsyncGenerator<RolloutFile> {
  const folder = join(home, ARCHIVE_FOLDER)
  yield* rolloutsIn(folder, await entriesOf(files, folder, onUnreadable), true)
}

/**
 * The rollout of a thread; an active one wins over an archived one. A UUIDv7 tells when it was
 * made, so the names of that second are tried first, then the folders around its day, then all
 * others. Throws when it is not found in what can be read, and some of it cannot.
 */
export async function findRollout(
  files: FileSystem,
  home: string,
  threadId: ThreadId,
): Promise<RolloutFile | undefined> {
  for (const path of likelyPaths(home, threadId)) {
    const name = parseRolloutName(path)
    const isThere = name && (await isFile(files, path))
    if (isThere) return { ...name, path, isArchived: false }
  }
  const failures: unknown[] = []
  const note: OnUnreadable = (_folder, error) => failures.push(error)
  for (const folder of likelyFolders(home, threadId)) {
    const found = rolloutsIn(folder, await entriesOf(files, folder, note), false)
    const match = found.find((file) => file.threadId === threadId)
    if (match) return match
  }
  // Once more, for one that was brought back while the archive was still to be read.
  for (const scan of [scanSessions, scanArchive, scanSessions]) {
    for await (const file of scan(files, home, note)) {
      if (file.threadId === threadId) return file
    }
  }
  if (failures.length > 0) throw failures[0]
  return undefined
}

async function isFile(files: FileSystem, path: string): Promise<boolean> {
  try {
    return (await files.facts(path))?.kind === 'file'
  } catch {
    // Listing its folder says why.
    return false
  }
}

/** Undefined for other ids than UUIDv7. */
function mintedAtMs(threadId: ThreadId): number | undefined {
  if (threadId[14] !== '7') return undefined
  return Number.parseInt(threadId.slice(0, 8) + threadId.slice(9, 13), 16)
}

/** A thread is named by the second in which its id is minted, or the next. */
function likelyPaths(home: string, threadId: ThreadId): string[] {
  const atMs = mintedAtMs(threadId)
  if (atMs === undefined) return []
  const plain = [atMs, atMs + SECOND_MS].map((each) => rolloutPath(home, threadId, each))
  return plain.flatMap((path) => [path, `${path}.zst`])
}

function likelyFolders(home: string, threadId: ThreadId): string[] {
  const atMs = mintedAtMs(threadId)
  if (atMs === undefined) return []
  const days = [atMs, atMs - DAY_MS, atMs + DAY_MS]
  return [...new Set(days.map((each) => dayFolder(home, each)))]
}
