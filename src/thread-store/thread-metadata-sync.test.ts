import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { anyLog } from '../../test/support/arbitrary-log.ts'
import { FixedClock } from '../../test/support/fixed-clock.ts'
import {
  AT,
  answers,
  event,
  header,
  says,
  threadIdOf,
  turnContext,
} from '../../test/support/thread-log.ts'
import { isPersisted, type ObservedFacts, SummaryFold } from '../history/index.ts'
import type { RolloutItem, SessionMeta, ThreadId } from '../protocol/index.ts'
import { InMemoryThreadStore } from './in-memory/in-memory-thread-store.ts'
import { LiveThread } from './live-thread.ts'
import { ThreadMetadataSync } from './thread-metadata-sync.ts'

const RUNS = Number(process.env.BOBBIN_RUNS ?? 300)
const ID = threadIdOf(1)
const START = Date.parse(AT)

/** What is told of live threads sometimes does not arrive. */
class ForgetfulStore extends InMemoryThreadStore {
  readonly told: ObservedFacts[] = []
  fails = false

  override async recordObserved(threadId: ThreadId, facts: ObservedFacts): Promise<void> {
    if (this.fails) throw new Error('not now')
    await super.recordObserved(threadId, facts)
    this.told.push(facts)
  }
}

function meta(): SessionMeta {
  const first = header(ID, { git: { branch: 'main' } })
  assert.ok(first.type === 'session_meta')
  return first.payload
}

function factsIn(items: readonly RolloutItem[]) {
  const fold = new SummaryFold()
  for (const item of items) fold.apply(item)
  const summary = fold.finish()
  assert.ok(summary)
  const { loggedName: _, ...facts } = summary
  return facts
}

/** What the store shows of the thread, as far as a log tells it. */
async function shown(store: InMemoryThreadStore) {
  const thread = await store.readThread(ID)
  const { rolloutPath, name, updatedAtMs, sizeBytes, isArchived, ...facts } = thread
  assert.deepEqual([rolloutPath, name, isArchived], [null, null, false])
  assert.ok(updatedAtMs >= START && sizeBytes > 0)
  return facts
}

const told = fc.oneof(
  fc.constant([header(ID, { git: { branch: 'other' } })]),
  fc.constant([header(ID, { git: {} })]),
  fc.constant([header(ID, { memory_mode: 'disabled' })]),
  fc.constant([header(threadIdOf(2), { git: { branch: 'of another' } })]),
  fc.constantFrom('high', 'low').map((effort) => [turnContext('t', { effort, model: effort })]),
  fc.constant(says('## My request for Codex: do it')),
  fc.constant([event({ type: 'thread_goal_updated', goal: { objective: 'win' } })]),
)
const anyBatch = fc.oneof(anyLog, told)

interface Step {
  readonly batch: readonly RolloutItem[]
  readonly fails: boolean
  readonly waitMs: number
  readonly reopens: boolean
}

const anySteps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    batch: anyBatch,
    fails: fc.boolean(),
    waitMs: fc.constantFrom(0, 4999, 5000, 60_000),
    reopens: fc.boolean(),
  }),
  { maxLength: 8 },
)

async function created(store: InMemoryThreadStore, clock: FixedClock): Promise<LiveThread> {
  const params = { threadId: ID, createdAtMs: START, header: async () => meta() }
  return LiveThread.create(store, params, clock)
}

describe('what lists show of a live thread', () => {
  it('is what its whole log says, as soon as it can be told', async () => {
    const property = fc.asyncProperty(anySteps, async (steps) => {
      const clock = new FixedClock(START)
      await using store = new ForgetfulStore(clock)
      let live = await created(store, clock)
      for (const { batch, fails, waitMs, reopens } of steps) {
        clock.set(clock.nowMs() + waitMs)
        store.fails = fails
        await live.append(batch)
        await live.flush()
        const isBegun = await store.readThread(ID).then(
          () => true,
          () => false,
        )
        if (fails || !isBegun) continue
        assert.deepEqual(await shown(store), factsIn((await store.loadHistory(ID)).items))
        if (!reopens) continue
        await live.close()
        live = (await LiveThread.resume(store, ID, { clock })).live
      }
      store.fails = false
      await live.append(says('the end'))
      assert.deepEqual(await shown(store), factsIn((await store.loadHistory(ID)).items))
      assert.deepEqual(
        await shown(store),
        factsIn([header(ID), ...kept(await store.loadHistory(ID))]),
      )
    })
    await fc.assert(property, { numRuns: RUNS })
  })

  it('is told when it changes, and else every five seconds', async () => {
    const clock = new FixedClock(START)
    await using store = new ForgetfulStore(clock)
    const live = await created(store, clock)
    await live.flush()
    assert.equal(store.told.length, 0)
    await live.append(says('hello'))
    assert.equal(store.told.length, 1)
    assert.equal(store.told[0]?.preview, 'hello')
    for (const [atMs, count] of [
      [4999, 1],
      [5000, 2],
      [9999, 2],
      [10_000, 3],
    ] as const) {
      clock.set(START + atMs)
      await live.append(answers('on it'))
      assert.equal(store.told.length, count, `${atMs}`)
    }
    assert.deepEqual(store.told.slice(1), [
      { updatedAtMs: START + 5000 },
      { updatedAtMs: START + 10_000 },
    ])
    await live.append([turnContext('t', { model: 'other' })])
    assert.equal(store.told.at(-1)?.model, 'other')
    await live.close()
  })

  it('stays pending while it cannot be told, and the thread goes on', async () => {
    const clock = new FixedClock(START)
    await using store = new ForgetfulStore(clock)
    const notices: string[] = []
    const params = { threadId: ID, createdAtMs: START, header: async () => meta() }
    const onNotice = (notice: string) => void notices.push(notice)
    const live = await LiveThread.create(store, { ...params, onNotice }, clock)
    store.fails = true
    await live.append(says('hello'))
    await live.append([turnContext('t', { model: 'later' })])
    assert.equal(notices.length, 2)
    assert.equal((await store.readThread(ID)).preview, '')
    store.fails = false
    await live.flush()
    const { preview, model } = await store.readThread(ID)
    assert.deepEqual([preview, model], ['hello', 'later'])
  })

  it('is nothing before there is history, and nothing twice', async () => {
    const sync = new ThreadMetadataSync({ nowMs: () => START })
    const tell = (): Promise<ObservedFacts[]> => {
      const facts: ObservedFacts[] = []
      return sync.tell(async (each) => void facts.push(each)).then(() => facts)
    }
    assert.deepEqual(await tell(), [])
    sync.observe(says('no header yet'))
    assert.deepEqual(await tell(), [])
    sync.observe([header(ID)])
    assert.equal((await tell()).length, 1)
    assert.deepEqual(await tell(), [])
  })
})

function kept({ items }: { readonly items: readonly RolloutItem[] }): RolloutItem[] {
  return items.filter(isPersisted)
}
