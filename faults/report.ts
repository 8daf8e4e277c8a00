/** What a run of the suite says. */
import type { Trouble, Verdict } from './suite.ts'

const HEAD = ['class', 'goals', 'tried', 'survived', 'lost', 'failed', 'checked', 's']

/** One row a class, and the sum of them. */
export function table(verdicts: readonly Verdict[]): string {
  const rows = [...verdicts, totalOf(verdicts)].map((each) => [
    each.name,
    each.goals,
    ...[each.tried, each.survived, each.lost, each.failed, each.checked].map(String),
    (each.ms / 1000).toFixed(1),
  ])
  const rule = HEAD.map((_, at) => (at < 2 ? '---' : '---:'))
  return [HEAD, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |\n`).join('')
}

export function totalOf(verdicts: readonly Verdict[]): Verdict {
  const sum = (of: (verdict: Verdict) => number) =>
    verdicts.reduce((before, verdict) => before + of(verdict), 0)
  return {
    name: 'total',
    goals: '',
    tried: sum(({ tried }) => tried),
    survived: sum(({ survived }) => survived),
    lost: sum(({ lost }) => lost),
    failed: sum(({ failed }) => failed),
    checked: sum(({ checked }) => checked),
    ms: sum(({ ms }) => ms),
    troubles: verdicts.flatMap(({ troubles }) => troubles),
  }
}

/** What went wrong, and how to see it again. */
export function troubleText({ kind, name, step, fault, message }: Trouble, seed: number): string {
  const replay = `npm run faults -- --seed ${seed} --only '${name}' --step ${step}`
  return `${kind}: ${name}, step ${step}, ${fault}: ${message}\n  again: ${replay}\n`
}
