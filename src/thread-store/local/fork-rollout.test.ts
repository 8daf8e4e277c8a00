import assert from 'node:assert/strict'
import { readdir, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { anyLog } from '../../../test/support/arbitrary-log.ts'
import { CodexHome } from '../../../test/support/codex-home.ts'
import { type Fault, FaultyFileSystem } from '../../../test/support/faulty-file-system.ts'
import { FixedClock } from '../../../test/support/fixed-clock.ts'
import {
  AT,
  header,
  rolledBack,
  says,
  started,
  textOf,
  threadIdOf,
  turn,
} from '../../../test/support/thread-log.ts'
import { foldTurns, forkedItems } from '../../history/index.ts'
import type { RolloutItem, ThreadId } from '../../protocol/index.ts'
import { InMemoryThreadStore } from '../in-memory/in-memory-thread-store.ts'
import { type ForkThread, ThreadStoreError } from '../index.ts'
import type { ThreadStore } from '../store.ts'

const RUNS = Number(process.env.BOBBIN_RUNS ?? 40)
const SOURCE = threadIdOf(1)
const FORK = threadIdOf(2)
const FORK_OF_FORK = threadIdOf(3)
const ORIGIN = { originator: 'bobbin', cli_version: '1', source: 'cli' } as const
const LONG = { base_instructions: { text: 'x'.repeat(260 * 1024) } }

function forkOf(sourceId: ThreadId, threadId: ThreadId, throughTurnId?: string): ForkThread {
  const through = throughTurnId === undefined ? {} : { throughTurnId }
  return { sourceId, threadId, createdAtMs: Date.parse(AT), origin: ORIGIN, ...through }
}

/** What is behind the header of the fork that a store made, or that it refused it. */
async function bodyOf(store: ThreadStore, params: ForkThread): Promise<RolloutItem[] | 'refused'> {
  try {
    await store.forkThread(params)
  } catch (error) {
    assert.ok(
      error instanceof ThreadStoreError && error.failure.code === 'invalid_request',
      `${error}`,
    )
    return 'refused'
  }
  const { items, damage } = await store.loadHistory(params.threadId)
  assert.deepEqual(damage, [])
  const [head, ...body] = items
  assert.equal(head?.type === 'session_meta' && head.payload.id, params.threadId)
  return body
}

/** A turn of the log, also one that is taken back, or none. */
function throughOf(log: readonly RolloutItem[], pick: number): string | undefined {
  const shown = foldTurns(log).map(({ id }) => id)
  const all = [...shown, `turn-${pick % 10}`, 'of no turn', undefined]
  return all[pick % all.length]
}

const damage = fc.constantFrom('', '{"half":', '\n\n', '\uFFFD\n')
const tail = fc.constantFrom<readonly RolloutItem[]>([], [rolledBack(1)], [started('t')], says('x'))

describe('a fork of a local thread', () => {
  for (const isLong of [true, false]) {
    it(`has the items that the plain rule names, ${isLong ? 'indexed' : 'short'}`, async () => {
      const arbitraries = [fc.boolean(), damage, anyLog, tail, fc.nat(), fc.nat()] as const
      const property = fc.asyncProperty(...arbitraries, async (hasBom, bad, log, last, a, b) => {
        await using home = await CodexHome.create()
        const head = header(SOURCE, isLong ? LONG : {})
        const text = textOf([head, ...log.slice(0, 20)]) + bad + (bad === '' ? '' : '\n')
        const end = textOf([...log.slice(20), ...last])
        // A last line without its end is one all the same.
        const whole = `${hasBom ? '\uFEFF' : ''}${text}${hasBom ? end.trimEnd() : end}`
        await home.place({ n: 1, text: whole })
        await using store = home.store()
        const { items } = await store.loadHistory(SOURCE)
        const through = throughOf(items, a)
        const expected = forkedItems(items, through) ?? 'refused'
        assert.deepEqual(await bodyOf(store, forkOf(SOURCE, FORK, through)), expected)
        assert.deepEqual((await store.loadHistory(SOURCE)).items, items)
        if (expected === 'refused') return
        const first = await store.loadHistory(FORK)
        const next = throughOf(first.items, b)
        const again = forkedItems(first.items, next) ?? 'refused'
        assert.deepEqual(await bodyOf(store, forkOf(FORK, FORK_OF_FORK, next)), again)
      })
      await fc.assert(property, { numRuns: RUNS })
    })
  }

  it('has the items that a fork in memory has', async () => {
    const property = fc.asyncProperty(anyLog, fc.nat(), async (log, pick) => {
      await using home = await CodexHome.create()
      await home.place({ n: 1, items: log })
      await using local = home.store()
      await using memory = new InMemoryThreadStore(new FixedClock(Date.parse(AT)))
      const first = header(SOURCE)
      assert.ok(first.type === 'session_meta')
      await memory.createThread({
        threadId: SOURCE,
        createdAtMs: 0,
        header: async () => first.payload,
      })
      await memory.persistThread(SOURCE)
      const { items } = await local.loadHistory(SOURCE)
      await memory.appendItems(SOURCE, items.slice(1))
      const params = forkOf(SOURCE, FORK, throughOf(log, pick))
      assert.deepEqual(await bodyOf(local, params), await bodyOf(memory, params))
    })
    await fc.assert(property, { numRuns: RUNS })
  })

  it('does not take the place of a thread that is there', async () => {
    await using home = await CodexHome.create()
    await home.place({ n: 1, items: turn(1) })
    await using store = home.store()
    await store.forkThread(forkOf(SOURCE, FORK))
    const before = await store.loadHistory(FORK)
    await assert.rejects(store.forkThread(forkOf(SOURCE, FORK, 't1')), ThreadStoreError)
    assert.deepEqual(await store.loadHistory(FORK), before)
  })
})

/** Every file of a home that could be one of the fork. */
async function tracesOf(home: CodexHome): Promise<string[]> {
  const all = await readdir(home.path, { recursive: true })
  return all.filter((name) => name.includes(FORK))
}

describe('a fork whose file calls fail', () => {
  const items = [...turn(1), started('open')]

  /** Calls until the fork is whole; it is only looked at behind that. */
  async function callsOfFork(): Promise<number> {
    await using home = await CodexHome.create()
    await home.place({ n: 1, items })
    const files = new FaultyFileSystem()
    await using store = home.store(files)
    await store.forkThread(forkOf(SOURCE, FORK))
    const syncs = files.calls.filter(({ method }) => method === 'syncDirectory')
    return (syncs.at(-1)?.index ?? 0) + 1
  }

  const faults: readonly Fault[] = [
    { kind: 'fail', code: 'EIO' },
    { kind: 'late', code: 'ENOSPC' },
    { kind: 'cut', bytes: 7, code: 'ENOSPC' },
  ]
  for (const fault of faults) {
    it(`leaves no thread and no part of one: ${fault.kind}`, async () => {
      const end = await callsOfFork()
      assert.ok(end > 10)
      for (let at = 0; at < end; at += 1) {
        await using home = await CodexHome.create()
        await home.place({ n: 1, items })
        const files = new FaultyFileSystem(({ index }) => (index === at ? fault : undefined))
        await using store = home.store(files)
        const method = () => files.calls[at]?.method
        let isMade = true
        try {
          await store.forkThread(forkOf(SOURCE, FORK))
        } catch (error) {
          isMade = false
          assert.ok(error instanceof ThreadStoreError, `${error}`)
        }
        const traces = await tracesOf(home)
        assert.equal(traces.length, isMade ? 1 : 0, `${at} ${method()}: ${traces}`)
        assert.equal(files.openCount, 0, `${at} ${method()}`)
        if (!isMade) await store.forkThread(forkOf(SOURCE, FORK))
        assert.equal((await store.loadHistory(FORK)).items.length, items.length + 4, method())
      }
    })
  }

  it('is not stopped by what an earlier one has left', async () => {
    await using home = await CodexHome.create()
    await home.place({ n: 1, items })
    await using store = home.store()
    const { rolloutPath } = await store.forkThread(forkOf(SOURCE, FORK))
    await store.deleteThread(FORK)
    await writeFile(`${rolloutPath}.part`, 'rubbish')
    await store.forkThread(forkOf(SOURCE, FORK))
    assert.equal((await tracesOf(home)).length, 1)
  })
})
