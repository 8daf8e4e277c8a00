import type { FileFacts, FileSystem } from '../../base/index.ts'
import type { ThreadSummary } from '../../history/index.ts'
import { RolloutError, readSummary } from '../../rollout/index.ts'
import type { HomeIndex, ThreadRow } from '../../state/index.ts'
import { isSameFile } from './outliner.ts'

/** A thread as its file tells of it now. */
export interface CurrentRow {
  readonly facts: FileFacts
  readonly summary: ThreadSummary
}

/** Rows beyond this are read from the index again: memory has an end. */
const MOST_ROWS = 50_000

/** Summaries of rollouts: remembered, from the index, or read anew when the file has changed. */
export class SummaryRows {
  readonly #files: FileSystem
  readonly #rows = new Map<string, ThreadRow>()
  /** Asked for all of its rows already. */
  readonly #prepared = new WeakSet<HomeIndex>()

  constructor(files: FileSystem) {
    this.#files = files
  }

  /** One question's worth of reading; `keep` puts what was new into the index. */
  reading(index: HomeIndex | undefined): Reading {
    return new Reading(this.#files, this.#rows, index, this.#prepared)
  }
}

export class Reading {
  readonly #files: FileSystem
  readonly #rows: Map<string, ThreadRow>
  readonly #index: HomeIndex | undefined
  readonly #prepared: WeakSet<HomeIndex>
  readonly #changed: ThreadRow[] = []

  constructor(
    files: FileSystem,
    rows: Map<string, ThreadRow>,
    index: HomeIndex | undefined,
    prepared: WeakSet<HomeIndex>,
  ) {
    this.#files = files
    this.#rows = rows
    this.#index = index
    this.#prepared = prepared
  }

  /** Fetches all rows at once, when most of them will be asked for. */
  prepare(): void {
    const index = this.#index
    if (!index || this.#prepared.has(index)) return
    this.#prepared.add(index)
    for (const row of index.threads.readAll()) {
      if (!this.#rows.has(row.rolloutPath)) this.#remember(row)
    }
  }

  /** What this process knows of a file that is still the same; undefined when it has to be read. */
  remembered(path: string, facts: FileFacts | undefined): CurrentRow | undefined {
    const row = facts && this.#rows.get(path)
    return row && isSameFile(row.file, facts) ? { facts, summary: row.summary } : undefined
  }

  /** Undefined when the file is gone, which its facts tell. Throws `RolloutError`. */
  async read(path: string, facts: FileFacts | undefined): Promise<CurrentRow | undefined> {
    if (!facts) return undefined
    const remembered = this.#rows.get(path)
    if (remembered && isSameFile(remembered.file, facts)) {
      return { facts, summary: remembered.summary }
    }
    const row = this.#index?.threads.read(path)
    if (row && isSameFile(row.file, facts)) {
      this.#remember(row)
      return { facts, summary: row.summary }
    }
    const folded = await readSummary(this.#files, path, grown(row ?? remembered, facts))
    if (!folded) throw new RolloutError('no_header', path, NO_HEADER)
    const { sizeBytes, modifiedAtMs, inode } = facts
    const fresh = { rolloutPath: path, file: { sizeBytes, modifiedAtMs, inode }, ...folded }
    this.#remember(fresh)
    this.#changed.push(fresh)
    return { facts, summary: folded.summary }
  }

  keep(): void {
    this.#index?.threads.upsert(this.#changed.splice(0))
  }

  #remember(row: ThreadRow): void {
    if (this.#rows.size >= MOST_ROWS) this.#rows.clear()
    this.#rows.set(row.rolloutPath, row)
  }
}

const NO_HEADER = 'the rollout has no readable session_meta line'

/** A log only grows: what it said once, it still says. */
function grown(row: ThreadRow | undefined, facts: FileFacts): ThreadRow | undefined {
  const isGrown = row?.file.inode === facts.inode && row.file.sizeBytes <= facts.sizeBytes
  return isGrown ? row : undefined
}
