import { basename, join } from 'node:path'
import { errorText, type FileFacts, type FileSystem } from '../../base/index.ts'
import type { ThreadSummary } from '../../history/index.ts'
import type { ThreadId } from '../../protocol/index.ts'
import {
  ARCHIVE_FOLDER,
  newestFirst,
  type RolloutFile,
  readSummary,
  SESSIONS_FOLDER,
  scanArchive,
  scanSessions,
} from '../../rollout/index.ts'
import type { ThreadIndex, ThreadRow } from '../../state/index.ts'
import { type Cursor, decodeCursor, encodeCursor, invalidCursor } from '../cursor.ts'
import { isWanted } from '../list-filter.ts'
import type { ListThreads, StoredThread, ThreadPage } from '../store.ts'

export interface ListSources {
  readonly files: FileSystem
  readonly home: string
  /** Absent when it cannot be used: then every file's head is read. */
  readonly index: ThreadIndex | undefined
  readonly names: ReadonlyMap<ThreadId, string>
}

interface Candidate {
  readonly file: RolloutFile
  /** Position in the order of the list; text and numbers that grow with time. */
  readonly position: string | number
  readonly facts: FileFacts
}

/**
 * A page from the files themselves, newest first: the index only saves reading those that have not
 * changed since it saw them. A log that cannot be listed is reported, never dropped in silence.
 */
export async function listLocalThreads(
  sources: ListSources,
  params: ListThreads,
): Promise<ThreadPage> {
  const after = readCursor(params)
  const limit = Math.max(1, params.limit)
  const threads: StoredThread[] = []
  const unreadable: Unreadable[] = []
  const changed: ThreadRow[] = []
  let last: Candidate | undefined
  let nextCursor: string | null = null
  for await (const candidate of candidates(sources, params, unreadable)) {
    if (after && !isBeyond(candidate, after)) continue
    if (threads.length === limit && last) {
      nextCursor = encodeCursor({ position: last.position, threadId: last.file.threadId })
      break
    }
    const summary = await summaryOf(sources, candidate, changed)
    if (summary.ok) {
      const thread = toStoredThread(candidate.file, candidate.facts, summary.value, sources.names)
      if (!isWanted(thread, params)) continue
      threads.push(thread)
      last = candidate
    } else unreadable.push({ path: candidate.file.path, reason: summary.reason })
  }
  sources.index?.upsert(changed)
  return { threads, nextCursor, unreadable }
}

type Unreadable = ThreadPage['unreadable'][number]

/** A cursor names a place in one order only. */
function readCursor({ cursor, sortKey }: ListThreads): Cursor | undefined {
  if (cursor === undefined) return undefined
  const after = decodeCursor(cursor)
  const isOfThisOrder = typeof after.position === (sortKey === 'created' ? 'string' : 'number')
  if (!isOfThisOrder) throw invalidCursor(cursor)
  return after
}

function isBeyond(candidate: Candidate, after: Cursor): boolean {
  if (candidate.position !== after.position) return candidate.position < after.position
  return candidate.file.threadId < after.threadId
}

/** In the order of the list. What cannot even be looked at goes to `unreadable`. */
async function* candidates(
  sources: ListSources,
  params: ListThreads,
  unreadable: Unreadable[],
): AsyncGenerator<Candidate> {
  const found = await rolloutsInOrder(sources, params, unreadable)
  const factsOf = async (file: RolloutFile): Promise<FileFacts | undefined> => {
    try {
      return await sources.files.facts(file.path)
    } catch (error) {
      unreadable.push({ path: file.path, reason: errorText(error) })
      return undefined
    }
  }
  if (params.sortKey === 'created') {
    for (const file of found) {
      const facts = await factsOf(file)
      if (facts) yield { file, facts, position: file.stamp }
    }
    return
  }
  const all: (Candidate & { position: number })[] = []
  for (const file of found) {
    const facts = await factsOf(file)
    if (facts) all.push({ file, facts, position: facts.modifiedAtMs })
  }
  yield* all.sort((a, b) => b.position - a.position || newestId(a.file, b.file))
}

function newestId(a: RolloutFile, b: RolloutFile): number {
  return a.threadId < b.threadId ? 1 : -1
}

/**
 * Newest start first, copies of one file name in several folders once. All folders are read for
 * it, so the index is told of files that are gone.
 */
async function rolloutsInOrder(
  { files, home, index }: ListSources,
  { isArchived }: ListThreads,
  unreadable: Unreadable[],
): Promise<RolloutFile[]> {
  const scan = isArchived ? scanArchive : scanSessions
  const byName = new Map<string, RolloutFile>()
  let isComplete = true
  const found = scan(files, home, (path, error) => {
    unreadable.push({ path, reason: errorText(error) })
    isComplete = false
  })
  for await (const file of found) {
    const name = basename(file.path)
    if (!byName.has(name)) byName.set(name, file)
  }
  const rollouts = [...byName.values()]
  if (isComplete) {
    const folder = join(home, isArchived ? ARCHIVE_FOLDER : SESSIONS_FOLDER)
    index?.prune(folder, new Set(rollouts.map(({ path }) => path)))
  }
  return rollouts.sort(newestFirst)
}

type SummaryResult =
  | { readonly ok: true; readonly value: ThreadSummary }
  | { readonly ok: false; readonly reason: string }

async function summaryOf(
  { files, index }: ListSources,
  { file, facts }: Candidate,
  changed: ThreadRow[],
): Promise<SummaryResult> {
  const row = index?.read(file.path)
  if (row && isCurrent(row, facts)) return { ok: true, value: row.summary }
  try {
    const known = hasGrown(row, facts) ? row : undefined
    const folded = await readSummary(files, file.path, known)
    if (!folded) return { ok: false, reason: 'no readable session_meta line' }
    changed.push({ rolloutPath: file.path, file: facts, ...folded })
    return { ok: true, value: folded.summary }
  } catch (error) {
    return { ok: false, reason: errorText(error) }
  }
}

function isCurrent(row: ThreadRow, facts: FileFacts): boolean {
  return (
    row.file.sizeBytes === facts.sizeBytes &&
    row.file.modifiedAtMs === facts.modifiedAtMs &&
    row.file.inode === facts.inode
  )
}

/** A log only grows: what it said once, it still says. */
function hasGrown(row: ThreadRow | undefined, facts: FileFacts): row is ThreadRow {
  return (
    row !== undefined && row.file.inode === facts.inode && row.file.sizeBytes <= facts.sizeBytes
  )
}

/** The shared name index knows what other programs named last; else the log's own name counts. */
export function toStoredThread(
  file: RolloutFile,
  facts: FileFacts,
  summary: ThreadSummary,
  names: ReadonlyMap<ThreadId, string>,
): StoredThread {
  const { loggedName, ...known } = summary
  return {
    ...known,
    rolloutPath: file.path,
    name: (names.get(summary.threadId) ?? loggedName) || null,
    updatedAtMs: facts.modifiedAtMs,
    sizeBytes: facts.sizeBytes,
    isArchived: file.isArchived,
  }
}
