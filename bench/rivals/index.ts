/** Bobbin's store beside those that a program would otherwise keep its conversations in. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { interleavedSection, type Program, RIVALS, type Row, type Section } from '../measure.ts'
import { WorkerProcess } from '../worker-process.ts'
import { installRivals } from './install.ts'

const STORES = ['bobbin', ...RIVALS] as const

class RivalContest implements AsyncDisposable {
  readonly #workers: ReadonlyMap<Program, WorkerProcess>
  readonly #owned: AsyncDisposable

  private constructor(workers: ReadonlyMap<Program, WorkerProcess>, owned: AsyncDisposable) {
    this.#workers = workers
    this.#owned = owned
  }

  static async open(items: number): Promise<RivalContest> {
    await installRivals()
    await using opening = new AsyncDisposableStack()
    const workers = new Map<Program, WorkerProcess>()
    for (const name of STORES) {
      const folder = await mkdtemp(join(tmpdir(), `bobbin-bench-${name}-`))
      opening.defer(() => rm(folder, { recursive: true, force: true }))
      const worker = new WorkerProcess('rivals/rival-worker.ts', [name, folder, String(items)])
      workers.set(name, opening.use(worker))
      await worker.ask({ call: 'ready' })
    }
    return new RivalContest(workers, opening.move())
  }

  time(program: Program, call: 'append' | 'load'): Promise<number> {
    const worker = this.#workers.get(program)
    if (!worker) throw new Error(`${program} takes no part`)
    return worker.time({ call })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned[Symbol.asyncDispose]()
  }
}

export function rivalSection(items: number, count: number): Section {
  const row = (name: string, call: 'append' | 'load'): Row<RivalContest> => {
    const take = (program: Program) => (sides: RivalContest) => sides.time(program, call)
    const takes = STORES.map((program) => [program, take(program)])
    return { name, unit: 'ms', count, warmUp: 2, take: Object.fromEntries(takes) }
  }
  return interleavedSection(
    () => RivalContest.open(items),
    [
      row(`append of 10 items to a thread of ${items}`, 'append'),
      row(`load of a thread of ${items} items`, 'load'),
    ],
  )
}
