/**
 * Every storage call fails once, in every way in which it can: of a writer's script, and of turns.
 * Once the disk is well again all that was told is in the file, and half lines are not.
 */
import { rm } from 'node:fs/promises'
import { fillUp } from '../test/fault/told-turns.ts'
import { faultsOf, WriterScript } from '../test/fault/writer-script.ts'
import type { Call, Fault } from '../test/support/faulty-file-system.ts'
import { SessionKit } from '../test/support/session-kit.ts'
import { fullAt } from '../test/support/small-disk.ts'
import { TempFolder } from '../test/support/temp-folder.ts'
import type { FaultClass, Trial } from './suite.ts'

const LEVELS = ['turn', 'power'] as const

/** Steps: a new file and one with a torn end, at either level. */
export const failingWriterCalls: FaultClass = {
  name: 'storage: each call of a writer',
  goals: 'G11 G26',
  steps: { short: 1, long: 4 },
  async run(trial) {
    await using folder = await TempFolder.create()
    const level = LEVELS[trial.number % 2] ?? 'turn'
    const isOld = trial.number % 4 > 1
    const disk = trial.lab.disk()
    const pathIn = (name: string) => folder.at(name, 'a', 'b', 'c', 'rollout')
    const plain = new WriterScript(pathIn('plain'), level, isOld, () => undefined, disk)
    await plain.perform()
    for (const call of plain.files.calls) {
      for (const [n, fault] of faultsOf(call).entries()) {
        const name = `${call.index}-${n}`
        await trial.fault(nameOf(call, fault), async (checks) => {
          const plan = ({ index }: Call) => (index === call.index ? fault : undefined)
          const script = new WriterScript(pathIn(name), level, isOld, plan, disk)
          await script.perform()
          checks.add(script.expected.length)
        })
        await rm(folder.at(name), { recursive: true, force: true })
      }
    }
  },
}

/** Turns of the script in which a call fails. */
const TURNS = 4

/** Each step takes the calls that leave its number when divided by the count of steps. */
const TURN_STEPS = { short: 1, long: 8 }

export const failingTurnCalls: FaultClass = {
  name: 'storage: each call of a turn',
  goals: 'G11 G26',
  steps: TURN_STEPS,
  async run(trial) {
    const calls = await callsOfTurns(trial)
    const every = TURN_STEPS.long
    for (const call of calls.filter(({ index }) => index % every === trial.number % every)) {
      for (const fault of faultsOf(call)) {
        await trial.fault(nameOf(call, fault), async (checks) => {
          await using kit = await SessionKit.open([], { disk: trial.lab.disk() })
          // Once: the call of this number is another one when there were failures before.
          let isDue = true
          kit.files.plan = ({ index, method }) => {
            if (!isDue || index < call.index || method !== call.method) return undefined
            isDue = false
            return fault
          }
          const heal = () => {
            isDue = false
          }
          await fillUp(kit, heal, TURNS)
          checks.add(TURNS)
        })
      }
    }
  },
}

export const fullDisk: FaultClass = {
  name: 'storage: no room from some byte on',
  goals: 'G11 G12',
  steps: { short: 4, long: 200 },
  async run(trial) {
    const capacity = trial.random(24_000)
    await trial.fault(`room for ${capacity} bytes`, async (checks) => {
      await using kit = await SessionKit.open([], { disk: trial.lab.disk() })
      kit.files.plan = fullAt(kit.home, capacity)
      const free = () => {
        kit.files.plan = () => undefined
      }
      checks.add(20 - (await fillUp(kit, free)))
    })
  },
}

async function callsOfTurns(trial: Trial): Promise<readonly Call[]> {
  await using kit = await SessionKit.open([], { disk: trial.lab.disk() })
  await fillUp(kit, () => undefined, TURNS)
  const { calls } = kit.files
  const isOfStore = ({ method }: Call) => /^(file\.|open|makeDirectory|syncD|rename)/.test(method)
  return calls.filter(isOfStore)
}

function nameOf({ method, index }: Call, fault: Fault): string {
  return `${method}, call ${index}: ${JSON.stringify(fault)}`
}
