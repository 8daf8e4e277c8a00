/** What an append costs beside the bare system calls that write the same bytes. */
import { Scratch } from '../test/conformance/scratch.ts'
import { interleavedSection, type Row, type Section } from './measure.ts'
import { WorkerProcess } from './worker-process.ts'

class AppendSides implements AsyncDisposable {
  readonly worker: WorkerProcess
  readonly #scratch: Scratch

  private constructor(scratch: Scratch) {
    this.#scratch = scratch
    this.worker = new WorkerProcess('append-worker.ts', [scratch.home])
  }

  static async open(): Promise<AppendSides> {
    return new AppendSides(await Scratch.create())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.worker[Symbol.asyncDispose]()
    await this.#scratch[Symbol.asyncDispose]()
  }
}

export function appendSection(count: number): Section {
  const rows: Row<AppendSides>[] = []
  for (const durability of ['process', 'power']) {
    for (const threads of [1, 8]) {
      const take = (program: string) => async (sides: AppendSides) =>
        (await sides.worker.time({ program, durability, threads })) * 1000
      rows.push({
        name: `append of 10 items, ${durability}, ${threads} at once`,
        unit: 'µs a batch',
        count,
        warmUp: 20,
        take: { bobbin: take('bobbin'), floor: take('floor') },
      })
    }
  }
  const take = (program: string) => async (sides: AppendSides) =>
    (await sides.worker.time({ program, durability: 'process', threads: 1 })) * 1000
  rows.push({
    name: 'append of 10 items, process, beside bytes that need no making',
    unit: 'µs a batch',
    count,
    warmUp: 20,
    take: { bobbin: take('bobbin'), floor: take('bytes') },
  })
  return interleavedSection(() => AppendSides.open(), rows)
}
