import { renameSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { errorCode, errorText, type FileFacts, type FileSystem } from '../../../base/index.ts'
import { type OutlinedRollout, outlineRollout, readSummary } from '../../../rollout/index.ts'
import { faultOf, type IndexReader, type IndexRecord } from '../../../state/index.ts'
import { INDEX_FILE } from '../home-access.ts'
import { counted, type Finding, finding, MOST_NAMED } from './finding.ts'

type Told = Pick<Finding, 'severity' | 'code' | 'what'> & Partial<Finding>

/** Compares the index of a home with its files, one after the other. Changes nothing. */
export class IndexInspection {
  readonly #files: FileSystem
  readonly #path: string
  readonly #index: IndexReader
  readonly #lies: string[] = []
  #rows = 0
  #lying = 0
  #failure: unknown

  constructor(files: FileSystem, home: string, index: IndexReader) {
    this.#files = files
    this.#path = join(home, INDEX_FILE)
    this.#index = index
  }

  /** The rows of one file against the file; nothing when they do not claim to be of it. */
  async compare(rolloutPath: string): Promise<void> {
    if (this.#failure !== undefined) return
    try {
      const thread = this.#index.thread(rolloutPath)
      const outline = this.#index.outline(rolloutPath)
      if (thread) this.#rows += 1
      const lies = await this.#isLie(rolloutPath, thread, outline)
      if (!lies) return
      this.#lying += 1
      if (this.#lies.length < MOST_NAMED) this.#lies.push(rolloutPath)
    } catch (error) {
      this.#failure = error
    }
  }

  finish(present: ReadonlySet<string>): Finding[] {
    const found: Finding[] = []
    try {
      if (this.#failure !== undefined) throw this.#failure
      const gone = [...this.#index.paths()].filter((path) => !present.has(path)).length
      const what = `${counted(this.#rows, 'thread')} in the index`
      found.push(this.#told({ severity: 'ok', code: 'index', what, count: this.#rows }))
      if (gone > 0) {
        const what = `${counted(gone, 'row')} of files that are gone, dropped by the next list`
        found.push(this.#told({ severity: 'ok', code: 'gone_rows', what, count: gone }))
      }
    } catch (error) {
      found.push(indexFailure(this.#path, error))
    }
    if (this.#lying > 0) {
      const what = `${counted(this.#lying, 'thread')} that the index describes wrongly`
      const named = { count: this.#lying, paths: this.#lies, repair: 'set_index_aside' } as const
      found.push(this.#told({ severity: 'fail', code: 'index_lies', what, ...named }))
    }
    return found
  }

  #told(told: Told): Finding {
    return finding({ section: 'index', path: this.#path, ...told })
  }

  async #isLie(
    path: string,
    thread: IndexRecord | undefined,
    outline: IndexRecord | undefined,
  ): Promise<boolean> {
    const facts = await this.#files.facts(path)
    if (!facts) return false
    const isLie =
      (isOf(thread, facts) && !(await isFreshThread(this.#files, path, thread))) ||
      (isOf(outline, facts) && !(await this.#isFreshOutline(path, outline)))
    // A file that was written to meanwhile is not what the row was about.
    return isLie && isDeepStrictEqual(await this.#files.facts(path), facts)
  }

  async #isFreshOutline(path: string, row: IndexRecord): Promise<boolean> {
    const fresh = await outlineRollout(this.#files, path).catch(() => undefined)
    if (!fresh) return false
    const isSame =
      isDeepStrictEqual(parsed(row.summary), plain(fresh.summary)) &&
      row.folded_bytes === fresh.foldedBytes &&
      row.folded_lines === fresh.foldedLines &&
      row.damaged_lines === fresh.damagedLines
    return isSame && hasSameTurns(this.#index.turns(row.id ?? null), fresh)
  }
}

async function isFreshThread(files: FileSystem, path: string, row: IndexRecord): Promise<boolean> {
  const fresh = await readSummary(files, path).catch(() => undefined)
  if (!fresh) return false
  const isSame = isDeepStrictEqual(parsed(row.summary), plain(fresh.summary))
  return isSame && row.folded_bytes === fresh.foldedBytes
}

function hasSameTurns(rows: Iterable<IndexRecord>, { fold }: OutlinedRollout): boolean {
  const turns = fold.turns
  let count = 0
  for (const row of rows) {
    const turn = turns[count]
    const isSame =
      row.turn_order === turn?.order &&
      row.turn_id === turn?.turnId &&
      row.status === turn?.status &&
      row.start_offset === turn?.startOffset &&
      row.end_offset === turn?.endOffset &&
      (row.is_taken_back === 1) === turn?.isTakenBack
    if (!isSame) return false
    count += 1
  }
  return count === turns.length
}

function isOf(row: IndexRecord | undefined, facts: FileFacts): row is IndexRecord {
  return (
    row !== undefined &&
    row.size_bytes === facts.sizeBytes &&
    row.modified_at_ms === facts.modifiedAtMs &&
    row.inode === facts.inode
  )
}

function parsed(text: unknown): unknown {
  try {
    return JSON.parse(String(text))
  } catch {
    // Not by us, so not what the file says.
    return undefined
  }
}

function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value))
}

/** What it means that the index cannot be read. */
export function indexFailure(path: string, error: unknown): Finding {
  const told = { section: 'index', path } as const
  const reason = errorText(error)
  if (faultOf(error) === 'damaged') {
    const what = `the index is damaged (${reason})`
    return finding({
      ...told,
      severity: 'fail',
      code: 'damaged_index',
      what,
      repair: 'set_index_aside',
    })
  }
  const what = `the index cannot be read now (${reason}); threads are read from their files`
  const remedy = 'mend the permissions of the file, or end the program that has it locked'
  return finding({ ...told, severity: 'warn', code: 'index_unavailable', what, remedy })
}

/** Moves the index out of the way, so that the next list makes a new one. Its log goes first. */
export function setIndexAside(home: string, nowMs: number): string {
  const path = join(home, INDEX_FILE)
  const aside = `${path}.set-aside-${nowMs}`
  for (const suffix of ['-wal', '-shm', '']) {
    try {
      renameSync(path + suffix, aside + suffix)
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error
    }
  }
  return aside
}
