import { type Clock, errorText, type FileSystem } from '../../../base/index.ts'
import { RolloutError, type RolloutFile } from '../../../rollout/index.ts'
import { counted, type Finding, finding } from './finding.ts'
import { IndexInspection } from './inspect-index.ts'
import { inspectMachine } from './inspect-machine.ts'
import { inspectModes } from './inspect-modes.ts'
import { inspectNames } from './inspect-names.ts'
import { inspectPlaces } from './inspect-places.ts'
import { inspectRollout, type RolloutReport } from './inspect-rollout.ts'
import { inspectWriters, seenWriter } from './inspect-writers.ts'
import { openIndex, probeIndex } from './open-index.ts'
import { rolloutFindings } from './rollout-findings.ts'
import { type HomeWalk, walkHome } from './walk-home.ts'

export interface InspectHome {
  readonly home: string
  readonly files: FileSystem
  readonly clock: Clock
  /** `$PATH`. */
  readonly searchPath: string
  readonly onProgress?: (progress: InspectProgress) => void
  /** Ends the inspection between two files. */
  readonly signal?: AbortSignal
}

export interface InspectProgress {
  readonly doneFiles: number
  readonly totalFiles: number
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
  const { index, found } = await openIndex(files, home, own)
  using _ = index
  const inspection = index && new IndexInspection(files, home, index)
  const threads = await inspectThreads(params, walk, inspection)
  const present = new Set(walk.rollouts.map(({ path }) => path))
  const findings = [
    ...machine,
    ...(await inspectModes(files, home, walk)),
    ...threads.findings,
    ...(await inspectPlaces(files, home, walk, clock.nowMs())),
    ...(await inspectNames(files, home, new Set(walk.rollouts.map((each) => each.threadId)))),
    ...(await inspectWriters(files, home)),
    ...found,
    ...(inspection?.finish(present) ?? []),
  ]
  const archivedFiles = walk.rollouts.filter(({ isArchived }) => isArchived).length
  const { items, sizeBytes } = threads
  return { findings, threadFiles: walk.rollouts.length, archivedFiles, items, sizeBytes }
}

async function inspectThreads(
  { home, files, onProgress, signal }: InspectHome,
  walk: HomeWalk,
  index: IndexInspection | undefined,
): Promise<Pick<HomeReport, 'findings' | 'items' | 'sizeBytes'>> {
  const findings: Finding[] = []
  const totalFiles = walk.rollouts.length
  let [items, sizeBytes, blankLines, doneFiles] = [0, 0, 0, 0]
  for (const file of walk.rollouts) {
    signal?.throwIfAborted()
    onProgress?.({ doneFiles, totalFiles })
    const looked = await lookAt(files, home, file)
    if ('report' in looked) {
      items += looked.report.items
      blankLines += looked.report.blankLines
      sizeBytes += (await files.facts(file.path))?.sizeBytes ?? 0
    }
    findings.push(...looked.found)
    await index?.compare(file.path)
    doneFiles += 1
  }
  onProgress?.({ doneFiles, totalFiles })
  const what = `${counted(totalFiles, 'file')} of threads with ${counted(items, 'line')}`
  const told = { severity: 'ok', section: 'threads' } as const
  findings.unshift(finding({ ...told, code: 'threads', what, count: totalFiles }))
  if (blankLines > 0) {
    const what = `${counted(blankLines, 'blank line')}, which every reader passes over`
    findings.push(finding({ ...told, code: 'blank_lines', what, count: blankLines }))
  }
  return { findings, items, sizeBytes }
}

const MOST_LOOKS = 3

/** Again when the file was written to meanwhile: half a line is then no torn one. */
async function lookAt(
  files: FileSystem,
  home: string,
  file: RolloutFile,
): Promise<{ report: RolloutReport; found: Finding[] } | { found: Finding[] }> {
  try {
    for (let look = 1; ; look += 1) {
      const before = await files.facts(file.path)
      // Archived or deleted since the folder was read.
      if (!before) return { found: [] }
      const report = await inspectRollout(files, file)
      const after = await files.facts(file.path)
      const isQuiet =
        before.sizeBytes === after?.sizeBytes && before.modifiedAtMs === after.modifiedAtMs
      if (!isQuiet && look < MOST_LOOKS) continue
      const isBeingWritten =
        report.tail !== 'whole' && (!isQuiet || seenWriter(home, file.threadId) !== undefined)
      return { report, found: rolloutFindings(file, report, isBeingWritten) }
    }
  } catch (error) {
    if (!(error instanceof RolloutError)) throw error
    const remedy = 'mend its permissions, or restore it from a backup'
    const what = `cannot be read: ${errorText(error.cause ?? error)}`
    const told = { severity: 'fail', section: 'threads', code: 'unreadable_file' } as const
    return { found: [finding({ ...told, what, path: file.path, remedy })] }
  }
}
