/** What a run of the bench says: a JSON line for each row, and a table of medians and ratios. */
import { median, type Program, type Result, RIVALS } from './measure.ts'

const NAMES: { readonly [program in Program]: string } = {
  bobbin: 'Bobbin',
  codex133: 'Codex 0.133.0',
  codex169: 'Codex 0.169.0',
  floor: 'floor',
  langgraphSqlite: 'LangGraph, SQLite',
  langgraphPostgres: 'LangGraph, PostgreSQL',
  mastra: 'Mastra, LibSQL',
  agents: 'OpenAI Agents, in memory',
}

export function jsonLine(result: Result): string {
  return `${JSON.stringify(result)}\n`
}

/** Ratios are Bobbin's median over the other's: under one, Bobbin takes less. */
export function table(results: readonly Result[]): string {
  const isOfRivals = (result: Result) => RIVALS.some((rival) => result.samples[rival])
  const parts = [
    part(
      results.filter((result) => !isOfRivals(result)),
      ['codex133', 'codex169', 'floor'],
    ),
    part(results.filter(isOfRivals), RIVALS),
  ]
  const failures = results.flatMap((result) =>
    Object.entries(result.failures).map(([program, why]) => `${program}, ${result.name}: ${why}`),
  )
  return `${[...parts.filter((text) => text !== ''), ...failures].join('\n\n')}\n`
}

function part(results: readonly Result[], others: readonly Program[]): string {
  if (results.length === 0) return ''
  const head = ['median', 'Bobbin', ...others.map((other) => NAMES[other])]
  const lines = results.map((result) => [
    `${result.name}, ${result.unit}`,
    cell(result, 'bobbin'),
    ...others.map((other) => `${cell(result, other)} ${ratio(result, other)}`.trim()),
  ])
  const all = [head, head.map(() => '---'), ...lines]
  return all.map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

function cell({ samples, failures }: Result, program: Program): string {
  const values = samples[program]
  if (values) return shown(median(values))
  return failures[program] === undefined ? '' : 'failed'
}

function ratio({ samples }: Result, other: Program): string {
  const [own, others] = [samples.bobbin, samples[other]]
  const share = own && others ? median(own) / median(others) : Number.NaN
  return Number.isFinite(share) ? `(${shareText(share)})` : ''
}

/** Two digits that count. */
function shareText(share: number): string {
  return share >= 10 ? share.toFixed(0) : share.toPrecision(2)
}

function shown(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(2)
}
