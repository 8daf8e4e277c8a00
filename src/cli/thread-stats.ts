import { addUsage, NO_TOKENS, sourceKind, type TokenUsage } from '../protocol/index.ts'
import type { StoredThread } from '../thread-store/index.ts'

/** How many threads have something in common, and their bytes. */
export interface Share {
  readonly name: string
  readonly threads: number
  readonly sizeBytes: number
}

/** What many threads add up to. */
export interface ThreadStats {
  readonly threads: number
  readonly archived: number
  readonly sizeBytes: number
  /** Null when no thread tells any. */
  readonly tokens: TokenUsage | null
  /** Threads whose tokens are not known. */
  readonly threadsWithoutTokens: number
  readonly oldest: StoredThread | null
  /** Changed last. */
  readonly newest: StoredThread | null
  /** The largest first, at most five. */
  readonly largest: readonly StoredThread[]
  /** Most threads first. */
  readonly bySource: readonly Share[]
  readonly byProvider: readonly Share[]
  readonly byModel: readonly Share[]
  /** At most ten. */
  readonly byFolder: readonly Share[]
  readonly folders: number
  /** Months in which threads began, in UTC, oldest first. */
  readonly byMonth: readonly Share[]
}

const MOST_LARGEST = 5
const MOST_FOLDERS = 10
const UNKNOWN = '(unknown)'

/** Adds threads up one by one, so that their number does not matter. */
export class ThreadTally {
  readonly #sources = new Shares()
  readonly #providers = new Shares()
  readonly #models = new Shares()
  readonly #folders = new Shares()
  readonly #months = new Shares()
  #threads = 0
  #archived = 0
  #sizeBytes = 0
  #withTokens = 0
  #tokens = NO_TOKENS
  #oldest: StoredThread | null = null
  #newest: StoredThread | null = null
  #largest: StoredThread[] = []

  add(thread: StoredThread): void {
    const { sizeBytes, tokenUsage } = thread
    this.#threads += 1
    if (thread.isArchived) this.#archived += 1
    this.#sizeBytes += sizeBytes
    if (tokenUsage) {
      this.#withTokens += 1
      this.#tokens = addUsage(this.#tokens, tokenUsage)
    }
    this.#sources.add(sourceKind(thread.source), sizeBytes)
    this.#providers.add(thread.modelProvider ?? UNKNOWN, sizeBytes)
    this.#models.add(thread.model ?? UNKNOWN, sizeBytes)
    this.#folders.add(thread.cwd, sizeBytes)
    this.#months.add(new Date(thread.createdAtMs).toISOString().slice(0, 7), sizeBytes)
    this.#rank(thread)
  }

  #rank(thread: StoredThread): void {
    const { createdAtMs, updatedAtMs } = thread
    if (!this.#oldest || createdAtMs < this.#oldest.createdAtMs) this.#oldest = thread
    if (!this.#newest || updatedAtMs > this.#newest.updatedAtMs) this.#newest = thread
    const ranked = [...this.#largest, thread].sort((a, b) => b.sizeBytes - a.sizeBytes)
    this.#largest = ranked.slice(0, MOST_LARGEST)
  }

  get stats(): ThreadStats {
    const folders = this.#folders.byThreads
    return {
      threads: this.#threads,
      archived: this.#archived,
      sizeBytes: this.#sizeBytes,
      tokens: this.#withTokens > 0 ? this.#tokens : null,
      threadsWithoutTokens: this.#threads - this.#withTokens,
      oldest: this.#oldest,
      newest: this.#newest,
      largest: this.#largest,
      bySource: this.#sources.byThreads,
      byProvider: this.#providers.byThreads,
      byModel: this.#models.byThreads,
      byFolder: folders.slice(0, MOST_FOLDERS),
      folders: folders.length,
      byMonth: this.#months.byName,
    }
  }
}

class Shares {
  readonly #byName = new Map<string, Share>()

  add(name: string, sizeBytes: number): void {
    const before = this.#byName.get(name) ?? { name, threads: 0, sizeBytes: 0 }
    const threads = before.threads + 1
    this.#byName.set(name, { name, threads, sizeBytes: before.sizeBytes + sizeBytes })
  }

  get byName(): Share[] {
    return [...this.#byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  get byThreads(): Share[] {
    return this.byName.sort((a, b) => b.threads - a.threads || b.sizeBytes - a.sizeBytes)
  }
}
