/**
 * Turns that are stopped: by interrupts at any moment, by signals, by the end of the input. Every
 * stop is obeyed, the turn is closed in the file, and no command of it lives on.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { assistantMessage, functionCall } from '../src/core/index.ts'
import { ScriptedResponsesServer } from '../test/support/responses-server.ts'
import { oneOf } from '../test/support/seeded-random.ts'
import { Incarnations } from './incarnations.ts'
import type { FaultClass } from './suite.ts'
import { Told } from './told.ts'

const STORM = 25
/** A word in the command of a turn that nobody else's commands have. */
let commands = 0

/** Turns that never end by themselves: some words, then a command that stays. */
function endlessTurns(): Promise<ScriptedResponsesServer> {
  return ScriptedResponsesServer.start((_, index) => {
    const cmd = `sleep 1000.${process.pid}`
    return {
      delayMs: index % 3,
      deltas: 4,
      items: [
        assistantMessage(`words before it, ${index}`, { phase: 'commentary' }),
        functionCall('exec_command', { cmd, login: false }, `call_${index}_${commands++}`),
      ],
    }
  })
}

/** Commands of these turns that still run. */
function livingCommands(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
      } catch {
        return '' // It has ended since.
      }
    })
    .filter((line) => line.startsWith(`sleep 1000.${process.pid}`))
}

/** Waits until they are gone; a signal takes its time. */
async function allCommandsGone(): Promise<void> {
  for (let tries = 0; tries < 100 && livingCommands().length > 0; tries += 1) await pause(50)
  assert.deepEqual(livingCommands(), [], 'commands live on')
}

export const interrupts: FaultClass = {
  name: 'stop: interrupts at any moment',
  goals: 'G2 G20',
  steps: { short: 1, long: 40 },
  async run(trial) {
    await using model = await endlessTurns()
    await using servers = await Incarnations.start(trial.lab, model.baseUrl)
    const threadId = await servers.startThread()
    const told = new Told()
    for (let n = 0; n < STORM; n += 1) {
      const afterMs = trial.random(3) === 0 ? 0 : trial.random(40)
      await trial.fault(`after ${afterMs} ms`, async (checks) => {
        const text = `prompt ${n} of ${trial.number}`
        const turnId = await servers.startTurn(threadId, text)
        told.message(threadId, turnId, text)
        if (afterMs > 0) await pause(afterMs)
        const again = trial.random(3)
        const asked = [servers.ask('turn/interrupt', { threadId, turnId })]
        for (let more = 0; more < again; more += 1) {
          // The turn may have ended by the first: that is an answer too.
          asked.push(servers.ask('turn/interrupt', { threadId, turnId }).catch(() => ({})))
        }
        const turn = await servers.endOf(turnId)
        assert.equal(turn.status, 'interrupted')
        await Promise.all(asked)
        checks.add()
      })
    }
    await trial.fault('kill behind the storm', async (checks) => {
      await allCommandsGone()
      told.hear(await servers.kill())
      await servers.restart()
      await told.assertKept(servers.peer, checks)
    })
  },
}

const STOPS = ['SIGTERM', 'SIGINT', 'SIGHUP', 'end of input'] as const

export const signals: FaultClass = {
  name: 'stop: signals and the end of input',
  goals: 'G21',
  steps: { short: 1, long: 20 },
  async run(trial) {
    await using model = await endlessTurns()
    for (const stop of STOPS) {
      const afterMs = trial.random(60)
      const drainS = oneOf(trial.random, [0, 1])
      await trial.fault(`${stop} after ${afterMs} ms`, async (checks) => {
        const args = ['--drain-seconds', String(drainS)]
        await using servers = await Incarnations.start(trial.lab, model.baseUrl, '', args)
        const threadId = await servers.startThread()
        const text = `prompt of ${stop}`
        const turnId = await servers.startTurn(threadId, text)
        await pause(afterMs)
        const { child, exited } = servers.server
        if (stop === 'end of input') child.stdin?.end()
        else child.kill(stop)
        assert.deepEqual(await exited, { code: 0, signal: null })
        const told = new Told()
        told.message(threadId, turnId, text)
        told.hear(servers.peer.messages)
        await allCommandsGone()
        await servers.restart()
        await told.assertKept(servers.peer, checks)
        const { thread } = await servers.ask('thread/read', { threadId, includeTurns: true })
        const turns = (thread as { turns: { status: string }[] }).turns
        assert.equal(turns.at(-1)?.status, 'interrupted', 'the turn is closed')
      })
    }
  },
}
