import type { Clock } from '../base/index.ts'
import { type ObservedFacts, SummaryFold, type ThreadSummary } from '../history/index.ts'
import type { RolloutItem } from '../protocol/index.ts'

/** A thread that only goes on is told as changed no more often. Source: upstream's interval. */
const TOUCH_INTERVAL_MS = 5000

type PersonsChoice = Pick<ThreadSummary, 'git' | 'memoryMode' | 'goal' | 'preview'>

/**
 * Turns what is appended to a live thread into facts for the store, which need not look into
 * items. What could not be told stays pending, and is told with what comes next.
 */
export class ThreadMetadataSync {
  readonly #clock: Pick<Clock, 'nowMs'>
  #fold: SummaryFold
  /** What the store knows. */
  #told: ThreadSummary | undefined
  #touchedAtMs = Number.NEGATIVE_INFINITY
  #hasNews = false

  /** `known`: what the store tells of a stored thread; `summary`: what its log says, if other. */
  constructor(clock: Pick<Clock, 'nowMs'>, known?: ThreadSummary, summary = known) {
    this.#clock = clock
    this.#fold = new SummaryFold(summary)
    this.#told = known
  }

  observe(items: readonly RolloutItem[]): void {
    for (const item of items) this.#fold.apply(item)
    this.#hasNews = true
  }

  /** The store knows this of a person: nothing that is pending may undo it. */
  accept({ git, memoryMode, goal, preview }: PersonsChoice): void {
    const facts = { git, memoryMode, ...(goal === undefined ? {} : { goal }) }
    const merged = (known: ThreadSummary) => {
      // A goal is what a thread without words shows.
      return { ...known, ...facts, preview: known.preview || preview }
    }
    const summary = this.#fold.finish()
    if (summary) this.#fold = new SummaryFold(merged(summary))
    if (this.#told) this.#told = merged(this.#told)
  }

  /** Tells the store what is pending. Throws what it throws; nothing is forgotten then. */
  async tell(record: (facts: ObservedFacts) => Promise<void>): Promise<void> {
    const summary = this.#fold.finish()
    if (!summary || !this.#hasNews) return
    const changed = difference(summary, this.#told)
    const nowMs = this.#clock.nowMs()
    const isDue = nowMs - this.#touchedAtMs >= TOUCH_INTERVAL_MS
    if (Object.keys(changed).length === 0 && !isDue) return
    this.#hasNews = false
    try {
      await record({ ...changed, updatedAtMs: nowMs })
    } catch (error) {
      this.#hasNews = true
      throw error
    }
    this.#told = summary
    this.#touchedAtMs = nowMs
  }
}

function difference(now: ThreadSummary, before: ThreadSummary | undefined): ObservedFacts {
  const { threadId: _id, loggedName: _name, ...facts } = now
  const changed = Object.entries(facts).filter(([field, value]) => {
    const known = before?.[field as keyof ThreadSummary]
    return value !== known && JSON.stringify(value) !== JSON.stringify(known)
  })
  return Object.fromEntries(changed)
}
