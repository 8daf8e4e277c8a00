import { relative } from 'node:path'
import type { JsonObject } from '../../base/index.ts'
import {
  counted,
  type Finding,
  type HomeReport,
  type RepairOutcome,
  SECTIONS,
  type Severity,
} from '../../thread-store/index.ts'
import { printable, type Terminal } from './terminal.ts'
import { SCHEMA_VERSION } from './thread-json.ts'

/** What `bobbin doctor` prints. `repairs` is null when none were asked for. */
export interface DoctorOutput {
  readonly home: string
  readonly report: HomeReport
  readonly repairs: readonly RepairOutcome[] | null
}

const SEVERITIES = ['ok', 'warn', 'fail'] as const satisfies readonly Severity[]
const STYLES = { ok: 'green', warn: 'yellow', fail: 'red' } as const
const MOST_SHOWN_IN_FULL = 50

type Counts = { [severity in Severity]: number }

function countsOf(findings: readonly Finding[]): Counts {
  const counts: Counts = { ok: 0, warn: 0, fail: 0 }
  for (const { severity } of findings) counts[severity] += 1
  return counts
}

function inSection(findings: readonly Finding[], section: Finding['section']): Finding[] {
  return findings.filter((each) => each.section === section)
}

/** The whole as JSON; a summary leaves the findings out. Places are 1-based lines and bytes. */
export function doctorJson(
  { home, report, repairs }: DoctorOutput,
  isSummary: boolean,
): JsonObject {
  const { findings, threadFiles, archivedFiles, items, sizeBytes } = report
  const counts = countsOf(findings)
  const sections = SECTIONS.map((each) => [each, countsOf(inSection(findings, each))])
  return {
    schemaVersion: SCHEMA_VERSION,
    home,
    damaged: counts.fail > 0,
    counts,
    sections: Object.fromEntries(sections),
    threads: { files: threadFiles, archivedFiles, lines: items, sizeBytes },
    ...(isSummary ? {} : { findings: findings.map(findingJson) }),
    repairs: repairs?.map((each) => ({ ...each })) ?? null,
  }
}

function findingJson(each: Finding): JsonObject {
  return {
    severity: each.severity,
    section: each.section,
    code: each.code,
    what: each.what,
    path: each.path,
    count: each.count,
    places: each.places.map((place) => ({ ...place })),
    paths: [...each.paths],
    remedy: each.remedy,
    repairable: each.repair !== null,
  }
}

/** The whole for a person, section by section; a summary has a line for each. */
export function printDoctor(out: Terminal, doctor: DoctorOutput, isSummary: boolean): void {
  const { home, report, repairs } = doctor
  out.line(out.style('bold', printable(home)))
  for (const section of SECTIONS) {
    const findings = inSection(report.findings, section)
    if (isSummary) printSummary(out, section, countsOf(findings))
    else printSection(out, home, section, findings)
  }
  if (repairs) printRepairs(out, home, repairs)
  out.line()
  out.line(verdict(out, countsOf(report.findings)))
}

function printSummary(out: Terminal, section: string, counts: Counts): void {
  const worst = SEVERITIES.findLast((each) => counts[each] > 0) ?? 'ok'
  const told = SEVERITIES.map((each) => `${counts[each]} ${each}`).join(', ')
  out.line(`${out.style(STYLES[worst], worst.padEnd(4))}  ${section.padEnd(8)} ${told}`)
}

function printSection(
  out: Terminal,
  home: string,
  section: string,
  findings: readonly Finding[],
): void {
  out.line()
  out.line(section)
  for (const each of findings.slice(0, MOST_SHOWN_IN_FULL)) printFinding(out, home, each)
  const left = findings.length - MOST_SHOWN_IN_FULL
  if (left > 0) out.line(`  … ${counted(left, 'more finding')} (--json has all)`)
}

function printFinding(out: Terminal, home: string, each: Finding): void {
  const { severity, what, path, count, places, paths, remedy } = each
  const where = path !== null && path !== home ? `  ${below(home, path)}` : ''
  out.line(`  ${out.style(STYLES[severity], severity.padEnd(4))}  ${printable(what)}${where}`)
  const others = paths.filter((other) => other !== path)
  const lines = [
    ...places.map((at) => `line ${at.lineNumber}, byte ${at.offset} ${at.reason}`),
    ...others.map((other) => below(home, other)),
  ]
  for (const line of lines) out.line(out.style('dim', `          ${printable(line)}`))
  const named = Math.max(places.length, paths.length)
  if (lines.length > 0 && count > named) out.line(`          … and ${count - named} more`)
  if (remedy !== null) out.line(`          → ${printable(remedy)}`)
}

function below(home: string, path: string): string {
  const short = relative(home, path)
  return printable(short === '' || short.startsWith('..') ? path : short)
}

function printRepairs(out: Terminal, home: string, repairs: readonly RepairOutcome[]): void {
  out.line()
  out.line('repairs')
  if (repairs.length === 0) out.line('  nothing to mend')
  for (const { status, path, told, backup } of repairs) {
    const style = status === 'done' ? 'green' : status === 'skipped' ? 'yellow' : 'red'
    out.line(`  ${out.style(style, status.padEnd(7))}  ${below(home, path)}: ${printable(told)}`)
    if (backup !== null) out.line(out.style('dim', `           before: ${below(home, backup)}`))
  }
}

function verdict(out: Terminal, { warn, fail }: Counts): string {
  if (fail > 0) return out.style('red', `${counted(fail, 'damage')}, ${counted(warn, 'warning')}`)
  return warn > 0
    ? out.style('yellow', counted(warn, 'warning'))
    : out.style('green', 'all is well')
}
