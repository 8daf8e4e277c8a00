import { renameSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { errorCode, errorText, type FileFacts, type FileSystem } from '../../../base/index.ts'
import {
  type DamagedLine,
  type RolloutEntry,
  type RolloutExtent,
  readSummary,
  visitRollout,
  withRollout,
} from '../../../rollout/index.ts'
import { faultOf, type IndexReader, type IndexRecord } from '../../../state/index.ts'
import { INDEX_FILE } from '../home-access.ts'
import { counted, type Finding, finding, MOST_NAMED } from './finding.ts'
import type { Companion } from './inspect-rollout.ts'
import {
  type DescribedOutline,
  OutlineComparison,
  parsed,
  plain,
  WHOLE_MEMORY,
} from './outline-comparison.ts'

/** What came of comparing the index with one file. Plain data. */
export interface IndexVerdict {
  /** There is a row of a list. */
  readonly hasThread: boolean
  readonly isLie: boolean
  /** It could not be read. */
  readonly failure?: Finding
}

/** Compares the index of a home with its files, as they are read. Changes nothing. */
export class IndexInspection {
  readonly #files: FileSystem
  readonly #path: string
  readonly #index: IndexReader

  constructor(files: FileSystem, home: string, index: IndexReader) {
    this.#files = files
    this.#path = join(home, INDEX_FILE)
    this.#index = index
  }

  /** What the index says of a file as it is now, to be judged once that was read. */
  open(path: string, facts: FileFacts, isFinal: boolean): IndexedRollout {
    const about = { files: this.#files, indexPath: this.#path, path, facts }
    try {
      const thread = this.#index.thread(path)
      const row = this.#index.outline(path)
      const turns = () => this.#index.turns(row?.id ?? null)
      return new IndexedRollout({
        ...about,
        hasThread: thread !== undefined,
        thread: isOf(thread, facts) ? thread : undefined,
        outline: isOf(row, facts) ? { row, turns, isFinal } : undefined,
      })
    } catch (error) {
      const failure = indexFailure(this.#path, error)
      const nothing = { hasThread: false, thread: undefined, outline: undefined }
      return new IndexedRollout({ ...about, ...nothing, failure })
    }
  }
}

/** What all verdicts come to. `present`: paths of the files that are there. */
export function indexFindings(
  home: string,
  index: IndexReader,
  {
    looks,
    present,
  }: {
    readonly looks: readonly { readonly index?: IndexVerdict }[]
    readonly present: ReadonlySet<string>
  },
): Finding[] {
  const path = join(home, INDEX_FILE)
  const told = { section: 'index', path } as const
  const found: Finding[] = []
  const failure = looks.find((each) => each.index?.failure)?.index?.failure
  try {
    if (failure) found.push(failure)
    else {
      const gone = [...index.paths()].filter((each) => !present.has(each)).length
      const count = looks.filter((each) => each.index?.hasThread).length
      const what = `${counted(count, 'thread')} in the index`
      found.push(finding({ ...told, severity: 'ok', code: 'index', what, count }))
      if (gone > 0) {
        const what = `${counted(gone, 'row')} of files that are gone, dropped by the next list`
        found.push(finding({ ...told, severity: 'ok', code: 'gone_rows', what, count: gone }))
      }
    }
  } catch (error) {
    found.push(indexFailure(path, error))
  }
  const lies = [...present].filter((_, at) => looks[at]?.index?.isLie)
  if (lies.length > 0) {
    const what = `${counted(lies.length, 'thread')} that the index describes wrongly`
    const named = { count: lies.length, paths: lies.slice(0, MOST_NAMED) }
    const repair = 'set_index_aside'
    found.push(finding({ ...told, severity: 'fail', code: 'index_lies', what, ...named, repair }))
  }
  return found
}

interface Described {
  readonly files: FileSystem
  readonly indexPath: string
  readonly path: string
  readonly facts: FileFacts
  readonly hasThread: boolean
  /** Why nothing can be said. */
  readonly failure?: Finding
  /** The row of a list, where it is of the file as it is. */
  readonly thread: IndexRecord | undefined
  /** That of the turns, likewise. */
  readonly outline:
    | (Omit<DescribedOutline, 'turns'> & { readonly turns: () => Iterator<IndexRecord> })
    | undefined
}

/** What the index says of one file; reads along with whoever reads the file. */
export class IndexedRollout implements Companion, Disposable {
  readonly #described: Described
  readonly #comparison: OutlineComparison | undefined
  #extent: RolloutExtent | undefined

  constructor(described: Described) {
    this.#described = described
    const { outline } = described
    if (outline) this.#comparison = new OutlineComparison({ ...outline, turns: outline.turns() })
  }

  readonly entry = (entry: RolloutEntry, isTerminated: boolean): void => {
    this.#comparison?.entry(entry, isTerminated)
  }

  readonly damage = (line: DamagedLine): void => this.#comparison?.damage(line)

  readonly end = (extent: RolloutExtent): void => {
    this.#extent = extent
  }

  /** A file that was written to meanwhile (`isQuiet` is false) is not what the rows say. */
  async verdict(isQuiet: boolean): Promise<IndexVerdict> {
    const { files, indexPath, path, facts, hasThread, failure } = this.#described
    if (failure) return { hasThread, isLie: false, failure }
    try {
      if (!isQuiet || (await this.#isRight())) return { hasThread, isLie: false }
      const isSame = isDeepStrictEqual(await files.facts(path), facts)
      return { hasThread, isLie: isSame }
    } catch (error) {
      return { hasThread, isLie: false, failure: indexFailure(indexPath, error) }
    }
  }

  async #isRight(): Promise<boolean> {
    const { files, path, thread, outline } = this.#described
    if (thread && !(await isFreshThread(files, path, thread))) return false
    if (!outline || !this.#extent) return true
    const isRight = this.#comparison?.isRight(this.#extent)
    return isRight ?? (await isRightInWhole(files, path, { ...outline, turns: outline.turns() }))
  }

  [Symbol.dispose](): void {
    this.#comparison?.[Symbol.dispose]()
  }
}

async function isFreshThread(files: FileSystem, path: string, row: IndexRecord): Promise<boolean> {
  const fresh = await readSummary(files, path).catch(() => undefined)
  if (!fresh) return false
  const isSame = isDeepStrictEqual(parsed(row.summary), plain(fresh.summary))
  return isSame && row.folded_bytes === fresh.foldedBytes
}

/** Memory grows with the turns of the file. */
async function isRightInWhole(
  files: FileSystem,
  path: string,
  described: DescribedOutline,
): Promise<boolean> {
  using comparison = new OutlineComparison(described, WHOLE_MEMORY)
  const extent = await withRollout(files, path, (file) => {
    return visitRollout(file, { readsAhead: true }, comparison)
  })
  return comparison.isRight(extent) === true
}

function isOf(row: IndexRecord | undefined, facts: FileFacts): row is IndexRecord {
  return (
    row !== undefined &&
    row.size_bytes === facts.sizeBytes &&
    row.modified_at_ms === facts.modifiedAtMs &&
    row.inode === facts.inode
  )
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
