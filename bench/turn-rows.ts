/** What a turn costs beside the model, as rows. */
import type { Result, Section } from './measure.ts'
import { measureTurns, type TurnCosts } from './turn-overhead.ts'

const WARM_UP_TURNS = 10

export function turnSection(turns: number): Section {
  const rows: { name: string; unit: string; of: (costs: TurnCosts) => readonly number[] }[] = [
    { name: 'turn: request to last event', unit: 'ms', of: (costs) => costs.wallMs },
    { name: 'turn: call to last event', unit: 'ms', of: (costs) => costs.callMs },
    { name: 'turn: CPU, mean', unit: 'ms', of: (costs) => [costs.cpuMsPerTurn] },
  ]
  return {
    rowNames: rows.map((row) => row.name),
    async *measure(isWanted) {
      const wanted = rows.filter((row) => isWanted(row.name))
      if (wanted.length === 0) return
      const { bobbin, codex } = await measureTurns(turns, WARM_UP_TURNS)
      for (const { name, unit, of } of wanted) {
        const samples = { bobbin: of(bobbin), codex133: of(codex) }
        yield { name, unit, samples, failures: {} } satisfies Result
      }
    },
  }
}
