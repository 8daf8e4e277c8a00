/**
 * kill -9 of a process that appends, at random moments: every number whose append had returned is
 * in the file, every whole line can be read, and whoever goes on glues nothing to a torn line. The
 * seed is printed; `BOBBIN_KILLS` and `BOBBIN_SEED` choose how often and which moments.
 */
import { it } from 'node:test'
import fc from 'fast-check'
import { TempFolder } from '../support/temp-folder.ts'
import { anyKill, killWriter } from './killed-writer.ts'

const KILLS = Number(process.env.BOBBIN_KILLS ?? 20)
const SEED = Number(process.env.BOBBIN_SEED ?? Math.floor(Math.random() * 2 ** 31))

it('kill -9 of a writer loses no append that had returned', async (t) => {
  t.diagnostic(`${KILLS} kills, BOBBIN_SEED=${SEED}`)
  const kills = fc.sample(anyKill, { numRuns: KILLS, seed: SEED })
  await using folder = await TempFolder.create()
  for (let at = 0; at < kills.length; at += 3) {
    await killWriter(folder.at(`${at}`, 'a', 'b', 'c', 'rollout'), kills.slice(at, at + 3))
  }
})
