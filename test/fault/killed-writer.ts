/** A process that appends numbers to a file and is killed, again and again. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { nodeFileSystem } from '../../src/base/index.ts'
import { messageText } from '../../src/protocol/index.ts'
import { DURABILITY_LEVELS, loadRollout } from '../../src/rollout/index.ts'

const CHILD = join(import.meta.dirname, 'append-numbers.ts')

export interface Kill {
  readonly level: string
  /** Printed numbers after which the kill comes, and how many turns of the loop later. */
  readonly afterNumbers: number
  readonly afterTicks: number
  /** Half a line is added, as by a write that a power cut stopped. */
  readonly isTornBesides: boolean
}

export const anyKill: fc.Arbitrary<Kill> = fc.record({
  level: fc.constantFrom(...DURABILITY_LEVELS),
  afterNumbers: fc.integer({ min: 1, max: 60 }),
  afterTicks: fc.integer({ min: 0, max: 20 }),
  isTornBesides: fc.boolean(),
})

/** Runs the child until its kill; answers the numbers that it had printed. */
async function appendUntilKilled(path: string, first: number, kill: Kill): Promise<number[]> {
  const args = [CHILD, path, String(first), kill.level]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let printed = ''
  let ticks = kill.afterTicks
  const later = () => {
    if (ticks === 0) child.kill('SIGKILL')
    else setImmediate(later)
    ticks -= 1
  }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const before = printed.split('\n').length
    printed += text
    const now = printed.split('\n').length
    if (before <= kill.afterNumbers && now > kill.afterNumbers) later()
  })
  const [exitCode, signal] = await once(child, 'close')
  assert.deepEqual([exitCode, signal], [null, 'SIGKILL'])
  return printed.split('\n').slice(0, -1).map(Number)
}

interface Found {
  readonly numbers: readonly number[]
  /** Whole lines that cannot be read. */
  readonly damagedCount: number
  /** The file ends in a part of a line. */
  readonly isTorn: boolean
}

async function look(path: string): Promise<Found> {
  const { items, damage } = await loadRollout(nodeFileSystem, path)
  const wholeLines = (await readFile(path, 'utf8')).split('\n').length - 1
  const damagedCount = damage.filter((each) => each.lineNumber <= wholeLines).length
  const numbers = items.flatMap((item) =>
    item.type === 'response_item' && item.payload.type === 'message'
      ? [Number(messageText(item.payload).split(' ')[0])]
      : [],
  )
  return { numbers, damagedCount, isTorn: damage.length > damagedCount }
}

/**
 * One file, killed so often: while it is made, and then while it is written on. Every number whose
 * append had returned is there, and nothing is glued to a torn line. Answers how many there are.
 */
export async function killWriter(path: string, kills: readonly Kill[]): Promise<number> {
  let next = 0
  let tornCount = 0
  for (const kill of kills) {
    const printed = await appendUntilKilled(path, next, kill)
    const found = await look(path)
    next = found.numbers.length
    assert.deepEqual(
      found.numbers,
      Array.from({ length: next }, (_, n) => n),
    )
    assert.ok(next > (printed.at(-1) ?? -1), `${printed.at(-1)} was printed, and is lost`)
    assert.equal(found.damagedCount, tornCount)
    if (kill.isTornBesides && !found.isTorn) await appendFile(path, '{"timestamp":"2026')
    if ((await look(path)).isTorn) tornCount += 1
  }
  return next
}
