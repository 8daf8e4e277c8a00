/**
 * Several processes on one home, each doing a random mix of everything that a store can, killed -9
 * at random moments and started again: nothing that a call had kept is lost, no session is mixed
 * with another's, every refusal says why. The seed is printed; `BOBBIN_KILLS` and `BOBBIN_SEED`
 * choose how often and what.
 */
import { describe, it } from 'node:test'
import { CodexHome } from '../support/codex-home.ts'
import { assertShared, playOn, Told } from './seats.ts'

const KILLS = Number(process.env.BOBBIN_KILLS ?? 6)
const SEED = Number(process.env.BOBBIN_SEED ?? Math.floor(Math.random() * 2 ** 31))

describe('processes that do everything to a handful of threads, and are killed', () => {
  for (const processes of [2, 5]) {
    it(`lose and mix nothing, ${processes} of them`, async (t) => {
      t.diagnostic(`${KILLS} kills, BOBBIN_SEED=${SEED}`)
      await using home = await CodexHome.create()
      const told = new Told()
      await playOn(home, told, { processes, kills: KILLS, seed: SEED })
      t.diagnostic([...told.counts].map(([key, count]) => `${key} ${count}`).join(', '))
      await assertShared(home, told, KILLS)
    })
  }
})
