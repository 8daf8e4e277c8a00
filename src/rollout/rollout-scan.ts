import { join } from 'node:path'
import type { DirectoryEntry, FileSystem } from '../base/index.ts'
import type { ThreadId } from '../protocol/index.ts'
import {
  ARCHIVE_FOLDER,
  dayFolder,
  parseRolloutName,
  type RolloutName,
  SESSIONS_FOLDER,
} from './rollout-path.ts'

export interface RolloutFile extends RolloutName {
  readonly path: string
  readonly isArchived: boolean
}

const DAY_MS = 24 * 60 * 60 * 1000
const NUMERIC = /^\d+$/

function newestFirst(a: RolloutFile, b: RolloutFile): number {
  if (a.stamp !== b.stamp) return a.stamp < b.stamp ? 1 : -1
  return a.threadId < b.threadId ? 1 : -1
}

function rolloutsIn(
  folder: string,
  entries: readonly DirectoryEntry[],
  isArchived: boolean,
): RolloutFile[] {
  const found: RolloutFile[] = []
  for (const entry of entries) {
    const name = entry.kind === 'file' ? parseRolloutName(entry.name) : undefined
    if (name) found.push({ ...name, path: join(folder, entry.name), isArchived })
  }
  return found.sort(newestFirst)
}

async function numericFolders(files: FileSystem, folder: string): Promise<string[]> {
  const entries = await files.readDirectory(folder)
  return entries
    .filter((entry) => entry.kind === 'directory' && NUMERIC.test(entry.name))
    .map((entry) => entry.name)
    .sort((a, b) => Number(b) - Number(a))
    .map((name) => join(folder, name))
}

/** Active rollouts, newest start first; folders are read only as far as the caller iterates. */
export async function* scanSessions(files: FileSystem, home: string): AsyncGenerator<RolloutFile> {
  for (const year of await numericFolders(files, join(home, SESSIONS_FOLDER))) {
    for (const month of await numericFolders(files, year)) {
      for (const day of await numericFolders(files, month)) {
        yield* rolloutsIn(day, await files.readDirectory(day), false)
      }
    }
  }
}

/** Archived rollouts, newest start first. */
export async function* scanArchive(files: FileSystem, home: string): AsyncGenerator<RolloutFile> {
  const folder = join(home, ARCHIVE_FOLDER)
  yield* rolloutsIn(folder, await files.readDirectory(folder), true)
}

/**
 * The rollout of a thread; an active one wins over an archived one. A UUIDv7 tells its day, so the
 * folders around it are tried before all others.
 */
export async function findRollout(
  files: FileSystem,
  home: string,
  threadId: ThreadId,
): Promise<RolloutFile | undefined> {
  for (const folder of likelyFolders(home, threadId)) {
    const found = rolloutsIn(folder, await files.readDirectory(folder), false)
    const match = found.find((file) => file.threadId === threadId)
    if (match) return match
  }
  for await (const file of scanSessions(files, home)) {
    if (file.threadId === threadId) return file
  }
  for await (const file of scanArchive(files, home)) {
    if (file.threadId === threadId) return file
  }
  return undefined
}

function likelyFolders(home: string, threadId: ThreadId): string[] {
  if (threadId[14] !== '7') return []
  const mintedAtMs = Number.parseInt(threadId.slice(0, 8) + threadId.slice(9, 13), 16)
  const days = [mintedAtMs, mintedAtMs - DAY_MS, mintedAtMs + DAY_MS]
  return [...new Set(days.map((atMs) => dayFolder(home, atMs)))]
}
