import { errorText, type FileSystem } from '../../../base/index.ts'
import { RolloutError, type RolloutFile } from '../../../rollout/index.ts'
import { type Finding, finding } from './finding.ts'
import { IndexInspection, type IndexVerdict } from './inspect-index.ts'
import { inspectRollout, type RolloutReport } from './inspect-rollout.ts'
import { seenWriter } from './inspect-writers.ts'
import { openUnchecked } from './open-index.ts'
import { ReadProgress } from './read-progress.ts'
import { rolloutFindings } from './rollout-findings.ts'

/** Files of threads that are inspected together. Plain data: another thread may do it. */
export interface FilesPart {
  readonly home: string
  readonly rollouts: readonly RolloutFile[]
  /** An index of another version is left alone. */
  readonly indexVersion: number | undefined
}

export interface InspectFiles {
  readonly files: FileSystem
  /** Hears how many bytes of the part were read. */
  readonly onBytes?: (doneBytes: number) => void
  /** Ends the inspection between two files. */
  readonly signal?: AbortSignal
}

/** What is kept of a file once it was looked at. Plain data. */
export interface Looked {
  readonly found: readonly Finding[]
  /** Undefined when it could not be read. */
  readonly read?: Pick<RolloutReport, 'items' | 'blankLines'> & { readonly sizeBytes: number }
  /** Undefined where there is no index. */
  readonly index?: IndexVerdict
}

/** While one file is waited for, another one is worked on. */
const FILES_AT_ONCE = 3

/**
 * Examines files, each with what the index says of it, in their order. Whether the index can be
 * trusted to be read is for others to find out. Changes nothing.
 */
export async function inspectFiles(part: FilesPart, params: InspectFiles): Promise<Looked[]> {
  const { home, rollouts, indexVersion } = part
  const looks: Looked[] = []
  using reader = openUnchecked(home, indexVersion)
  const index = reader && new IndexInspection(params.files, home, reader)
  const progress = new ReadProgress(params, rollouts)
  const waiting = rollouts.entries()
  const inspectSome = async () => {
    for (const [at, file] of waiting) {
      params.signal?.throwIfAborted()
      looks[at] = await lookAt(params.files, home, file, { index, progress })
      progress.finish(file)
    }
  }
  const ends = await Promise.allSettled(Array.from({ length: FILES_AT_ONCE }, inspectSome))
  for (const end of ends) if (end.status === 'rejected') throw end.reason
  return looks
}

const MOST_LOOKS = 3

interface Beside {
  readonly index: IndexInspection | undefined
  readonly progress: ReadProgress
}

/** Again when the file was written to meanwhile: half a line is then no torn one. */
async function lookAt(
  files: FileSystem,
  home: string,
  file: RolloutFile,
  { index, progress }: Beside,
): Promise<Looked> {
  try {
    for (let look = 1; ; look += 1) {
      const before = await files.facts(file.path)
      // Archived or deleted since the folder was read.
      if (!before) return { found: [] }
      using indexed = index?.open(file.path, before, file.isCompressed)
      const report = await inspectRollout(files, file, progress.along(file, indexed))
      const after = await files.facts(file.path)
      const isQuiet =
        before.sizeBytes === after?.sizeBytes && before.modifiedAtMs === after.modifiedAtMs
      if (!isQuiet && look < MOST_LOOKS) continue
      const isBeingWritten =
        report.tail !== 'whole' && (!isQuiet || seenWriter(home, file.threadId) !== undefined)
      const { items, blankLines } = report
      return {
        read: { items, blankLines, sizeBytes: after?.sizeBytes ?? 0 },
        found: rolloutFindings(file, report, isBeingWritten),
        ...(indexed ? { index: await indexed.verdict(isQuiet) } : {}),
      }
    }
  } catch (error) {
    if (!(error instanceof RolloutError)) throw error
    const remedy = 'mend its permissions, or restore it from a backup'
    const what = `cannot be read: ${errorText(error.cause ?? error)}`
    const told = { severity: 'fail', section: 'threads', code: 'unreadable_file' } as const
    return { found: [finding({ ...told, what, path: file.path, remedy })] }
  }
}
