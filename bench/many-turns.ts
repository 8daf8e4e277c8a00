/**
 * Turns of many threads at once, turns with commands and with many deltas, and the memory of
 * threads that do nothing. The floor is a client that only asks and reads: what the scripted model
 * takes, and where there are commands, the shells.
 */
import { errorText, numberAt, stringAt } from '../src/base/index.ts'
import { unixMs } from './line-pipe.ts'
import type { Result, Section } from './measure.ts'
import { cpuMs } from './process-costs.ts'
import { TURN_SIDES, type TurnDriver, type TurnSide, TurnSides } from './turn-drivers.ts'
import { WorkerProcess } from './worker-process.ts'

export interface ManyTurnsPlan {
  /** In each of the twenty threads. */
  readonly turns: number
  /** Samples of all twenty threads. */
  readonly crowds: number
  /** Samples of a turn of one thread. */
  readonly single: number
  readonly idleThreads: number
  /** Loaded before, with what is there once, however many threads there are. */
  readonly idleWarmUp: number
  readonly idleSamples: number
}

const THREADS = 20
const DELTAS = 5000

/** A value for each of the load's rows. */
type Sample = readonly number[]

/** What is measured together. */
interface Load {
  readonly rows: readonly { readonly name: string; readonly unit: string }[]
  readonly programs: readonly TurnSide[]
  readonly samples: number
  readonly warmUp: number
  readonly script: string
  take(sides: RunningSides, program: TurnSide): Promise<Sample>
}

/** Programs that run from their first use on, and the model they ask. */
class RunningSides implements AsyncDisposable {
  readonly model: WorkerProcess
  readonly sides: TurnSides
  readonly #running = new Map<TurnSide, TurnDriver>()

  private constructor(model: WorkerProcess, sides: TurnSides) {
    this.model = model
    this.sides = sides
  }

  static async open(): Promise<RunningSides> {
    await using opening = new AsyncDisposableStack()
    const model = opening.use(new WorkerProcess('model-server.ts', []))
    const baseUrl = stringAt(await model.ask({ call: 'address' }), 'baseUrl') ?? ''
    const sides = opening.use(await TurnSides.open(baseUrl))
    opening.move()
    return new RunningSides(model, sides)
  }

  async program(program: TurnSide): Promise<TurnDriver> {
    const running = this.#running.get(program) ?? (await this.sides.startProgram(program))
    this.#running.set(program, running)
    return running
  }

  async endPrograms(): Promise<void> {
    for (const driver of this.#running.values()) await driver[Symbol.asyncDispose]()
    this.#running.clear()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.endPrograms()
    await this.sides[Symbol.asyncDispose]()
    await this.model[Symbol.asyncDispose]()
  }
}

export function manyTurnsSection(plan: ManyTurnsPlan): Section {
  const loads = [crowd(plan), commands(plan), manyDeltas(plan), idleThreads(plan)]
  return {
    rowNames: loads.flatMap(({ rows }) => rows.map(({ name }) => name)),
    async *measure(isWanted) {
      const wanted = loads.filter(({ rows }) => rows.some(({ name }) => isWanted(name)))
      if (wanted.length === 0) return
      await using sides = await RunningSides.open()
      for (const load of wanted) {
        const results = await measureLoad(load, sides)
        yield* results.filter(({ name }) => isWanted(name))
      }
    },
  }
}

function crowd({ turns, crowds }: ManyTurnsPlan): Load {
  const name = `${THREADS} threads with ${turns} turns each, at once`
  return {
    rows: [
      { name: `${name}: a turn`, unit: 'ms' },
      { name: `${name}: CPU of a turn`, unit: 'ms' },
    ],
    programs: TURN_SIDES,
    samples: crowds,
    warmUp: 1,
    script: 'message',
    take: async (sides, program) => {
      const driver = await sides.program(program)
      await driver.start(THREADS)
      const fromMs = unixMs()
      const fromCpuMs = cpuMs(driver.pid)
      const { endedMs } = await driver.runTurns(THREADS, turns)
      const all = THREADS * turns
      return [(endedMs - fromMs) / all, (cpuMs(driver.pid) - fromCpuMs) / all]
    },
  }
}

function commands({ single }: ManyTurnsPlan): Load {
  const name = 'turn with 5 commands'
  return {
    rows: [
      { name: `${name}: call to last event`, unit: 'ms' },
      { name: `${name}: CPU, with that of the commands`, unit: 'ms' },
    ],
    programs: TURN_SIDES,
    samples: single,
    warmUp: Math.ceil(single / 3),
    script: 'commands',
    take: async (sides, program) => {
      const driver = await sides.program(program)
      const fromMs = unixMs()
      const fromCpuMs = cpuMs(driver.pid)
      const { endedMs } = await driver.runTurns(1, 1)
      return [endedMs - fromMs, cpuMs(driver.pid) - fromCpuMs]
    },
  }
}

function manyDeltas({ single }: ManyTurnsPlan): Load {
  const name = `turn with ${DELTAS} deltas`
  return {
    rows: [
      { name: `${name}: request to last event`, unit: 'ms' },
      { name: `${name}: CPU`, unit: 'ms' },
    ],
    programs: TURN_SIDES,
    samples: single,
    warmUp: Math.ceil(single / 3),
    script: 'deltas',
    take: async (sides, program) => {
      const driver = await sides.program(program)
      await sides.model.ask({ call: 'requestMs' })
      const fromCpuMs = cpuMs(driver.pid)
      const { endedMs, deltas } = await driver.runTurns(1, 1)
      const { model } = sides
      const requestMs = numberAt(await model.ask({ call: 'requestMs' }), 'requestMs') ?? 0
      const isWhole = deltas === DELTAS || program === 'floor'
      if (!isWhole) throw new Error(`${deltas} deltas were told`)
      return [endedMs - requestMs, cpuMs(driver.pid) - fromCpuMs]
    },
  }
}

function idleThreads({ idleThreads: count, idleWarmUp, idleSamples }: ManyTurnsPlan): Load {
  return {
    rows: [
      { name: 'memory of a thread just loaded', unit: 'KiB' },
      { name: 'memory of a loaded thread after a turn', unit: 'KiB' },
    ],
    programs: ['bobbin', 'codex133', 'codex169'],
    samples: idleSamples,
    warmUp: 0,
    script: 'message',
    take: async ({ sides }, program) => {
      await using driver = await sides.startProgram(program)
      await driver.start(idleWarmUp)
      await driver.runTurns(idleWarmUp, 1)
      const before = await driver.settledKib()
      await driver.start(count)
      const loaded = await driver.settledKib()
      await driver.runTurns(count, 1)
      const idle = await driver.settledKib()
      return [(loaded - before) / count, (idle - before) / count]
    },
  }
}

/** A program that has failed stands aside. */
async function measureLoad(load: Load, sides: RunningSides): Promise<Result[]> {
  const taken = new Map<TurnSide, Sample[]>(load.programs.map((program) => [program, []]))
  const failures: { [program in TurnSide]?: string } = {}
  for (const program of load.programs) {
    await sides.model.ask({ call: 'play', script: load.script })
    if (load.script !== 'message') await (await sides.program(program)).start(1)
  }
  for (let count = -load.warmUp; count < load.samples; count += 1) {
    for (const [program, samples] of taken) {
      if (failures[program] !== undefined) continue
      try {
        const sample = await load.take(sides, program)
        if (count >= 0) samples.push(sample)
      } catch (error) {
        failures[program] = errorText(error)
      }
    }
  }
  await sides.endPrograms()
  return load.rows.map(({ name, unit }, row) => ({
    name,
    unit,
    samples: columnOf(taken, row),
    failures,
  }))
}

function columnOf(taken: ReadonlyMap<TurnSide, readonly Sample[]>, row: number): Result['samples'] {
  const columns = [...taken].filter(([, samples]) => samples.length > 0)
  return Object.fromEntries(
    columns.map(([program, samples]) => [program, samples.map((sample) => sample[row] ?? 0)]),
  )
}
