import { basename, join } from 'node:path'
import { parseThreadId, type ThreadId } from '../protocol/index.ts'

export const SESSIONS_FOLDER = 'sessions'
export const ARCHIVE_FOLDER = 'archived_sessions'

const NAME = /^rollout-(\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2})-(.{36})\.jsonl(\.zst)?$/

/** What a rollout's file name says. `stamp` is local time of the machine that made it. */
export interface RolloutName {
  readonly threadId: ThreadId
  readonly stamp: string
  /** The whole file is zstd data: Codex 0.169.0 keeps some so. They are read, never appended to. */
  readonly isCompressed: boolean
}

/** Undefined for a name that is no rollout's. */
export function parseRolloutName(path: string): RolloutName | undefined {
  const match = NAME.exec(basename(path))
  const threadId = parseThreadId(match?.[2] ?? '')
  if (!match?.[1] || !threadId) return undefined
  return { threadId, stamp: match[1], isCompressed: match[3] !== undefined }
}

/** Faster, of the name of a file that is known to be a rollout's. */
export function readRolloutName(name: string): RolloutName {
  const threadId = name.slice(28, 64).toLowerCase() as ThreadId
  return { threadId, stamp: name.slice(8, 27), isCompressed: name.endsWith('.zst') }
}

interface LocalDate {
  readonly year: string
  readonly month: string
  readonly day: string
}

function localDate(atMs: number): LocalDate {
  const at = new Date(atMs)
  return {
    year: String(at.getFullYear()).padStart(4, '0'),
    month: String(at.getMonth() + 1).padStart(2, '0'),
    day: String(at.getDate()).padStart(2, '0'),
  }
}

/** The folder of threads started on that local day. */
export function dayFolder(home: string, atMs: number): string {
  const { year, month, day } = localDate(atMs)
  return join(home, SESSIONS_FOLDER, year, month, day)
}

/** Where a thread started at `createdAtMs` lives: folders and name in local time, as real Codex. */
export function rolloutPath(home: string, threadId: ThreadId, createdAtMs: number): string {
  const { year, month, day } = localDate(createdAtMs)
  const time = new Date(createdAtMs).toTimeString().slice(0, 8).replaceAll(':', '-')
  const name = `rollout-${year}-${month}-${day}T${time}-${threadId}.jsonl`
  return join(dayFolder(home, createdAtMs), name)
}
