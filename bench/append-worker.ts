/**
 * Appends of Bobbin's store beside the same bytes by bare system calls, in one process. A question
 * names the durability and how many threads append at once; the answer is the time of one batch,
 * over rounds in which every thread appends one. Argument: home.
 */
import { fdatasync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { numberAt } from '../src/base/index.ts'
import { newThreadId, newTurnId, type RolloutItem, type ThreadId } from '../src/protocol/index.ts'
import { encodeLine } from '../src/rollout/index.ts'
import type { LocalThreadStore } from '../src/thread-store/index.ts'
import { SeededText } from './seeded-text.ts'
import { openStoreUnderTest } from './store-under-test.ts'
import { answerQuestions, timed } from './worker.ts'

const BATCH_ITEMS = 10
const ROUNDS = 10

const home = process.argv[2] ?? ''
const text = new SeededText(11)
const batch = Array.from({ length: BATCH_ITEMS }, (_, n) => anItem(n))
const timestamp = '2026-11-20T09:00:00.000Z'
const batchBytes = Buffer.from(batch.map((item) => encodeLine({ timestamp, item })).join(''))
const threads = new Map<string, Appenders>()
const floorFiles: number[] = []
const syncData = promisify(fdatasync)

interface Appenders {
  readonly store: LocalThreadStore
  readonly ids: readonly ThreadId[]
}

function anItem(n: number): RolloutItem {
  const call_id = `call_${text.hex(24)}`
  if (n % 2 === 0) {
    const args = JSON.stringify({ cmd: text.prose(80) })
    const payload = { type: 'function_call', name: 'exec_command', arguments: args, call_id }
    return { type: 'response_item', payload: payload as { type: 'function_call' } & typeof payload }
  }
  const output = text.prose(text.count(300, 2_500))
  return { type: 'response_item', payload: { type: 'function_call_output', call_id, output } }
}

type Level = 'process' | 'power'

async function appenders(durability: Level, count: number): Promise<Appenders> {
  const key = `${durability} ${count}`
  const present = threads.get(key)
  if (present) return present
  const store = openStoreUnderTest(home, durability)
  const ids = Array.from({ length: count }, () => newThreadId())
  for (const threadId of ids) await begin(store, threadId)
  threads.set(key, { store, ids })
  return { store, ids }
}

async function begin(store: LocalThreadStore, threadId: ThreadId): Promise<void> {
  const createdAtMs = Date.now()
  const header = async () => ({
    id: threadId,
    timestamp: new Date(createdAtMs).toISOString(),
    cwd: '/home/dev/web',
    originator: 'bobbin_bench',
    cli_version: '0.0.0',
    source: 'cli' as const,
  })
  await store.createThread({ threadId, createdAtMs, header })
  const started = {
    type: 'task_started' as const,
    turn_id: newTurnId(),
    started_at: Math.floor(createdAtMs / 1000),
    model_context_window: null,
    collaboration_mode_kind: 'default' as const,
  }
  await store.appendItems(threadId, [{ type: 'event_msg', payload: started }])
}

async function appendRounds({ store, ids }: Appenders): Promise<void> {
  for (let round = 0; round < ROUNDS; round += 1) {
    await Promise.all(ids.map((threadId) => store.appendItems(threadId, batch)))
  }
}

/**
 * What every writer of lines in files of their own has to do at least: make the text, write it, and
 * wait for the device, all files at once.
 */
async function writeRounds(durability: Level, count: number): Promise<void> {
  const files = openFloorFiles(count)
  for (let round = 0; round < ROUNDS; round += 1) {
    await Promise.all(
      files.map(async (file) => {
        const lines = batch.map((item) => encodeLine({ timestamp, item }))
        writeSync(file, Buffer.from(lines.join('')))
        if (durability === 'power') await syncData(file)
      }),
    )
  }
}

/** The kernel alone: bytes that are there already. */
function writeBytes(): void {
  for (const file of openFloorFiles(1)) {
    for (let round = 0; round < ROUNDS; round += 1) writeSync(file, batchBytes)
  }
}

function openFloorFiles(count: number): number[] {
  while (floorFiles.length < count) {
    floorFiles.push(openSync(join(home, `floor-${floorFiles.length}.jsonl`), 'a'))
  }
  return floorFiles.slice(0, count)
}

await answerQuestions(async (question) => {
  const durability = question.durability === 'power' ? 'power' : 'process'
  const count = numberAt(question, 'threads') ?? 1
  const isFloor = question.program !== 'bobbin'
  const sides = isFloor ? undefined : await appenders(durability, count)
  const { ms } = await timed(async () => {
    if (sides) return appendRounds(sides)
    return question.program === 'bytes' ? writeBytes() : writeRounds(durability, count)
  })
  return { ms: ms / (ROUNDS * count) }
})
for (const { store } of threads.values()) await store[Symbol.asyncDispose]()
