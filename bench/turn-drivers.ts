/** The programs with many loaded threads, each on a scratch home of its own, behind one face. */
import { numberAt } from '../src/base/index.ts'
import { installPrograms, type Programs } from '../test/conformance/install.ts'
import { Scratch } from '../test/conformance/scratch.ts'
import { atOnce } from './at-once.ts'
import { CodexTurns } from './codex-turns.ts'
import { unixMs } from './line-pipe.ts'
import { residentKib } from './process-costs.ts'
import { WorkerProcess } from './worker-process.ts'

export const TURN_SIDES = ['bobbin', 'codex133', 'codex169', 'floor'] as const
export type TurnSide = (typeof TURN_SIDES)[number]

export interface TurnsRun {
  readonly endedMs: number
  readonly deltas: number
}

export interface TurnDriver extends AsyncDisposable {
  readonly pid: number
  /** Loads so many new threads, one after the other. */
  start(count: number): Promise<void>
  /** So many turns in each of the threads that were loaded last, twenty threads at once. */
  runTurns(threads: number, turns: number): Promise<TurnsRun>
  /** What the process has once it has given back what it can. */
  settledKib(): Promise<number>
}

export class TurnSides implements AsyncDisposable {
  readonly #programs: Programs
  readonly #homes: { readonly [side in TurnSide]: Scratch }
  readonly #baseUrl: string

  private constructor(
    programs: Programs,
    homes: { readonly [side in TurnSide]: Scratch },
    baseUrl: string,
  ) {
    this.#programs = programs
    this.#homes = homes
    this.#baseUrl = baseUrl
  }

  static async open(baseUrl: string): Promise<TurnSides> {
    await using opening = new AsyncDisposableStack()
    const programs = await installPrograms()
    const makeHome = async () => {
      const scratch = opening.use(await Scratch.create())
      await scratch.useModelServer(baseUrl)
      return scratch
    }
    const homes = {
      bobbin: await makeHome(),
      codex133: await makeHome(),
      codex169: await makeHome(),
      floor: await makeHome(),
    }
    opening.move()
    return new TurnSides(programs, homes, baseUrl)
  }

  /** A process of its own, for the caller to dispose. */
  async startProgram(side: TurnSide): Promise<TurnDriver> {
    const scratch = this.#homes[side]
    if (side === 'codex133' || side === 'codex169') return startCodex(this.#programs[side], scratch)
    const file = side === 'bobbin' ? 'turns-worker.ts' : 'turns-floor.ts'
    const args = [this.#baseUrl, scratch.home, scratch.project]
    return workerDriver(new WorkerProcess(file, args, scratch.env))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const side of TURN_SIDES) await this.#homes[side][Symbol.asyncDispose]()
  }
}

function workerDriver(worker: WorkerProcess): TurnDriver {
  return {
    pid: worker.pid,
    start: async (count) => void (await worker.ask({ call: 'start', count })),
    runTurns: async (threads, turns) => {
      const answer = await worker.ask({ call: 'turns', threads, turns })
      return { endedMs: numberAt(answer, 'endedMs') ?? 0, deltas: numberAt(answer, 'deltas') ?? 0 }
    },
    settledKib: async () => {
      await worker.ask({ call: 'collect' })
      return residentKib(worker.pid)
    },
    [Symbol.asyncDispose]: () => worker[Symbol.asyncDispose](),
  }
}

async function startCodex(binary: string, scratch: Scratch): Promise<TurnDriver> {
  const codex = await CodexTurns.start(binary, scratch)
  const threadIds: string[] = []
  const run = async (threadId: string, turns: number) => {
    for (let turn = 0; turn < turns; turn += 1) await codex.runTurn(threadId, `turn ${turn}`)
  }
  return {
    pid: codex.pid,
    start: async (count) => {
      for (let started = 0; started < count; started += 1) {
        threadIds.push(await codex.startThread(scratch.project))
      }
    },
    runTurns: async (threads, turns) => {
      codex.takeDeltas()
      await atOnce(threadIds.slice(-threads), (threadId) => run(threadId, turns))
      return { endedMs: unixMs(), deltas: codex.takeDeltas() }
    },
    settledKib: async () => residentKib(codex.pid),
    [Symbol.asyncDispose]: () => codex[Symbol.asyncDispose](),
  }
}
