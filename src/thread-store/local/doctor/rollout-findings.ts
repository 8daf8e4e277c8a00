import type { RolloutFile } from '../../../rollout/index.ts'
import { counted, type Finding, finding } from './finding.ts'
import { canBeMended, type RolloutReport, type Troubled } from './inspect-rollout.ts'
import { HAS_MARK } from './scan-lines.ts'

type Trouble = Pick<Finding, 'severity' | 'code' | 'what'> & Partial<Finding>

/** What is wrong with one rollout, that a program writes to now or not. */
export function rolloutFindings(
  file: RolloutFile,
  report: RolloutReport,
  isBeingWritten: boolean,
): Finding[] {
  const canMend = canBeMended(report, file.isCompressed)
  const remedy = remedyFor(file, report)
  return troubles(file, report, isBeingWritten).map((trouble) => {
    const isMended = canMend && trouble.severity !== 'ok' && trouble.code !== 'other_id'
    return finding({
      section: 'threads',
      path: file.path,
      ...(isMended ? { repair: 'rewrite' } : { remedy: trouble.severity === 'ok' ? null : remedy }),
      ...trouble,
    })
  })
}

function remedyFor({ isCompressed }: RolloutFile, report: RolloutReport): string {
  if (isCompressed) return 'restore the file from a backup'
  if (report.isPaginated)
    return 'open the thread with Codex 0.169 or later, which numbers its lines'
  return 'restore the file from a backup'
}

function troubles(file: RolloutFile, report: RolloutReport, isBeingWritten: boolean): Trouble[] {
  return [
    ...lineTroubles(report),
    ...tailTroubles(report, isBeingWritten),
    ...headerTroubles(file, report),
  ]
}

function lineTroubles({ bad, faulty, compression }: RolloutReport): Trouble[] {
  const found: Trouble[] = []
  if (bad.count > 0) {
    const { count, places } = bad
    const what = `${counted(count, 'line')} cannot be read`
    found.push({ severity: 'fail', code: 'unreadable_lines', what, count, places })
  }
  if (faulty.count > 0) found.push(faultyLines(faulty))
  if (compression) {
    const what = 'the compressed file is damaged; what comes before that can be read'
    found.push({ severity: 'fail', code: 'bad_compression', what, places: [compression] })
  }
  return found
}

function faultyLines({ count, places }: Troubled): Trouble {
  if (count === 1 && places[0]?.reason === HAS_MARK) {
    const what = 'begins with a byte order mark, at which Codex fails'
    return { severity: 'warn', code: 'byte_order_mark', what, count, places }
  }
  const what = `${counted(count, 'line')} with bytes that are no UTF-8, at which Codex fails`
  return { severity: 'fail', code: 'bad_utf8', what, count, places }
}

function tailTroubles({ tail, tailPlace }: RolloutReport, isBeingWritten: boolean): Trouble[] {
  if (tail === 'whole' || !tailPlace) return []
  const places = [tailPlace]
  if (isBeingWritten) {
    const what = 'the last line is being written'
    return [{ severity: 'ok', code: 'being_written', what, places }]
  }
  if (tail === 'torn') {
    return [{ severity: 'fail', code: 'torn_tail', what: 'the last line is cut off', places }]
  }
  const what = 'the last line has lost its newline; Codex 0.133 would glue the next one to it'
  return [{ severity: 'warn', code: 'unended_tail', what, places }]
}

function headerTroubles(file: RolloutFile, report: RolloutReport): Trouble[] {
  if (report.header === 'lost') {
    const what = report.items === 0 ? 'holds no line that can be read' : 'has no readable header'
    return [{ severity: 'fail', code: 'lost_header', what }]
  }
  if (report.header === 'late') {
    const what = 'the header is not the first line, so Codex 0.169 does not resume it'
    return [{ severity: 'warn', code: 'late_header', what }]
  }
  if (report.header === 'other_id') {
    const what = `the name says thread ${file.threadId}, the header ${report.otherId}`
    const remedy = 'name the file after the header, or restore it from a backup'
    return [{ severity: 'fail', code: 'other_id', what, remedy }]
  }
  return []
}
