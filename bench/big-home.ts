/** A home with many threads, as months of daily work leave it. */
import { mkdir, utimes, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { parseThreadId } from '../src/protocol/index.ts'
import { rolloutPath } from '../src/rollout/index.ts'
import { PROVIDER } from '../test/conformance/scratch.ts'
import { madeOnce } from './made-once.ts'
import { RolloutText } from './rollout-text.ts'
import { SeededText } from './seeded-text.ts'

export interface BigHomePlan {
  readonly threads: number
  readonly turns: number
}

/** In one message of one thread in a thousand. */
export const RARE_WORD = 'quokka'
/** In a message of every twentieth thread, side by side. */
export const TWO_WORDS = 'flywheel governor'
/** In nearly every message. */
export const FREQUENT_WORD = 'build'

const SEED = 20_261_120
const DAYS = 200
const DAY_MS = 24 * 60 * 60 * 1000
const NEWEST_MS = Date.UTC(2026, 10, 20, 9)
const WRITERS = 16
const PROJECTS = ['web', 'api', 'infra', 'docs', 'mobile', 'search', 'tools'] as const

/** The folder of a home with `sessions/`, the same for the same plan. Not to be changed. */
export function bigHome(plan: BigHomePlan): Promise<string> {
  return madeOnce(`home-${plan.threads}x${plan.turns}`, (home) => writeHome(home, plan))
}

async function writeHome(home: string, plan: BigHomePlan): Promise<void> {
  const text = new SeededText(SEED)
  const folders = new Set<string>()
  for (let from = 0; from < plan.threads; from += WRITERS) {
    const writes: Promise<void>[] = []
    for (let n = from; n < Math.min(from + WRITERS, plan.threads); n += 1) {
      const made = makeThread(home, plan, n, text)
      if (!folders.has(dirname(made.path))) await mkdir(dirname(made.path), { recursive: true })
      folders.add(dirname(made.path))
      writes.push(writeThread(made))
    }
    await Promise.all(writes)
  }
}

interface MadeThread {
  readonly path: string
  readonly text: string
  readonly modifiedAtMs: number
}

function makeThread(home: string, plan: BigHomePlan, n: number, text: SeededText): MadeThread {
  const spacingMs = (DAYS * DAY_MS) / plan.threads
  const startMs = Math.floor(NEWEST_MS - n * spacingMs - text.random() * spacingMs * 0.5)
  const threadId = parseThreadId(text.uuid(startMs))
  if (!threadId) throw new Error('a made id is no thread id')
  const cwd = `/home/dev/${PROJECTS[n % PROJECTS.length]}`
  const rollout = new RolloutText({ threadId, startMs, cwd, provider: PROVIDER }, text)
  for (let turn = 0; turn < plan.turns; turn += 1) {
    const opening = openingOf(n, turn)
    rollout.addTurn({
      steps: text.count(1, 3),
      outputChars: [200, 2_500],
      hasLongOutputs: false,
      ...(opening === undefined ? {} : { opening }),
    })
  }
  // One in ten was taken up again days later, so that the two orders differ.
  const idleMs = n % 10 === 0 ? text.random() * Math.min(30 * DAY_MS, n * spacingMs) : 0
  const path = rolloutPath(home, threadId, startMs)
  return { path, text: rollout.take(), modifiedAtMs: rollout.nowMs + idleMs }
}

function openingOf(n: number, turn: number): string | undefined {
  if (turn === 0) return `Task ${n}: ${n % 20 === 7 ? TWO_WORDS : 'please'}`
  if (turn === 1 && n % 1000 === 1) return RARE_WORD
  return turn === 2 && n % 20 === 3 ? TWO_WORDS : undefined
}

async function writeThread({ path, text, modifiedAtMs }: MadeThread): Promise<void> {
  await writeFile(path, text, 'latin1')
  await utimes(path, modifiedAtMs / 1000, modifiedAtMs / 1000)
}
