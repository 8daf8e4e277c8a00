/** How rows of the bench are measured: the programs take turns, sample by sample. */
import { errorText } from '../src/base/index.ts'

/** Stores that people would otherwise pick. */
export const RIVALS = ['langgraphSqlite', 'langgraphPostgres', 'mastra', 'agents'] as const

/** `floor` is what the machine itself takes for the same bytes. */
export const PROGRAMS = ['bobbin', 'codex133', 'codex169', 'floor', ...RIVALS] as const
export type Program = (typeof PROGRAMS)[number]

export interface Result {
  readonly name: string
  readonly unit: string
  readonly samples: { readonly [program in Program]?: readonly number[] }
  /** Why a program has no samples, or fewer. */
  readonly failures: { readonly [program in Program]?: string }
}

/** One line of the table. `Sides` is what the samples are taken from. */
export interface Row<Sides> {
  readonly name: string
  readonly unit: string
  readonly count: number
  /** Samples taken first and thrown away. */
  readonly warmUp?: number
  readonly take: { readonly [program in Program]?: (sides: Sides) => Promise<number> }
}

/** Rows that need the same preparation. */
export interface Section {
  readonly rowNames: readonly string[]
  /** Results of the wanted rows, in order. */
  measure(isWanted: (name: string) => boolean): AsyncIterable<Result>
}

/** The sides are opened once some row is wanted, and disposed at the end. */
export function interleavedSection<Sides extends AsyncDisposable>(
  open: () => Promise<Sides>,
  rows: readonly Row<Sides>[],
): Section {
  return {
    rowNames: rows.map((row) => row.name),
    async *measure(isWanted) {
      const wanted = rows.filter((row) => isWanted(row.name))
      if (wanted.length === 0) return
      await using sides = await open()
      for (const row of wanted) yield await measureRow(row, sides)
    },
  }
}

/** What a program may use for the samples of a row once it has given the fewest. */
const BUDGET_MS = 15_000
const FEWEST_SAMPLES = 3

/** One program's part in a row. */
class Entrant {
  readonly samples: number[] = []
  failure: string | undefined
  readonly #take: () => Promise<number>
  #spentMs = 0

  constructor(take: () => Promise<number>) {
    this.#take = take
  }

  /** After a failure, or with its time used up, it stands aside. */
  async takeSample(isCounted: boolean): Promise<void> {
    if (this.failure !== undefined) return
    if (this.#spentMs > BUDGET_MS && this.samples.length >= FEWEST_SAMPLES) return
    const fromMs = performance.now()
    try {
      const sample = await this.#take()
      if (isCounted) this.samples.push(sample)
    } catch (error) {
      this.failure = errorText(error)
    }
    this.#spentMs += performance.now() - fromMs
  }
}

async function measureRow<Sides>(row: Row<Sides>, sides: Sides): Promise<Result> {
  const entrants = new Map<Program, Entrant>()
  for (const program of PROGRAMS) {
    const take = row.take[program]
    if (take) entrants.set(program, new Entrant(() => take(sides)))
  }
  for (let count = -(row.warmUp ?? 0); count < row.count; count += 1) {
    for (const entrant of entrants.values()) await entrant.takeSample(count >= 0)
  }
  const samples: { [program in Program]?: readonly number[] } = {}
  const failures: { [program in Program]?: string } = {}
  for (const [program, entrant] of entrants) {
    if (entrant.samples.length > 0) samples[program] = entrant.samples
    if (entrant.failure !== undefined) failures[program] = entrant.failure
  }
  return { name: row.name, unit: row.unit, samples, failures }
}

/** NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}
