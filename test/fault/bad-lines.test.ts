/**
 * Damage in a log costs the damaged line and no other: a last line cut at every byte, and rubbish
 * of many kinds in the middle. Everything that reads a thread keeps every good line, and tells the
 * place of the bad one; whoever goes on glues nothing to it.
 */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import type { RolloutItem } from '../../src/protocol/index.ts'
import { Workplace } from '../support/bobbin.ts'
import { CodexHome } from '../support/codex-home.ts'
import { assistantText, header, item, textOf, threadIdOf, turn } from '../support/thread-log.ts'
import { assertRead, assertSearched, BIG, GOOD, goOn, ID, LAST, RUBBISH } from './damaged-log.ts'

/** After so many cuts one is gone on from; each is read. */
const STRIDE = Number(process.env.BOBBIN_STRIDE ?? 5)

const FORK = threadIdOf(2)
const ORIGIN = { originator: 'test', cli_version: '0', source: 'cli' } as const

describe('a log whose last line is cut off', () => {
  const whole = Buffer.from(textOf([...GOOD, LAST]))
  const start = Buffer.byteLength(textOf(GOOD))
  const lastNumber = GOOD.length + 1

  it('at any byte, keeps all the others, and goes on behind it', async () => {
    await using home = await CodexHome.create()
    const path = await home.place({ n: 1 })
    for (let cut = start; cut <= whole.length; cut += 1) {
      await writeFile(path, whole.subarray(0, cut))
      // All of its bytes but the newline are all of it.
      const isKept = cut >= whole.length - 1
      const isTorn = cut > start && !isKept
      const bad = isTorn ? [lastNumber] : []
      const items = isKept ? [...GOOD, LAST] : GOOD
      await using store = home.store()
      await assertRead(store, items, bad)
      if (cut % STRIDE > 0 && cut < whole.length - 2) continue
      const notices = await goOn(store)
      assert.equal(notices.length, cut > start && cut < whole.length ? 1 : 0)
      await assertRead(store, [...items, ...turn(3)], bad)
      const bytes = await readFile(path)
      assert.ok(bytes.subarray(0, cut).equals(whole.subarray(0, cut)), `${cut}: what was there`)
    }
  })

  it('is searched, wherever it is cut', async () => {
    await using home = await CodexHome.create()
    const path = await home.place({ n: 1 })
    await using store = home.store()
    for (const cut of [1, 40, whole.length - start - 20, whole.length - start - 1]) {
      await writeFile(path, whole.subarray(0, start + cut))
      await assertSearched(store)
      await goOn(store)
      await assertSearched(store)
    }
  })
})

describe('a log with a bad line in the middle', () => {
  for (const [what, bytes] of Object.entries(RUBBISH)) {
    it(`keeps all good lines around ${what}`, async () => {
      await using home = await CodexHome.create()
      const path = await home.place({ n: 1 })
      const before = textOf([header(ID), ...turn(1), ...turn(2).slice(0, 3)])
      const after = textOf(turn(2).slice(3))
      const bad = [before.split('\n').length]
      await writeFile(
        path,
        Buffer.concat([Buffer.from(before), bytes(), Buffer.from(`\n${after}`)]),
      )
      await using store = home.store()
      await assertRead(store, GOOD, bad)
      await assertSearched(store)
      assert.deepEqual(await goOn(store), [])
      await assertRead(store, [...GOOD, ...turn(3)], bad)
      await assertSearched(store)
      const copy = { sourceId: ID, threadId: FORK, createdAtMs: 0, origin: ORIGIN }
      await store.forkThread(copy)
      const { items, damage } = await store.loadHistory(FORK)
      assert.deepEqual(items.slice(2), [...turn(1), ...turn(2), ...turn(3)])
      assert.deepEqual(damage, [])
    })
  }

  it('takes a good line of 50 MB like the others', async () => {
    await using home = await CodexHome.create()
    const path = await home.place({ n: 1 })
    const big = item(assistantText('x'.repeat(BIG)))
    await writeFile(path, textOf([header(ID), ...turn(1), big, ...turn(2)]))
    await using store = home.store()
    const { items, damage } = await store.loadHistory(ID)
    assert.deepEqual([items.length, damage], [GOOD.length + 1, []])
    await goOn(store)
    const page = await store.listTurns({ threadId: ID, limit: 9, direction: 'asc' })
    assert.deepEqual(
      page.turns.map(({ id }) => id),
      ['t1', 't2', 't3'],
    )
    await assertSearched(store)
  })

  it('is exported without it, and the person is told where it is', async () => {
    await using place = await Workplace.create()
    await using home = await CodexHome.create()
    const lines = Object.entries(RUBBISH).filter(([what]) => !what.startsWith('50 MB'))
    const bytes = lines.flatMap(([, make]) => [make(), Buffer.from('\n')])
    const text = (items: readonly RolloutItem[]) => Buffer.from(textOf(items))
    const path = await home.place({ n: 1 })
    await writeFile(path, Buffer.concat([text([header(ID), ...turn(1)]), ...bytes, text(turn(2))]))
    const environment = { BOBBIN_HOME: home.path }
    for (const format of ['markdown', 'html', 'jsonl']) {
      const args = ['threads', 'export', ID, '--format', format]
      const { exitCode, stdout, stderr } = await place.run(args, { environment })
      assert.equal(exitCode, 0, stderr)
      for (const said of ['u1', 'a1', 'u2', 'a2']) assert.ok(stdout.includes(said), `${said}`)
      const warned = stderr.match(/^warning: .*:\d+ .*; everything else is exported$/gm) ?? []
      assert.equal(warned.length, lines.length, stderr)
    }
  })
})
