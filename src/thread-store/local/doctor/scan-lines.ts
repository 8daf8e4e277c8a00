import { type OpenFile, visitLines } from '../../../base/index.ts'
import type { RolloutLine } from '../../../protocol/index.ts'
import { type SeenLine, seenLine } from '../../../rollout/index.ts'

interface LinePlace {
  /** 1-based. */
  readonly lineNumber: number
  readonly offset: number
  readonly isTerminated: boolean
}

/** A line of a rollout as a doctor sees it. */
export type ScannedLine = LinePlace &
  (
    | { readonly kind: 'blank' }
    | { readonly kind: 'bad'; readonly reason: string }
    | {
        readonly kind: 'good'
        readonly line: RolloutLine
        /** The line without its newline, and without the fault. */
        readonly text: string
        /** What is wrong with its bytes though it can be read; completes "this line …". */
        readonly fault: string | null
      }
  )

export type VisitScannedLine = (line: ScannedLine) => 'stop' | undefined

export interface ScanFrom {
  readonly start: number
  readonly linesBefore: number
}

export const FROM_START: ScanFrom = { start: 0, linesBefore: 0 }

/** The fault of a first line. */
export const HAS_MARK = 'begins with a byte order mark'

/** Shows the lines of a rollout until `visit` says `stop`; answers where to go on. */
export async function scanLines(
  file: OpenFile,
  from: ScanFrom,
  visit: VisitScannedLine,
): Promise<ScanFrom> {
  let lineNumber = from.linesBefore
  const start = await visitLines(file, { start: from.start }, (raw) => {
    lineNumber += 1
    return visit(scannedLine(seenLine(raw, lineNumber)))
  })
  return { start, linesBefore: lineNumber }
}

export function scannedLine(seen: SeenLine): ScannedLine {
  const { lineNumber, offset, isTerminated, text, decoded } = seen
  // Spreading a place into each would take as long as all the rest.
  if (!decoded) return { lineNumber, offset, isTerminated, kind: 'blank' }
  if (!decoded.ok) {
    const reason = badReason(text, decoded.reason)
    return { lineNumber, offset, isTerminated, kind: 'bad', reason }
  }
  const fault = faultOf(seen.isUtf8, seen.hasMark)
  return { lineNumber, offset, isTerminated, kind: 'good', line: decoded.line, text, fault }
}

function faultOf(isUtf8: boolean, hasMark: boolean): string | null {
  if (!isUtf8) return 'holds bytes that are no UTF-8'
  return hasMark ? HAS_MARK : null
}

function badReason(text: string, reason: string): string {
  const [nuls] = /^[\0\s]+/.exec(text) ?? ['']
  if (nuls.length === text.length) return `is a run of ${text.length} NUL bytes`
  return nuls.includes('\0') ? `begins with ${nuls.length} NUL bytes` : reason
}
