/**
 * The writer lease between real processes: kill -9 frees it, nothing that the holder started keeps
 * it, and whatever the order of taking, releasing and killing, no two have it at one moment. The
 * seed is printed; `BOBBIN_KILLS` and `BOBBIN_SEED` choose how often and which orders.
 */
import assert from 'node:assert/strict'
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { LeaseHeld, WriterLease } from '../../src/thread-store/local/writer-lease.ts'
import { TempFolder } from '../support/temp-folder.ts'
import { threadIdOf } from '../support/thread-log.ts'

const KILLS = Number(process.env.BOBBIN_KILLS ?? 20)
const SEED = Number(process.env.BOBBIN_SEED ?? Math.floor(Math.random() * 2 ** 31))
const CHILD = join(import.meta.dirname, 'lease-holder.ts')
const ID = threadIdOf(1)

interface Answer {
  readonly ownsSince?: number
  readonly ownedUntil?: number
  readonly refusedBy?: { readonly client: string | null; readonly pid: number | null }
  readonly childPid?: number
}

/** A process that does one order at a time. */
class Worker {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  readonly #waiting: ((answer: Answer) => void)[] = []
  #unread = ''

  constructor(home: string, client: string) {
    const args = [CHILD, home, ID, client]
    this.#child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const lines = (this.#unread + text).split('\n')
      this.#unread = lines.pop() ?? ''
      for (const line of lines) this.#waiting.shift()?.(JSON.parse(line))
    })
    this.#child.stdin.on('error', () => undefined)
    // Who is killed answers nothing any more.
    this.#child.once('close', () => {
      for (const resolve of this.#waiting.splice(0)) resolve({})
    })
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  ask(order: 'take' | 'release' | 'turn' | 'start a child'): Promise<Answer> {
    this.#child.stdin.write(`${order}\n`)
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await once(this.#child, 'close')
  }
}

const me = { client: 'test', nowMs: 0 }

async function assertFree(home: string): Promise<void> {
  await using lease = await WriterLease.take(home, ID, me)
  assert.equal(lease.isEnforced, true)
}

async function assertHeldBy(home: string, holder: object): Promise<void> {
  await assert.rejects(WriterLease.take(home, ID, me), (error) => {
    assert.ok(error instanceof LeaseHeld)
    assert.deepEqual(error.holder, holder)
    return true
  })
}

describe('the lease of a killed process', () => {
  it('is free at once, and was its own until then', async () => {
    await using home = await TempFolder.create()
    for (let n = 0; n < KILLS; n += 1) {
      const worker = new Worker(home.path, `worker ${n}`)
      assert.ok((await worker.ask('take')).ownsSince)
      if (n % 2 === 0) await worker.ask('turn')
      const activity = n % 2 === 0 ? 'turn' : 'idle'
      const known = { client: `worker ${n}`, sinceMs: 1_800_000_000_000, activity }
      await assertHeldBy(home.path, { pid: worker.pid, ...known })
      await worker.kill()
      await assertFree(home.path)
    }
  })

  it('is not kept by what that process had started', async () => {
    await using home = await TempFolder.create()
    const worker = new Worker(home.path, 'parent')
    await worker.ask('take')
    const { childPid } = await worker.ask('start a child')
    assert.ok(childPid)
    try {
      await worker.kill()
      process.kill(childPid, 0)
      await assertFree(home.path)
    } finally {
      process.kill(childPid, 'SIGKILL')
    }
  })
})

interface Step {
  readonly worker: number
  /** `strike`: kill -9 in the middle of taking, or soon after. */
  readonly order: 'take' | 'release' | 'kill' | 'strike'
  readonly afterTicks: number
}

/** Steps of one batch run at the same time, each worker's in order. */
function anyBatches(workers: number): fc.Arbitrary<Step[][]> {
  const orders = ['take', 'take', 'take', 'release', 'release', 'kill', 'strike'] as const
  const step: fc.Arbitrary<Step> = fc.record({
    worker: fc.nat({ max: workers - 1 }),
    order: fc.constantFrom(...orders),
    afterTicks: fc.nat({ max: 3000 }),
  })
  const batch = fc.array(step, { minLength: 1, maxLength: 2 * workers })
  return fc.array(batch, { minLength: 1, maxLength: 5 })
}

interface Span {
  readonly from: number
  to: number
  readonly who: number
}

/** Workers on one home; writes down who owned the lease when, never longer than was sure. */
class Contest implements AsyncDisposable {
  readonly #home: string
  readonly #workers: Worker[]
  readonly spans: Span[] = []

  constructor(home: string, count: number) {
    this.#home = home
    this.#workers = Array.from({ length: count }, (_, who) => new Worker(home, `${who}`))
  }

  owners(): number[] {
    return this.spans.filter(({ to }) => to === Infinity).map(({ who }) => who)
  }

  async run(batch: readonly Step[]): Promise<void> {
    await Promise.all(this.#workers.map((_, who) => this.#runOne(who, batch)))
  }

  async releaseAll(): Promise<void> {
    await this.run(this.#workers.map((_, worker) => ({ worker, order: 'release', afterTicks: 0 })))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.kill()))
  }

  async #runOne(who: number, batch: readonly Step[]): Promise<void> {
    for (const { order, afterTicks } of batch.filter(({ worker }) => worker === who)) {
      const worker = this.#workers[who]
      assert.ok(worker)
      if (order === 'take' || order === 'release') {
        this.#note(who, await worker.ask(order))
        continue
      }
      const asked = order === 'strike' ? worker.ask('take') : Promise.resolve({})
      for (let tick = 0; order === 'strike' && tick < afterTicks; tick += 1) await nextTick()
      const killedAt = Number(process.hrtime.bigint()) / 1e6
      await worker.kill()
      this.#note(who, await asked)
      this.#close(who, killedAt)
      this.#workers[who] = new Worker(this.#home, `${who}`)
    }
  }

  #note(who: number, { ownsSince, ownedUntil }: Answer): void {
    if (ownsSince !== undefined && !this.owners().includes(who)) {
      this.spans.push({ from: ownsSince, to: Infinity, who })
    }
    if (ownedUntil !== undefined) this.#close(who, ownedUntil)
  }

  #close(who: number, to: number): void {
    for (const span of this.spans) {
      if (span.who === who && span.to === Infinity) span.to = Math.max(to, span.from)
    }
  }
}

const nextTick = () => new Promise<void>((resolve) => setImmediate(resolve))

function assertApart(spans: readonly Span[]): void {
  const sorted = spans.toSorted((a, b) => a.from - b.from)
  for (const [n, next] of sorted.slice(1).entries()) {
    const before = sorted[n]
    assert.ok(before && before.to <= next.from, JSON.stringify([before, next]))
  }
}

async function playBatches(contest: Contest, batches: readonly Step[][]): Promise<void> {
  for (const batch of batches) {
    const wasFree = contest.owners().length === 0
    await contest.run(batch)
    assertApart(contest.spans)
    const isOnlyTaking = batch.every(({ order }) => order === 'take')
    if (wasFree && isOnlyTaking) assert.equal(contest.owners().length, 1)
  }
}

describe('whatever the order of taking, releasing and killing', () => {
  for (const [workers, numRuns] of [
    [2, 25],
    [5, 15],
  ] as const) {
    it(`one of ${workers} processes owns the lease at any moment`, async (t) => {
      t.diagnostic(`BOBBIN_SEED=${SEED}`)
      await using home = await TempFolder.create()
      await using contest = new Contest(home.path, workers)
      const rule = fc.asyncProperty(anyBatches(workers), async (batches) => {
        contest.spans.length = 0
        try {
          await playBatches(contest, batches)
        } finally {
          await contest.releaseAll()
        }
        await assertFree(home.path)
      })
      await fc.assert(rule, { numRuns, seed: SEED, interruptAfterTimeLimit: 60_000 })
    })
  }
})
