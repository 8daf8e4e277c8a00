/**
 * The three programs, each on a scratch home of its own with the same threads in it. A program
 * runs from its first use on; `fresh` ones start and end with one sample.
 */
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { installPrograms, type Programs } from '../test/conformance/install.ts'
import { Scratch } from '../test/conformance/scratch.ts'
import { AppServerUnderTest } from './app-server-under-test.ts'
import { WorkerProcess } from './worker-process.ts'

export const CODEX_SIDES = ['codex133', 'codex169'] as const
export type CodexSide = (typeof CODEX_SIDES)[number]
export const SIDES = ['bobbin', ...CODEX_SIDES] as const
export type Side = (typeof SIDES)[number]

/** Answers nothing: the requests of the bench need no model. */
const NO_MODEL_SERVER = 'http://127.0.0.1:9/v1'

export class Contest implements AsyncDisposable {
  readonly #programs: Programs
  readonly #homes: { readonly [side in Side]: Scratch }
  #bobbin: WorkerProcess | undefined
  #codex: { [side in CodexSide]?: AppServerUnderTest } = {}

  private constructor(programs: Programs, homes: { readonly [side in Side]: Scratch }) {
    this.#programs = programs
    this.#homes = homes
  }

  /** `place` puts the threads into one home. */
  static async open(place: (home: string) => Promise<void>): Promise<Contest> {
    await using opening = new AsyncDisposableStack()
    const programs = await installPrograms()
    const makeHome = async () => {
      const scratch = opening.use(await Scratch.create())
      await scratch.useModelServer(NO_MODEL_SERVER)
      await place(scratch.home)
      return scratch
    }
    const homes = {
      bobbin: await makeHome(),
      codex133: await makeHome(),
      codex169: await makeHome(),
    }
    opening.move()
    return new Contest(programs, homes)
  }

  /** The running one, started by the first call. */
  bobbin(): WorkerProcess {
    this.#bobbin ??= this.#startBobbin()
    return this.#bobbin
  }

  /** The running one, started by the first call. */
  async codex(side: CodexSide): Promise<AppServerUnderTest> {
    const running = this.#codex[side] ?? (await this.#startCodex(side))
    this.#codex[side] = running
    return running
  }

  /** A process only for this; the running one has ended. */
  async freshBobbin<T>(work: (bobbin: WorkerProcess) => Promise<T>): Promise<T> {
    await this.#end('bobbin')
    await using bobbin = this.#startBobbin()
    return await work(bobbin)
  }

  /** A server only for this, which has shaken hands; the running one has ended. */
  async freshCodex<T>(
    side: CodexSide,
    work: (codex: AppServerUnderTest) => Promise<T>,
  ): Promise<T> {
    await this.#end(side)
    await using codex = await this.#startCodex(side)
    return await work(codex)
  }

  /** The program ends, and its home is as if it had never been there. */
  async forget(side: Side): Promise<void> {
    await this.#end(side)
    const { home } = this.#homes[side]
    for (const name of await readdir(home)) {
      if (name.includes('.sqlite')) await rm(join(home, name), { recursive: true })
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const side of SIDES) {
      await this.#end(side)
      await this.#homes[side][Symbol.asyncDispose]()
    }
  }

  #startBobbin(): WorkerProcess {
    return new WorkerProcess('store-worker.ts', [this.#homes.bobbin.home])
  }

  #startCodex(side: CodexSide): Promise<AppServerUnderTest> {
    return AppServerUnderTest.start([this.#programs[side]], this.#homes[side])
  }

  async #end(side: Side): Promise<void> {
    if (side === 'bobbin') {
      await this.#bobbin?.[Symbol.asyncDispose]()
      this.#bobbin = undefined
    } else {
      await this.#codex[side]?.[Symbol.asyncDispose]()
      delete this.#codex[side]
    }
  }
}
