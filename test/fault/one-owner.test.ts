/**
 * Whatever two processes do to one thread, and whenever one is killed -9: it has one owner at a
 * time, what an owner appended is there, and nothing of a loser is. The seed is printed;
 * `BOBBIN_RUNS` and `BOBBIN_SEED` choose how often and which orders.
 */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { it } from 'node:test'
import fc from 'fast-check'
import { CodexHome } from '../support/codex-home.ts'
import { threadIdOf } from '../support/thread-log.ts'
import { type Answer, type Op, StoreProcess } from './store-process.ts'

const RUNS = Number(process.env.BOBBIN_RUNS ?? 12)
const SEED = Number(process.env.BOBBIN_SEED ?? Math.floor(Math.random() * 2 ** 31))
const ID = threadIdOf(1)

interface Step {
  readonly worker: 0 | 1
  /** `kill`: after so many ticks of the order before, which is not waited for. */
  readonly op: Extract<Op, 'resume' | 'append' | 'close' | 'discard'> | 'kill'
  readonly afterTicks: number
}

const anyStep: fc.Arbitrary<Step> = fc.record({
  worker: fc.constantFrom(0, 1),
  op: fc.oneof(
    { weight: 4, arbitrary: fc.constant('resume' as const) },
    { weight: 5, arbitrary: fc.constant('append' as const) },
    { weight: 2, arbitrary: fc.constant('close' as const) },
    { weight: 1, arbitrary: fc.constant('discard' as const) },
    { weight: 1, arbitrary: fc.constant('kill' as const) },
  ),
  afterTicks: fc.nat({ max: 2000 }),
})

interface Span {
  readonly who: string
  readonly from: number
  to: number
}

const nowMs = () => Number(process.hrtime.bigint()) / 1e6
const nextTick = () => new Promise<void>((resolve) => setImmediate(resolve))

class Contest {
  readonly spans: Span[] = []
  readonly kept: string[] = []
  readonly refused: string[] = []
  readonly #home: string
  readonly #processes: StoreProcess[]
  #count = 0

  constructor(home: string) {
    this.#home = home
    this.#processes = [0, 1].map((who) => new StoreProcess(home, `${who}`))
  }

  async play(steps: readonly Step[]): Promise<void> {
    await Promise.all([0, 1].map((who) => this.#playOne(who, steps)))
  }

  /** Nobody owns the thread any more. */
  async release(): Promise<void> {
    await Promise.all([0, 1].map((who) => this.#ask(who, 'discard')))
  }

  async kill(): Promise<void> {
    await Promise.all(this.#processes.map((each) => each.kill()))
  }

  async #playOne(who: number, steps: readonly Step[]): Promise<void> {
    const own = steps.filter(({ worker }) => worker === who)
    for (const [at, { op }] of own.entries()) {
      const next = own[at + 1]
      if (op === 'kill') continue
      const asked = this.#ask(who, op)
      if (next?.op === 'kill') {
        for (let tick = 0; tick < next.afterTicks; tick += 1) await nextTick()
        await this.#kill(who)
      }
      await asked
    }
  }

  async #kill(who: number): Promise<void> {
    const killedAt = nowMs()
    await this.#processes[who]?.kill()
    this.#end(who, killedAt)
    this.#processes[who] = new StoreProcess(this.#home, `${who}`)
  }

  async #ask(who: number, op: Op): Promise<void> {
    this.#count += 1
    const tag = `w${who}n${this.#count}`
    const running = this.#processes[who]
    const answer = await running?.ask({ op, id: ID, tag, to: '' })
    if (!answer) return
    if (op === 'append') (answer.code === undefined ? this.kept : this.refused).push(tag)
    // What the one that gave it owned has ended with it.
    if (running === this.#processes[who]) this.#note(who, op, answer)
  }

  #note(who: number, op: Op, { code, message, atMs = 0 }: Answer): void {
    if (code !== undefined) {
      const isNotLive = code === 'thread_not_found' && op !== 'resume'
      assert.ok(code === 'conflict' || isNotLive, `${op}: ${code}, ${message}`)
    } else if (op === 'resume') this.spans.push({ who: `${who}`, from: atMs, to: Infinity })
    else if (op !== 'append') this.#end(who, atMs)
  }

  #end(who: number, atMs: number): void {
    for (const span of this.spans) {
      if (span.who === `${who}` && span.to === Infinity) span.to = Math.max(atMs, span.from)
    }
  }
}

function assertApart(spans: readonly Span[]): void {
  const sorted = spans.toSorted((a, b) => a.from - b.from)
  for (const [n, next] of sorted.slice(1).entries()) {
    const before = sorted[n]
    assert.ok(before && before.to <= next.from, JSON.stringify([before, next]))
  }
}

it('has one owner at a time, and nothing of a loser', async (t) => {
  t.diagnostic(`${RUNS} runs, BOBBIN_SEED=${SEED}`)
  await using home = await CodexHome.create()
  const path = await home.place({ n: 1 })
  const contest = new Contest(home.path)
  try {
    const rule = fc.asyncProperty(
      fc.array(anyStep, { minLength: 8, maxLength: 24 }),
      async (steps) => {
        await contest.play(steps)
        await contest.release()
        assertApart(contest.spans)
        const tags = (await readFile(path, 'utf8')).matchAll(/"turn_id":"t(w\dn\d+)","model_c/g)
        const inFile = [...tags].map(([, tag = '']) => tag)
        assert.deepEqual(inFile, [...new Set(inFile)], 'each once')
        for (const tag of contest.kept) assert.ok(inFile.includes(tag), `${tag} is lost`)
        for (const tag of contest.refused) assert.ok(!inFile.includes(tag), `${tag} was refused`)
      },
    )
    await fc.assert(rule, { numRuns: RUNS, seed: SEED, endOnFailure: true })
  } finally {
    await contest.kill()
  }
})
