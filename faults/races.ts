/** Processes that share a home: stores that do everything, and servers that want one thread. */
import assert from 'node:assert/strict'
import { errorText, stringAt } from '../src/base/index.ts'
import { assertShared, playOn, Told as ToldByStores } from '../test/fault/seats.ts'
import { CodexHome } from '../test/support/codex-home.ts'
import { FREE, Incarnations } from './incarnations.ts'
import { wholeTurns } from './model.ts'
import type { FaultClass } from './suite.ts'
import { Told } from './told.ts'

const KILLS = 6

export const racingStores: FaultClass = {
  name: 'race: processes killed on one home',
  goals: 'G1 G13 G14',
  steps: { short: 1, long: 40 },
  async run(trial) {
    await using home = await CodexHome.create()
    const told = new ToldByStores()
    const seed = trial.random(2 ** 31)
    const processes = 2 + (trial.number % 4)
    await trial.faults(KILLS, `${processes} processes`, async (checks) => {
      await playOn(home, told, { processes, kills: KILLS, seed })
      await assertShared(home, told, KILLS * 2)
      checks.add(told.tags.size)
    })
  },
}

const ROUNDS = 5

/** Two servers start turns of one thread; then the one that has it is killed. */
export const racingServers: FaultClass = {
  name: 'race: two servers on one thread',
  goals: 'G13 G14 G19',
  steps: { short: 1, long: 15 },
  async run(trial) {
    await using model = await wholeTurns()
    await using first = await Incarnations.start(trial.lab, model.baseUrl)
    await using second = await Incarnations.on(trial.lab, first.place)
    const threadId = await first.startThread()
    await first.runTurn(threadId, 'the first of all')
    const told = new Told()
    for (let round = 0; round < ROUNDS; round += 1) {
      await trial.fault(`round ${round}`, async (checks) => {
        const tries = [first, second].map(async (servers, side) => {
          try {
            await servers.ask('thread/resume', { threadId, ...FREE })
            const text = `round ${round} side ${side} of ${trial.number}`
            const turnId = await servers.startTurn(threadId, text)
            told.message(threadId, turnId, text)
            return stringAt(await servers.endOf(turnId), 'status') ?? ''
          } catch (error) {
            return errorText(error)
          }
        })
        const outcomes = await Promise.all(tries)
        for (const outcome of outcomes) {
          assert.match(outcome, /^(completed|interrupted)$|turn\/start: |thread\/resume: /)
        }
        const killed = trial.random(2) === 0 ? first : second
        for (const servers of [first, second]) told.hear(servers.peer.messages)
        await killed.restart()
        await killed.ask('thread/resume', { threadId, ...FREE })
        const last = await killed.runTurn(threadId, `after round ${round} of ${trial.number}`)
        assert.equal(last.status, 'completed')
        await told.assertKept(killed.peer, checks)
      })
    }
  },
}
