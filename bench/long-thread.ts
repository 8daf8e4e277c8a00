/** One thread that has grown long, with or without a compaction near its end. */
import { open, readFile, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { parseThreadId, type ThreadId } from '../src/protocol/index.ts'
import { rolloutPath } from '../src/rollout/index.ts'
import { PROVIDER } from '../test/conformance/scratch.ts'
import { madeOnce } from './made-once.ts'
import { RolloutText } from './rollout-text.ts'
import { SeededText } from './seeded-text.ts'

export interface LongThreadPlan {
  readonly megabytes: number
  readonly isCompacted: boolean
}

export interface LongThread {
  readonly threadId: ThreadId
  /** From the home. */
  readonly relativePath: string
  /** Of the file that lies in the folder of made inputs. Not to be changed. */
  readonly path: string
  readonly lastTurnId: string
}

const SEED = 7
const START_MS = Date.UTC(2026, 10, 1, 8)
const MEGABYTE = 1_000_000
/** More than a page of the newest turns. */
const TURNS_AFTER_COMPACTION = 24
/** About what a turn comes to. */
const TURN_BYTES = 50_000
const THREAD_FILE = 'thread.jsonl'
const LAST_TURN_FILE = 'last-turn'

/** The same thread for the same plan. */
export async function longThread(plan: LongThreadPlan): Promise<LongThread> {
  const kind = plan.isCompacted ? 'compacted' : 'plain'
  const text = new SeededText(SEED + plan.megabytes * 2 + Number(plan.isCompacted))
  const threadId = parseThreadId(text.uuid(START_MS))
  if (!threadId) throw new Error('a made id is no thread id')
  const folder = await madeOnce(`thread-${plan.megabytes}mb-${kind}`, async (into) => {
    const lastTurnId = await writeThread(join(into, THREAD_FILE), plan, threadId, text)
    await writeFile(join(into, LAST_TURN_FILE), lastTurnId)
  })
  return {
    threadId,
    relativePath: relative('/', rolloutPath('/', threadId, START_MS)),
    path: join(folder, THREAD_FILE),
    lastTurnId: await readFile(join(folder, LAST_TURN_FILE), 'utf8'),
  }
}

/** Answers the id of the last turn. */
async function writeThread(
  path: string,
  plan: LongThreadPlan,
  threadId: ThreadId,
  text: SeededText,
): Promise<string> {
  const cwd = '/home/dev/web'
  const rollout = new RolloutText({ threadId, startMs: START_MS, cwd, provider: PROVIDER }, text)
  const file = await open(path, 'wx')
  try {
    const addTurn = async () => {
      rollout.addTurn({ steps: text.count(2, 12), outputChars: [300, 6_000], hasLongOutputs: true })
      await file.appendFile(rollout.take(), 'latin1')
    }
    const size = plan.megabytes * MEGABYTE
    const tail = plan.isCompacted ? TURNS_AFTER_COMPACTION * TURN_BYTES : 0
    do await addTurn()
    while (rollout.sizeChars < size - tail)
    if (plan.isCompacted) {
      rollout.addCompaction()
      for (let turn = 0; turn < TURNS_AFTER_COMPACTION; turn += 1) await addTurn()
    }
  } finally {
    await file.close()
  }
  return rollout.turnIds.at(-1) ?? ''
}
