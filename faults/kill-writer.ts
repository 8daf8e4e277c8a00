/** kill -9 of a process that does nothing but append: most kills come in the middle of a write. */
import fc from 'fast-check'
import { anyKill, killWriter } from '../test/fault/killed-writer.ts'
import { TempFolder } from '../test/support/temp-folder.ts'
import type { FaultClass } from './suite.ts'

const KILLS_OF_A_FILE = 3

export const killInWrite: FaultClass = {
  name: 'kill: into a write',
  goals: 'G1',
  steps: { short: 2, long: 350 },
  async run(trial) {
    await using folder = await TempFolder.create()
    const seed = trial.random(2 ** 31)
    const kills = fc.sample(anyKill, { numRuns: KILLS_OF_A_FILE, seed })
    const path = folder.at('a', 'b', 'c', 'rollout')
    // All of a file's kills are one chain: each goes on behind the one before.
    await trial.faults(KILLS_OF_A_FILE, `kills ${JSON.stringify(kills)}`, async (checks) => {
      checks.add(await killWriter(path, kills))
    })
  },
}
