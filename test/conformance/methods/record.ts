/**
 * Which methods a run has sent to both servers and compared, noted as it does so. Each process of
 * the run appends to a file of its own in a folder that `run.ts` names and then reads; outside of
 * such a run nothing is noted.
 */
import { appendFileSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'

const FOLDER_VARIABLE = 'BOBBIN_COMPARED_METHODS'
const SUITE = join(import.meta.dirname, '..')

/** One comparison that has passed. */
export interface Compared {
  readonly method: string
  /** False: both refused, alike. */
  readonly isAnswered: boolean
  /** Names of the differences that were passed over. */
  readonly differences: readonly string[]
}

/** What the comparisons of one method in one test file add up to. */
export interface MethodRecord {
  /** Whether an answer was compared, and not refusals alone. */
  readonly isAnswered: boolean
  /** Sorted. */
  readonly differences: readonly string[]
}

/** By test file, then by method; both sorted. */
export type Records = { readonly [file: string]: { readonly [method: string]: MethodRecord } }

export function recordInto(folder: string): { readonly [name: string]: string } {
  return { [FOLDER_VARIABLE]: folder }
}

/** Call it behind the assertion: what was not the same has not been compared. */
export function noteCompared(compared: Iterable<Compared>): void {
  const folder = process.env[FOLDER_VARIABLE]
  if (folder === undefined) return
  const file = relative(SUITE, process.argv[1] ?? '').replaceAll(sep, '/')
  const lines = [...compared].map((each) => `${JSON.stringify({ file, ...each })}\n`)
  appendFileSync(join(folder, `${process.pid}.jsonl`), lines.join(''))
}

export function readRecords(folder: string): Records {
  const lines = readdirSync(folder).flatMap((name) => {
    return readFileSync(join(folder, name), 'utf8').split('\n').slice(0, -1)
  })
  const noted = lines.map((line) => JSON.parse(line) as Compared & { readonly file: string })
  const files = sorted(noted.map(({ file }) => file))
  return Object.fromEntries(
    files.map((file) => [file, methodsOf(noted.filter((each) => each.file === file))]),
  )
}

function methodsOf(noted: readonly Compared[]): Records[string] {
  const methods = sorted(noted.map(({ method }) => method))
  return Object.fromEntries(
    methods.map((method) => {
      const own = noted.filter((each) => each.method === method)
      const isAnswered = own.some((each) => each.isAnswered)
      return [method, { isAnswered, differences: sorted(own.flatMap((each) => each.differences)) }]
    }),
  )
}

function sorted(words: readonly string[]): string[] {
  return [...new Set(words)].sort()
}
