import { setTimeout as sleep } from 'node:timers/promises'
import { errorText, type FileFacts, type FileSystem } from '../../base/index.ts'
import { callText, foldTurnsSlice, searchText } from '../../history/index.ts'
import {
  newestFirst,
  parseRolloutName,
  type RolloutFile,
  readEntries,
} from '../../rollout/index.ts'
import type { HomeIndex, IndexedFile, TurnMatch } from '../../state/index.ts'
import { decodeCursor, encodeCursor, invalidCursor } from '../cursor.ts'
import { ThreadStoreError } from '../errors.ts'
import { isWanted } from '../list-filter.ts'
import { snippetOf } from '../snippet.ts'
import type { SearchHit, SearchPage, SearchThreads, StoredThread, ThreadPage } from '../store.ts'
import { isSameFile, makeOutline, type OutlineWrite } from './outliner.ts'
import { indexedOutline, OutlineLost } from './thread-outline.ts'

export interface SearchSources {
  readonly files: FileSystem
  readonly index: HomeIndex
  /** Every rollout that search may find. */
  readonly rollouts: readonly RolloutFile[]
  /** The files of outlines that are in the index, as this process has last seen them. */
  readonly indexed: Map<string, IndexedFile>
  readonly read: (files: readonly RolloutFile[]) => Promise<(StoredThread | undefined)[]>
}

type Unreadable = ThreadPage['unreadable'][number]

/** Outlines that are written at once, by the bytes of their files: memory has an end. */
const WRITE_BYTES = 32 * 1024 * 1024
const WRITE_COUNT = 200
/** While one waits for the disk, another is folded. */
const READ_AT_ONCE = 4
const WRITE_ATTEMPTS = 40
const WRITE_PAUSE_MS = 50

/**
 * Brings the full-text index up to date with the files: nothing that is kept is not found. What is
 * done stays done when it is stopped. Answers which files it could not read.
 */
export async function indexRollouts(
  sources: SearchSources,
  { onProgress, signal }: Pick<SearchThreads, 'onProgress' | 'signal'>,
): Promise<Unreadable[]> {
  const { index } = sources
  const unreadable: Unreadable[] = []
  const stale = await staleRollouts(sources)
  const batch = new OutlineBatch(index)
  try {
    for (let done = 0; done < stale.length; done += READ_AT_ONCE) {
      signal?.throwIfAborted()
      onProgress?.({ doneThreads: done, totalThreads: stale.length })
      const group = stale.slice(done, done + READ_AT_ONCE)
      const outlines = await Promise.all(group.map((file) => outlineOf(sources, file, unreadable)))
      for (const [index, outline] of outlines.entries()) {
        if (outline) batch.add(outline, group[index]?.facts.sizeBytes ?? 0)
      }
      if (batch.isFull) await batch.write()
    }
  } finally {
    await batch.write()
  }
  // What they said once is not there to be shown.
  index.outlines.remove(unreadable.map(({ path }) => path))
  for (const { path } of unreadable) sources.indexed.delete(path)
  if (stale.length > 0) onProgress?.({ doneThreads: stale.length, totalThreads: stale.length })
  return unreadable
}

/** Undefined when the file cannot be read, or is gone. */
async function outlineOf(
  { files, index }: SearchSources,
  { path, facts }: StaleRollout,
  unreadable: Unreadable[],
): Promise<OutlineWrite | undefined> {
  try {
    const made = await makeOutline(files, index, path, facts, index.outlines.read(path))
    if (!made) unreadable.push({ path, reason: 'no readable session_meta line' })
    return made?.row
  } catch (error) {
    // One that was moved or removed meanwhile is not unreadable, but elsewhere.
    if (await files.facts(path)) unreadable.push({ path, reason: errorText(error) })
    return undefined
  }
}

interface StaleRollout {
  readonly path: string
  readonly facts: FileFacts
}

/** Which index a memory of what is indexed tells of: one that was begun anew holds nothing. */
const described = new WeakMap<SearchSources['indexed'], HomeIndex>()

/** Files that are not as the index knows them, oldest first: newer text gets the greater number. */
async function staleRollouts({
  files,
  index,
  rollouts,
  indexed,
}: SearchSources): Promise<StaleRollout[]> {
  if (described.get(indexed) !== index) indexed.clear()
  described.set(indexed, index)
  const isFirst = indexed.size === 0
  const all = isFirst ? index.outlines.files() : undefined
  if (isFirst && !all) throw unreadableIndex()
  const known = (path: string) => (isFirst ? all?.get(path) : index.outlines.file(path))
  const stale: StaleRollout[] = []
  for (const { path } of rollouts.toReversed()) {
    const facts = files.factsNow(path)
    const seen = indexed.get(path)
    if (!facts || (seen && isSameFile(seen, facts))) continue
    const before = known(path)
    if (!index.isUsable) throw unreadableIndex()
    if (before && isSameFile(before, facts)) indexed.set(path, before)
    else stale.push({ path, facts })
  }
  return stale
}

/** Outlines on their way into the index. */
class OutlineBatch {
  readonly #index: HomeIndex
  #outlines: OutlineWrite[] = []
  #bytes = 0

  constructor(index: HomeIndex) {
    this.#index = index
  }

  get isFull(): boolean {
    return this.#bytes >= WRITE_BYTES || this.#outlines.length >= WRITE_COUNT
  }

  add(outline: OutlineWrite, sizeBytes: number): void {
    this.#outlines.push(outline)
    this.#bytes += sizeBytes
  }

  /** Another process may be writing: it gets some time. */
  async write(): Promise<void> {
    const outlines = this.#outlines
    this.#outlines = []
    this.#bytes = 0
    if (outlines.length === 0) return
    for (let attempt = 0; this.#index.isUsable && attempt < WRITE_ATTEMPTS; attempt += 1) {
      if (this.#index.outlines.write(outlines)) return
      await sleep(WRITE_PAUSE_MS)
    }
    const doing = 'the index cannot be written: is the disk full, or the home read-only?'
    throw new ThreadStoreError({ code: 'internal', doing })
  }
}

function unreadableIndex(): ThreadStoreError {
  const doing = 'the index cannot be read; if it is damaged, the next search makes a new one'
  return new ThreadStoreError({ code: 'internal', doing })
}

/** A page of what the index finds; it has to be up to date. */
export async function searchIndex(
  sources: SearchSources,
  params: SearchThreads,
): Promise<Omit<SearchPage, 'unreadable'>> {
  const limit = Math.max(1, Math.floor(params.limit))
  const found: { thread: StoredThread; match: TurnMatch }[] = []
  const page = async (nextCursor: string | null) => {
    const hits = found.map(async ({ thread, match }) => ({
      thread,
      ...(await hitOf(sources, match, params.query)),
    }))
    return { hits: await Promise.all(hits), nextCursor }
  }
  let before = params.cursor === undefined ? undefined : beforeOf(params.cursor)
  for (;;) {
    const matches = sources.index.outlines.search(params.query, limit + 1, before)
    if (!matches) throw unreadableIndex()
    const threads = await threadsOf(sources, matches)
    for (const match of matches) {
      before = match.textId
      const thread = match.isRepeated ? undefined : threads.get(match.rolloutPath)
      if (!thread || !isSearched(thread, params)) continue
      if (found.length === limit) {
        return page(encodeCursor({ position: match.textId + 1, threadId: '' }))
      }
      found.push({ thread, match })
    }
    if (matches.length <= limit) return page(null)
  }
}

/** What a list shows of the threads that were found, by the paths of their logs. */
async function threadsOf(
  { rollouts, read }: SearchSources,
  matches: readonly TurnMatch[],
): Promise<ReadonlyMap<string, StoredThread | undefined>> {
  const wanted = matches.filter(({ isRepeated }) => !isRepeated)
  const paths = new Set(wanted.map(({ rolloutPath }) => rolloutPath))
  const files = [...paths].flatMap((path) => fileAt(rollouts, path) ?? [])
  const threads = await read(files)
  return new Map(files.map(({ path }, index) => [path, threads[index]]))
}

/** By halves: a home has too many to look at each. */
function fileAt(rollouts: readonly RolloutFile[], path: string): RolloutFile | undefined {
  const name = parseRolloutName(path)
  if (!name) return undefined
  const wanted = { ...name, path, isArchived: false }
  let [low, high] = [0, rollouts.length]
  while (low < high) {
    const middle = (low + high) >> 1
    const file = rollouts[middle]
    if (file?.stamp === name.stamp && file.threadId === name.threadId) {
      return file.path === path ? file : undefined
    }
    if (file && newestFirst(file, wanted) < 0) low = middle + 1
    else high = middle
  }
  return undefined
}

function isSearched(thread: StoredThread, params: SearchThreads): boolean {
  const { cwd, includeSubagents } = params
  const isArchived = params.isArchived === true
  if (thread.isArchived !== isArchived) return false
  const filter = { limit: 1, sortKey: 'created', isArchived, includeSubagents } as const
  return isWanted(thread, { ...filter, ...(cwd === undefined ? {} : { cwd }) })
}

async function hitOf(
  sources: SearchSources,
  match: TurnMatch,
  query: string,
): Promise<Pick<SearchHit, 'turnId' | 'snippet'>> {
  try {
    return await shown(sources, match, query)
  } catch (error) {
    if (!(error instanceof OutlineLost)) throw error
    // The next search makes it anew.
    sources.index.outlines.remove([match.rolloutPath])
    sources.indexed.delete(match.rolloutPath)
    throw unreadableIndex()
  }
}

/** The turn itself, read from its file. */
async function shown(
  { files, index }: SearchSources,
  { rolloutPath, turn }: TurnMatch,
  query: string,
): Promise<Pick<SearchHit, 'turnId' | 'snippet'>> {
  const row = index.outlines.read(rolloutPath)
  if (!row) return { turnId: turn.turnId, snippet: '' }
  const facts = {
    ...row,
    endBytes: row.foldedBytes,
    isEndOpen: false,
    again: async () => undefined,
  }
  const outline = indexedOutline(facts, index.outlines, row.id)
  const end = outline.next(turn.order)?.startOffset ?? row.foldedBytes
  const { entries } = await readEntries(files, rolloutPath, [{ start: turn.startOffset, end }])
  const turns = foldTurnsSlice({
    entries,
    from: turn.before,
    isEarlierTurn: (turnId) => outline.find(turnId, turn.order) !== undefined,
    startOffsets: new Set([turn.startOffset]),
    isRunning: false,
  })
  const told = turns.flatMap(({ items }) => items.map(searchText))
  const called = entries.map(({ item }) =>
    item.type === 'response_item' ? callText(item.payload) : '',
  )
  const texts = [...told, ...called].filter((text) => text !== '')
  return { turnId: turn.turnId, snippet: snippetOf(texts, query) }
}

function beforeOf(text: string): number {
  const { position } = decodeCursor(text)
  if (typeof position !== 'number') throw invalidCursor(text)
  return position
}
