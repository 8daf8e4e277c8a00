import type { Clock, FileSystem } from '../../../base/index.ts'
import type { RolloutFile } from '../../../rollout/index.ts'
import { counted, type Finding, finding } from './finding.ts'
import { type FilesPart, inspectFiles, type Looked } from './inspect-files.ts'
import { indexFindings } from './inspect-index.ts'
import { inspectMachine } from './inspect-machine.ts'
import { inspectModes } from './inspect-modes.ts'
import { inspectNames } from './inspect-names.ts'
import { inspectPlaces } from './inspect-places.ts'
import { inspectWriters } from './inspect-writers.ts'
import { openIndex, probeIndex } from './open-index.ts'
import { walkHome } from './walk-home.ts'

export interface InspectHome {
  readonly home: string
  readonly files: FileSystem
  readonly clock: Clock
  /** `$PATH`. */
  readonly searchPath: string
  readonly onProgress?: (progress: InspectProgress) => void
  /** Ends the inspection between two files. */
  readonly signal?: AbortSignal
  /** Who takes a part of the files, where there are many; without them it is done here. */
  readonly helpers?: DoctorHelpers
}

/** Other threads, or other processes. */
export interface DoctorHelpers {
  /** How many parts are worth handing out. */
  readonly count: number
  /** As `inspectFiles`; a part that fails is inspected here. */
  inspect(part: FilesPart, onBytes: (doneBytes: number) => void): Promise<Looked[]>
}

/** Bytes of the files of threads, as they lie there. */
export interface InspectProgress {
  readonly doneBytes: number
  readonly totalBytes: number
}

/** What a home holds, and what is wrong with it. */
export interface HomeReport {
  readonly findings: readonly Finding[]
  readonly threadFiles: number
  readonly archivedFiles: number
  /** Lines that could be read in them. */
  readonly items: number
  readonly sizeBytes: number
}

/** Examines a whole home. Changes nothing; memory grows with the number of files only. */
export async function inspectHome(params: InspectHome): Promise<HomeReport> {
  const { home, files, clock } = params
  const walk = await walkHome(files, home)
  const own = probeIndex(clock.nowMs())
  const machine = await inspectMachine(home, own, params.searchPath)
  // The helpers read files while the index is checked here.
  const shares = shareOut(params, walk.rollouts, own?.version)
  const { index, found } = await openIndex(files, home, own)
  using _ = index
  const looks = await shares.looks()
  const present = new Set(walk.rollouts.map(({ path }) => path))
  const findings = [
    ...machine,
    ...(await inspectModes(files, home, walk)),
    ...threadFindings(looks),
    ...(await inspectPlaces(files, home, walk, clock.nowMs())),
    ...(await inspectNames(files, home, new Set(walk.rollouts.map((each) => each.threadId)))),
    ...(await inspectWriters(files, home)),
    ...found,
    ...(index ? indexFindings(home, index, { looks, present }) : []),
  ]
  const archivedFiles = walk.rollouts.filter(({ isArchived }) => isArchived).length
  const threadFiles = walk.rollouts.length
  const read = looks.flatMap((looked) => looked.read ?? [])
  const items = read.reduce((sum, each) => sum + each.items, 0)
  const sizeBytes = read.reduce((sum, each) => sum + each.sizeBytes, 0)
  return { findings, threadFiles, archivedFiles, items, sizeBytes }
}

/** Below this it takes longer to get help. */
const WORTH_SHARING_BYTES = 32 * 1024 * 1024

interface Shares {
  /** What was seen of all files, in their order. */
  looks(): Promise<Looked[]>
}

/** Hands parts of the files out at once; the rest is inspected here, by whoever asks for it. */
function shareOut(
  params: InspectHome,
  rollouts: readonly RolloutFile[],
  indexVersion: number | undefined,
): Shares {
  const { home, files, helpers, signal, onProgress } = params
  const sizes = rollouts.map(({ path }) => files.factsNow(path)?.sizeBytes ?? 0)
  const totalBytes = sizes.reduce((sum, sizeBytes) => sum + sizeBytes, 0)
  const doneBytes: number[] = []
  const tell = (share: number) => (bytes: number) => {
    doneBytes[share] = bytes
    onProgress?.({ doneBytes: doneBytes.reduce((sum, each) => sum + each, 0), totalBytes })
  }
  const isWorthIt = helpers !== undefined && totalBytes >= WORTH_SHARING_BYTES
  const [own = [], ...others] = evenShares(sizes, isWorthIt ? helpers.count + 1 : 1)
  const partOf = (share: readonly number[]): FilesPart => {
    return { home, indexVersion, rollouts: share.flatMap((at) => rollouts[at] ?? []) }
  }
  const here = (share: readonly number[], number: number) =>
    inspectFiles(partOf(share), { files, onBytes: tell(number), ...(signal ? { signal } : {}) })
  const helped = others.map((share, index) => {
    return helpers?.inspect(partOf(share), tell(index + 1)).catch(() => undefined)
  })
  return {
    looks: async () => {
      const seen = await Promise.all([here(own, 0), ...helped])
      for (const [index, share] of others.entries())
        seen[index + 1] ??= await here(share, index + 1)
      const looks: Looked[] = []
      for (const [number, share] of [own, ...others].entries()) {
        for (const [index, at] of share.entries()) looks[at] = seen[number]?.[index] ?? NOTHING
      }
      return looks
    },
  }
}

const NOTHING: Looked = { found: [] }

/** Places in the list, dealt out so that each share is about as large; no share is empty. */
function evenShares(sizes: readonly number[], count: number): number[][] {
  const shares = Array.from({ length: count }, () => ({ places: [] as number[], sizeBytes: 0 }))
  const largestFirst = [...sizes.entries()].sort(([, a], [, b]) => b - a)
  for (const [at, sizeBytes] of largestFirst) {
    const share = shares.reduce((least, each) => (each.sizeBytes < least.sizeBytes ? each : least))
    share.places.push(at)
    // A file without content takes its time, too.
    share.sizeBytes += sizeBytes + 1
  }
  return shares.flatMap(({ places }) => (places.length > 0 ? [places] : []))
}

function threadFindings(looks: readonly Looked[]): Finding[] {
  const findings = looks.flatMap(({ found }) => found)
  const items = looks.reduce((sum, { read }) => sum + (read?.items ?? 0), 0)
  const blankLines = looks.reduce((sum, { read }) => sum + (read?.blankLines ?? 0), 0)
  const what = `${counted(looks.length, 'file')} of threads with ${counted(items, 'line')}`
  const told = { severity: 'ok', section: 'threads' } as const
  findings.unshift(finding({ ...told, code: 'threads', what, count: looks.length }))
  if (blankLines > 0) {
    const what = `${counted(blankLines, 'blank line')}, which every reader passes over`
    findings.push(finding({ ...told, code: 'blank_lines', what, count: blankLines }))
  }
  return findings
}
