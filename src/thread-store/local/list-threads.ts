import { join } from 'node:path'
import { errorText, type FileFacts, type FileSystem, isOutOfDescriptors } from '../../base/index.ts'
import type { ThreadSummary } from '../../history/index.ts'
import type { ThreadId } from '../../protocol/index.ts'
import {
  ARCHIVE_FOLDER,
  type CatalogPart,
  RolloutCatalog,
  RolloutError,
  type RolloutFile,
  SESSIONS_FOLDER,
} from '../../rollout/index.ts'
import type { HomeIndex } from '../../state/index.ts'
import {
  type Direction,
  decodeListCursor,
  encodeListCursor,
  isBehind,
  type ListPlace,
  stampMs,
} from '../list-cursor.ts'
import { type FilteredFacts, isWanted } from '../list-filter.ts'
import type { ListThreads, StoredThread, ThreadPage } from '../store.ts'
import { type CurrentRow, type Reading, SummaryRows } from './summary-rows.ts'

export interface ListSources {
  /** Absent when it cannot be used: then every file is read, once a process. */
  readonly index: HomeIndex | undefined
  readonly names: ReadonlyMap<ThreadId, string>
}

interface Candidate {
  readonly file: RolloutFile
  /** In whole milliseconds: cursors have no more. */
  readonly atMs: number
  /** Where the order hangs on them. */
  readonly facts?: FileFacts
}

/** In the order of the list. */
interface Candidates {
  readonly count: number
  slice(from: number, to: number): readonly Candidate[]
}

interface Found {
  /** Its place among all that come into question. */
  readonly at: number
  readonly candidate: Candidate
  readonly row: CurrentRow
}

type Unreadable = ThreadPage['unreadable'][number]

/** Threads that are looked at for a page, at most, before it is seen whether it is full. */
const LOOK_AT_ONCE = 256
/** Files that are open at the same time: while one waits for the disk, another is folded. */
const READ_AT_ONCE = 8

/**
 * Pages of threads from the files themselves, newest first. What the index and this process
 * remember only saves reading folders and files that have not changed since. A log that cannot be
 * listed is reported, never dropped in silence.
 */
export class ThreadLister {
  readonly #files: FileSystem
  readonly #home: string
  readonly #catalog: RolloutCatalog
  readonly #rows: SummaryRows
  /** What the index was last told of: files that are gone leave it. */
  readonly #pruned = new WeakSet<CatalogPart>()

  constructor(files: FileSystem, home: string) {
    this.#files = files
    this.#home = home
    this.#catalog = new RolloutCatalog(files, home)
    this.#rows = new SummaryRows(files)
  }

  /** What a list shows of a few files; undefined where one is gone. Throws `RolloutError`. */
  async read(
    files: readonly RolloutFile[],
    { index, names }: ListSources,
  ): Promise<(StoredThread | undefined)[]> {
    const reading = this.#rows.reading(index)
    const found = files.map(async (file) => {
      const row = await reading.read(file.path, await this.#files.facts(file.path))
      return row && toStoredThread(file, row.facts, row.summary, names)
    })
    const threads = await Promise.all(found)
    reading.keep()
    return threads
  }

  async list(params: ListThreads, sources: ListSources): Promise<ThreadPage> {
    const after = params.cursor === undefined ? undefined : decodeListCursor(params.cursor)
    const limit = Math.max(1, params.limit)
    const unreadable: Unreadable[] = []
    const reading = this.#rows.reading(sources.index)
    const found = await this.#candidates(params, after, sources, unreadable)
    // One more than the page holds tells that there is another page.
    const wanted: Found[] = []
    const failed = new Map<string, string>()
    for (let at = 0, count = limit + 1; at < found.count && wanted.length <= limit; ) {
      if (at >= LOOK_AT_ONCE) reading.prepare()
      const batch = found.slice(at, at + Math.min(LOOK_AT_ONCE, count))
      const rows = await this.#rowsOf(batch, reading, failed)
      for (const [index, candidate] of batch.entries()) {
        const row = rows[index]
        const name = row && nameOf(row.summary, sources.names)
        if (!row || !isWanted(filtered(row, name ?? null), params)) continue
        wanted.push({ at: at + index, candidate, row })
      }
      at += batch.length
      count *= 2
      params.onProgress?.({ doneThreads: at, totalThreads: found.count })
    }
    reading.keep()
    const shown = wanted.slice(0, limit)
    const [first, last] = [shown[0], shown.at(-1)]
    const hasMore = wanted.length > limit
    // What lies behind the page is told by the next one.
    const passed = hasMore && last ? last.at : found.count
    for (const { file } of failed.size > 0 ? found.slice(0, passed) : []) {
      const reason = failed.get(file.path)
      if (reason !== undefined) unreadable.push({ path: file.path, reason })
    }
    return {
      threads: shown.map(({ candidate, row }) => {
        return toStoredThread(candidate.file, row.facts, row.summary, sources.names)
      }),
      nextCursor: last && hasMore ? cursorOf(last.candidate, false) : null,
      backwardsCursor: first ? cursorOf(first.candidate, true) : null,
      unreadable,
    }
  }

  /** Undefined where the file is gone, or could not be read. */
  async #rowsOf(
    batch: readonly Candidate[],
    reading: Reading,
    failed: Map<string, string>,
  ): Promise<(CurrentRow | undefined)[]> {
    // Most are known, and nobody waits for those.
    const rows = batch.map(({ file, facts }) => reading.remembered(file.path, facts))
    const left = batch.flatMap((candidate, index) => (rows[index] ? [] : [{ candidate, index }]))
    const readNext = async () => {
      for (let next = left.shift(); next; next = left.shift()) {
        const { file, facts } = next.candidate
        rows[next.index] = await this.#readRow(file.path, facts, reading, failed)
      }
    }
    await Promise.all(Array.from({ length: READ_AT_ONCE }, readNext))
    return rows
  }

  async #readRow(
    path: string,
    given: FileFacts | undefined,
    reading: Reading,
    failed: Map<string, string>,
  ): Promise<CurrentRow | undefined> {
    try {
      const facts = given ?? this.#files.factsNow(path)
      return reading.remembered(path, facts) ?? (await reading.read(path, facts))
    } catch (error) {
      // One that was moved or removed meanwhile is not unreadable, but elsewhere.
      if (await this.#isThere(path)) failed.set(path, reasonOf(error))
      return undefined
    }
  }

  async #isThere(path: string): Promise<boolean> {
    try {
      return (await this.#files.facts(path)) !== undefined
    } catch {
      // Whatever is in the way of it, it cannot be read.
      return true
    }
  }

  /** The rollouts of a home, newest start first. */
  async rollouts(
    isArchived: boolean,
    index: HomeIndex | undefined,
    unreadable: Unreadable[],
  ): Promise<readonly RolloutFile[]> {
    const note = (path: string, error: unknown) => {
      unreadable.push({ path, reason: errorText(error) })
    }
    const catalog = this.#catalog
    const memory = index?.folders
    const part = await (isArchived ? catalog.archived(note, memory) : catalog.active(note, memory))
    if (part.isComplete && index && !this.#pruned.has(part)) {
      const folder = join(this.#home, isArchived ? ARCHIVE_FOLDER : SESSIONS_FOLDER)
      index.prune(
        folder,
        part.rollouts.map(({ path }) => path),
      )
      this.#pruned.add(part)
    }
    return part.rollouts
  }

  /** Behind the cursor, in the order of the list. What cannot be looked at is `unreadable`. */
  async #candidates(
    params: ListThreads,
    after: ListPlace | undefined,
    { index }: ListSources,
    unreadable: Unreadable[],
  ): Promise<Candidates> {
    const { sortKey, direction = 'desc' } = params
    const rollouts = await this.rollouts(params.isArchived, index, unreadable)
    if (sortKey === 'created') {
      const inOrder = direction === 'asc' ? rollouts.toReversed() : rollouts
      const candidateOf = (file: RolloutFile) => ({ file, atMs: stampMs(file.stamp) })
      const files = behind(inOrder, after, candidateOf, direction)
      // Reading the times of all would take longer than the page.
      const slice = (from: number, to: number) => files.slice(from, to).map(candidateOf)
      return { count: files.length, slice }
    }
    const all: (Candidate & { readonly facts: FileFacts })[] = []
    for (const file of rollouts) {
      try {
        const facts = this.#files.factsNow(file.path)
        if (!facts) continue
        all.push({ file, facts, atMs: Math.floor(facts.modifiedAtMs) })
      } catch (error) {
        unreadable.push({ path: file.path, reason: errorText(error) })
      }
    }
    all.sort((a, b) => b.atMs - a.atMs || newestId(a, b))
    if (direction === 'asc') all.reverse()
    const candidates = behind(all, after, (candidate) => candidate, direction)
    return { count: candidates.length, slice: (from, to) => candidates.slice(from, to) }
  }
}

function cursorOf({ file: { threadId }, atMs }: Candidate, includeAnchor: boolean): string {
  return encodeListCursor({ atMs, threadId, includeAnchor })
}

/** Throws what is no fault of the file: a list without it would pass for the whole. */
function reasonOf(error: unknown): string {
  if (error instanceof RolloutError && isOutOfDescriptors(error.cause)) throw error
  const hasNoHeader = error instanceof RolloutError && error.code === 'no_header'
  return hasNoHeader ? 'no readable session_meta line' : errorText(error)
}

/** The part of a list behind the cursor, which may be far down. */
function behind<T>(
  inOrder: readonly T[],
  after: ListPlace | undefined,
  candidateOf: (each: T) => Candidate,
  direction: Direction,
): T[] {
  const isBeyond = ({ file: { threadId }, atMs }: Candidate) =>
    after === undefined || isBehind(after, { atMs, threadId }, direction)
  if (!after) return inOrder.slice()
  let [low, high] = [0, inOrder.length]
  while (low < high) {
    const middle = (low + high) >> 1
    const each = inOrder[middle]
    if (each !== undefined && isBeyond(candidateOf(each))) high = middle
    else low = middle + 1
  }
  return inOrder.slice(low)
}

function newestId(a: Candidate, b: Candidate): number {
  return a.file.threadId < b.file.threadId ? 1 : -1
}

/** The shared name index knows what other programs named last; else the log's own name counts. */
function nameOf(
  { threadId, loggedName }: ThreadSummary,
  names: ReadonlyMap<ThreadId, string>,
): string | null {
  return (names.get(threadId) ?? loggedName) || null
}

/** Not the whole thread: most of those that are looked at are not shown. */
function filtered({ facts, summary }: CurrentRow, name: string | null): FilteredFacts {
  const { preview, source, cwd, modelProvider, git } = summary
  const updatedAtMs = facts.modifiedAtMs
  return { preview, source, cwd, modelProvider, git, name, updatedAtMs }
}

export function toStoredThread(
  file: Pick<RolloutFile, 'path' | 'isArchived'>,
  facts: FileFacts,
  summary: ThreadSummary,
  names: ReadonlyMap<ThreadId, string>,
): StoredThread {
  const { loggedName: _, ...known } = summary
  return {
    ...known,
    rolloutPath: file.path,
    name: nameOf(summary, names),
    updatedAtMs: facts.modifiedAtMs,
    sizeBytes: facts.sizeBytes,
    isArchived: file.isArchived,
  }
}
