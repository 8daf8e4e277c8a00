/** `npm run bench [-- --quick]`: Bobbin and real Codex side by side, as a table and ratios. */
import { measureTurns } from './turn-overhead.ts'

const isQuick = process.argv.includes('--quick')
const turns = isQuick ? 40 : 200

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

function row(name: string, bobbin: number, codex: number): string {
  const cells = [bobbin.toFixed(2), codex.toFixed(2), (bobbin / codex).toFixed(3)]
  return `| ${name} | ${cells.join(' | ')} |`
}

const { bobbin, codex } = await measureTurns(turns, 10)
const lines = [
  `| one turn, ${turns} interleaved | Bobbin | Codex 0.133.0 | ratio |`,
  '|---|---|---|---|',
  row('request to last event, median ms', median(bobbin.wallMs), median(codex.wallMs)),
  row('call to last event, median ms', median(bobbin.callMs), median(codex.callMs)),
  row('CPU a turn, ms', bobbin.cpuMsPerTurn, codex.cpuMsPerTurn),
]
process.stdout.write(`${lines.join('\n')}\n`)
