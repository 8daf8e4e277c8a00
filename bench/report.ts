/** What a run of the bench says: a JSON line for each row, and a table of medians and ratios. */
import { median, type Program, type Result } from './measure.ts'

export function jsonLine(result: Result): string {
  return `${JSON.stringify(result)}\n`
}

/** Ratios are Bobbin's median over the other's: under one, Bobbin takes less. */
export function table(results: readonly Result[]): string {
  const head = ['median of samples', 'Bobbin', 'Codex 0.133.0', 'ratio', 'Codex 0.169.0', 'ratio']
  const lines = [[...head, 'floor', 'ratio'], Array.from({ length: 8 }, () => '---')]
  for (const result of results) {
    const cells = [`${result.name}, ${result.unit}`, cell(result, 'bobbin')]
    for (const other of ['codex133', 'codex169', 'floor'] as const) {
      cells.push(cell(result, other), ratio(result, other))
    }
    lines.push(cells)
  }
  const rows = lines.map((cells) => `| ${cells.join(' | ')} |`)
  const failures = results.flatMap((result) =>
    Object.entries(result.failures).map(([program, why]) => `${program}, ${result.name}: ${why}`),
  )
  return `${[...rows, ...failures].join('\n')}\n`
}

function cell({ samples, failures }: Result, program: Program): string {
  const values = samples[program]
  if (values) return shown(median(values))
  return failures[program] === undefined ? '' : 'failed'
}

function ratio({ samples }: Result, other: Program): string {
  const [own, others] = [samples.bobbin, samples[other]]
  const share = own && others ? median(own) / median(others) : Number.NaN
  return Number.isFinite(share) ? share.toFixed(3) : ''
}

function shown(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(2)
}
