/** `fail` is damage; `warn` may become a trouble; `ok` is told for information. */
export type Severity = 'ok' | 'warn' | 'fail'

export const SECTIONS = ['home', 'threads', 'names', 'writers', 'index'] as const
export type Section = (typeof SECTIONS)[number]

/** Where in a file something is. */
export interface Place {
  /** 1-based. */
  readonly lineNumber: number
  readonly offset: number
  /** Completes the sentence "this line …". */
  readonly reason: string
}

/** What `repairHome` does about a finding. */
export type Repair = 'rewrite' | 'set_index_aside' | 'close_modes' | 'move_leftover'

/** One thing that is so in a home. */
export interface Finding {
  readonly severity: Severity
  readonly section: Section
  /** Stable name of what was found. */
  readonly code: string
  /** For a person; holds nothing of what was said in a thread. */
  readonly what: string
  /** Null when it is not about one file. */
  readonly path: string | null
  /** How often; the first are in `places`, or in `paths`. */
  readonly count: number
  readonly places: readonly Place[]
  /** Other files it is about. */
  readonly paths: readonly string[]
  /** What a person can do; null when there is nothing to do. */
  readonly remedy: string | null
  /** Null when it is only reported. */
  readonly repair: Repair | null
}

/** Places and paths that a finding names; its count tells of the others. */
export const MOST_NAMED = 5

export const REPAIR_COMMAND = 'bobbin doctor --repair'

type Told = Pick<Finding, 'severity' | 'section' | 'code' | 'what'>

/** A finding of which only what matters is given. */
export function finding(told: Told & Partial<Finding>): Finding {
  const remedy = told.repair ? REPAIR_COMMAND : null
  return { path: null, count: 1, places: [], paths: [], repair: null, remedy, ...told }
}

/** `1 line`, `3 lines`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}
