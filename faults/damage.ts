/**
 * Logs that are damaged while nobody has them open: cut at every byte, with rubbish between the
 * lines, with a bit turned, with a header that is no header. Every line that is whole is read, the
 * bad ones are told of, and who goes on glues nothing to them.
 */
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { INDEX_FILE } from '../src/thread-store/index.ts'
import {
  assertRead,
  assertSearched,
  GOOD,
  goOn,
  ID,
  LAST,
  RUBBISH,
} from '../test/fault/damaged-log.ts'
import { ALL, CodexHome, idsOf } from '../test/support/codex-home.ts'
import { oneOf, type Random } from '../test/support/seeded-random.ts'
import { header, textOf, turn } from '../test/support/thread-log.ts'
import type { FaultClass } from './suite.ts'

const FIRST = header(ID)
/** A thread is listed once the person has said something. */
const LISTED = [FIRST, ...turn(0)]
const LOG = [...LISTED, ...turn(1), ...turn(2), LAST]
const WHOLE = Buffer.from(textOf(LOG))
const HEADER_BYTES = Buffer.byteLength(textOf([FIRST]))
/** Of the last turns each byte is a place for a cut. */
const FIRST_CUT = Buffer.byteLength(textOf(LISTED))
const CUTS_A_STEP = 40
const CUT_STEPS = Math.ceil((WHOLE.length - FIRST_CUT) / CUTS_A_STEP)

function removeIndex(home: CodexHome): void {
  for (const suffix of ['', '-wal', '-shm']) {
    rmSync(home.folder.at(INDEX_FILE + suffix), { force: true })
  }
}

/** Twice every cut: with the index that there was, and without one. */
export const tornTails: FaultClass = {
  name: 'damage: a log cut at each byte',
  goals: 'G5',
  steps: { short: 2, long: 2 * CUT_STEPS },
  async run(trial) {
    const isWithIndex = trial.number % 2 === 0
    const step = trial.isShort ? trial.random(CUT_STEPS) : Math.floor(trial.number / 2)
    const first = FIRST_CUT + step * CUTS_A_STEP
    for (let cut = first; cut < Math.min(first + CUTS_A_STEP, WHOLE.length + 1); cut += 1) {
      await trial.fault(`cut at byte ${cut} of ${WHOLE.length}`, async (checks) => {
        await using home = await CodexHome.create()
        const path = await home.place({ n: 1, text: WHOLE.toString() })
        if (isWithIndex) await home.fillIndex()
        await writeFile(path, WHOLE.subarray(0, cut))
        const { items, bad } = leftAt(cut)
        await using store = home.store(trial.lab.disk())
        await assertRead(store, items, bad)
        await goOn(store)
        await assertRead(store, [...items, ...turn(3)], bad)
        const bytes = await readFile(path)
        assert.ok(bytes.subarray(0, cut).equals(WHOLE.subarray(0, cut)), 'what was there')
        if (!isWithIndex) removeIndex(home)
        await using again = home.store(trial.lab.disk())
        await assertRead(again, [...items, ...turn(3)], bad)
        checks.add(items.length)
      })
    }
  },
}

/** The items before a cut, and the number of the line that it has torn. */
function leftAt(cut: number) {
  let end = 0
  let count = 0
  for (const item of LOG) {
    const size = Buffer.byteLength(textOf([item]))
    // All of its bytes but the newline are all of it.
    if (end + size - 1 > cut) break
    end += size
    count += 1
  }
  const isTorn = cut > end
  return { items: LOG.slice(0, count), bad: isTorn ? [count + 1] : [] }
}

export const rubbish: FaultClass = {
  name: 'damage: rubbish between lines',
  goals: 'G6',
  steps: { short: 1, long: GOOD.length },
  async run(trial) {
    const at = trial.isShort ? 1 + trial.random(GOOD.length) : trial.number + 1
    const before = textOf(GOOD.slice(0, at))
    const after = textOf(GOOD.slice(at))
    for (const [what, bytes] of Object.entries(RUBBISH)) {
      if (trial.isShort && what.startsWith('50 MB')) continue
      await trial.fault(`${what} behind line ${at}`, async (checks) => {
        await using home = await CodexHome.create()
        const path = await home.place({ n: 1 })
        await writeFile(
          path,
          Buffer.concat([Buffer.from(before), bytes(), Buffer.from(`\n${after}`)]),
        )
        await using store = home.store(trial.lab.disk())
        await assertRead(store, GOOD, [at + 1])
        await assertSearched(store)
        await goOn(store)
        await assertRead(store, [...GOOD, ...turn(3)], [at + 1])
        checks.add(GOOD.length)
      })
    }
  },
}

const FLIPS_A_STEP = 250

/** The whole log with these bits of a byte turned. */
function flipped(at: number, bits: number): Buffer {
  const bytes = Buffer.from(WHOLE)
  bytes.writeUInt8(bytes.readUInt8(at) ^ bits, at)
  return bytes
}

/**
 * A bit turned anywhere behind the header. What it makes of its own line, or of two when it was the
 * newline, cannot be known; all others have to be there, and the bad ones told.
 */
export const bitFlips: FaultClass = {
  name: 'damage: a bit flips',
  goals: 'G6',
  steps: { short: 1, long: 80 },
  async run(trial) {
    await using home = await CodexHome.create()
    const path = await home.place({ n: 1, text: WHOLE.toString() })
    for (let flip = 0; flip < FLIPS_A_STEP; flip += 1) {
      const at = HEADER_BYTES + trial.random(WHOLE.length - HEADER_BYTES)
      const bit = 1 << trial.random(8)
      await trial.fault(`byte ${at}, bit ${bit}`, async (checks) => {
        await writeFile(path, flipped(at, bit))
        await using store = home.store(trial.lab.disk())
        const { threads, unreadable } = await store.listThreads(ALL)
        assert.deepEqual([idsOf(threads), unreadable], [[ID], []])
        const { items, damage } = await store.loadHistory(ID)
        const texts = items.map((item) => JSON.stringify(item))
        const line = WHOLE.subarray(0, at).toString('latin1').split('\n').length - 1
        const isNewline = WHOLE[at] === 10
        const hit = isNewline ? [line, line + 1] : [line]
        for (const [index, item] of LOG.entries()) {
          if (hit.includes(index)) continue
          checks.add()
          assert.ok(texts.includes(JSON.stringify(item)), `line ${index + 1} is lost`)
        }
        const missing = LOG.length - items.length
        assert.ok(missing <= damage.length + (isNewline ? 1 : 0), 'the damage is not told')
      })
    }
  },
}

const HEADER = textOf([FIRST]).trimEnd()

/** First lines that are none, or not what they were. */
const HEADERS: { readonly [what: string]: () => Buffer } = {
  'a byte order mark': () => Buffer.from(`\uFEFF${HEADER}`),
  'CRLF at its end': () => Buffer.from(`${HEADER}\r`),
  'NULs before it': () => Buffer.from(`\0\0\0\0${HEADER}`),
  'NULs instead of it': () => Buffer.alloc(HEADER.length),
  'a byte that is no UTF-8': () => Buffer.concat([Buffer.from([0xff]), Buffer.from(HEADER)]),
  'half of it': () => Buffer.from(HEADER.slice(0, HEADER.length / 2)),
  'an empty line': () => Buffer.alloc(0),
  'another kind of line': () => Buffer.from(textOf([LAST]).trimEnd()),
}

export const badHeaders: FaultClass = {
  name: 'damage: the header',
  goals: 'G7',
  steps: { short: 1, long: 2 },
  async run(trial) {
    const isWithIndex = trial.number % 2 === 0
    for (const [what, bytes] of Object.entries(HEADERS)) {
      await trial.fault(`${what}, ${isWithIndex ? 'with' : 'without'} an index`, async (checks) => {
        await using home = await CodexHome.create()
        const path = await home.place({ n: 1, text: WHOLE.toString() })
        if (isWithIndex) await home.fillIndex()
        const rest = textOf(LOG.slice(1))
        await writeFile(path, Buffer.concat([bytes(), Buffer.from(`\n${rest}`)]))
        await using store = home.store(trial.lab.disk())
        const { threads } = await store.listThreads(ALL)
        assert.deepEqual(idsOf(threads), [ID], 'it is not listed')
        const { items } = await store.loadHistory(ID)
        const texts = items.map((item) => JSON.stringify(item))
        for (const item of LOG.slice(1)) {
          checks.add()
          assert.ok(texts.includes(JSON.stringify(item)), 'a good line is lost')
        }
        await goOn(store)
        const turns = await store.listTurns({ threadId: ID, limit: 9, direction: 'asc' })
        const ids = turns.turns.map(({ id }) => id)
        assert.deepEqual(ids.slice(-4), ['t0', 't1', 't2', 't3'], 'it does not go on')
      })
    }
  },
}

const ID_START = WHOLE.indexOf(ID)

/** A header with another good id is that of another thread: it is refused, and no damage. */
function byteBesideId(random: Random): number {
  const at = random(HEADER_BYTES - ID.length)
  return at < ID_START ? at : at + ID.length
}

export const flippedHeaders: FaultClass = {
  name: 'damage: a bit of the header flips',
  goals: 'G6 G7',
  steps: { short: 1, long: 20 },
  async run(trial) {
    await using home = await CodexHome.create()
    const path = await home.place({ n: 1, text: WHOLE.toString() })
    for (let flip = 0; flip < FLIPS_A_STEP / 5; flip += 1) {
      const at = byteBesideId(trial.random)
      const bit = 1 << oneOf(trial.random, [0, 1, 2, 3, 4, 5, 6, 7])
      await trial.fault(`byte ${at}, bit ${bit}`, async (checks) => {
        await writeFile(path, flipped(at, bit))
        // It would go on from what the log said before it was damaged.
        removeIndex(home)
        await using store = home.store(trial.lab.disk())
        assert.deepEqual(idsOf((await store.listThreads(ALL)).threads), [ID], 'it is not listed')
        const { items } = await store.loadHistory(ID)
        const texts = items.map((item) => JSON.stringify(item))
        const from = WHOLE[at] === 10 ? 2 : 1
        for (const item of LOG.slice(from)) {
          checks.add()
          assert.ok(texts.includes(JSON.stringify(item)), 'a good line is lost')
        }
      })
    }
  },
}
