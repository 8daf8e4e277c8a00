import type { FileSystem } from '../base/index.ts'
import {
  type KnownOutline,
  OutlineFold,
  SummaryFold,
  type ThreadSummary,
  type TurnText,
} from '../history/index.ts'
import {
  type DamagedLine,
  lineEndOr0,
  type RolloutEntry,
  visitRollout,
  withRollout,
} from './rollout-reader.ts'

/** What was found in a rollout so far. */
export interface KnownRollout {
  readonly summary: ThreadSummary
  readonly outline: KnownOutline
  /** Bytes and lines that all this was folded from: whole lines. */
  readonly foldedBytes: number
  readonly foldedLines: number
  /** The first of them. */
  readonly damage: readonly DamagedLine[]
  readonly damagedLines: number
}

export interface OutlinedRollout extends Omit<KnownRollout, 'outline'> {
  readonly fold: OutlineFold
  /** Words of the lines that were read. */
  readonly texts: readonly TurnText[]
  /** Nothing was known, or nothing of it could be used. */
  readonly isFromStart: boolean
  /** An entry without its end behind all this, which is not in it: more may come to it. */
  readonly openTail: RolloutEntry | undefined
  /** What is wrong behind the whole lines. */
  readonly tailDamage: readonly DamagedLine[]
}

const MOST_DAMAGE = 100

/**
 * Folds a rollout, or what came to it since `known`, into where its turns are and what they say;
 * undefined without a header. Reads the whole file when the new lines reach back too far.
 */
export async function outlineRollout(
  files: FileSystem,
  path: string,
  known?: KnownRollout,
): Promise<OutlinedRollout | undefined> {
  const outlined = await outlineFrom(files, path, known)
  return outlined?.fold.isIncomplete ? outlineFrom(files, path) : outlined
}

async function outlineFrom(
  files: FileSystem,
  path: string,
  given?: KnownRollout,
): Promise<OutlinedRollout | undefined> {
  return withRollout(files, path, async (rollout) => {
    const start = await lineEndOr0(rollout, given?.foldedBytes)
    const known = start > 0 ? given : undefined
    const summaryFold = new SummaryFold(known?.summary)
    const fold = new OutlineFold(known?.outline)
    const damage: DamagedLine[] = []
    let openTail: RolloutEntry | undefined
    // Nothing is ever appended to one that is compressed.
    const isFinal = path.endsWith('.zst')
    const from = { start, linesBefore: known?.foldedLines ?? 0 }
    const extent = await visitRollout(rollout, from, {
      entry: (entry, isTerminated) => {
        if (!isTerminated && !isFinal) {
          openTail = entry
          return
        }
        summaryFold.apply(entry.item)
        fold.apply(entry.item, entry.start, entry.end)
      },
      damage: (line) => damage.push(line),
    })
    const summary = summaryFold.finish()
    if (!summary) return undefined
    const isWhole = (line: DamagedLine) => isFinal || line.offset < extent.bytes
    const whole = damage.filter(isWhole)
    return {
      summary,
      fold,
      texts: fold.takeTexts(),
      foldedBytes: extent.bytes,
      foldedLines: extent.lines,
      damage: [...(known?.damage ?? []), ...whole].slice(0, MOST_DAMAGE),
      damagedLines: (known?.damagedLines ?? 0) + whole.length,
      isFromStart: known === undefined,
      openTail,
      tailDamage: damage.filter((line) => !isWhole(line)),
    }
  })
}
