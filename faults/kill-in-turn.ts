/** kill -9 of the server while a turn runs: the next one knows whatever a client had been told. */
import { setTimeout as pause } from 'node:timers/promises'
import { FREE, Incarnations } from './incarnations.ts'
import { wholeTurns } from './model.ts'
import type { FaultClass, Trial } from './suite.ts'
import { Told } from './told.ts'

const KILLS = 10
const TURN_LENGTH_MS = 140
/** Messages that a turn of the model's brings, and some more. */
const TURN_MESSAGES = 40

export const killInTurn: FaultClass = {
  name: 'kill: in a turn',
  goals: 'G1 G2 G19',
  steps: { short: 1, long: 60 },
  async run(trial) {
    await using model = await wholeTurns()
    await using servers = await Incarnations.start(trial.lab, model.baseUrl)
    let told = new Told()
    let threadId = ''
    for (let kill = 0; kill < KILLS; kill += 1) {
      const moment = momentOf(trial.random)
      const isSurvived = await trial.fault(`kill ${kill} ${moment.what}`, async (checks) => {
        if (kill % 4 === 0) threadId = await servers.startThread()
        else await servers.ask('thread/resume', { threadId, ...FREE })
        told.thread(threadId)
        const from = servers.peer.messages.length
        const text = `prompt ${kill} of ${trial.number}`
        const turnId = await servers.startTurn(threadId, text)
        told.message(threadId, turnId, text)
        await Promise.race([moment.reached(servers, from), servers.endOf(turnId)])
        told.hear(await servers.kill())
        await servers.restart()
        await told.assertKept(servers.peer, checks)
      })
      // What is lost is counted with the fault that lost it, not with all that come behind.
      if (!isSurvived) told = new Told()
      if (servers.server.child.signalCode !== null) await servers.restart()
    }
  },
}

interface Moment {
  readonly what: string
  reached(servers: Incarnations, from: number): Promise<unknown>
}

/** After some time, or at some message that the turn brings. */
function momentOf(random: Trial['random']): Moment {
  if (random(2) === 0) {
    const afterMs = random(TURN_LENGTH_MS)
    return { what: `after ${afterMs} ms`, reached: () => pause(afterMs) }
  }
  const count = 1 + random(TURN_MESSAGES)
  return {
    what: `at message ${count}`,
    reached: ({ peer }, from) => peer.find(() => peer.messages.length >= from + count),
  }
}
