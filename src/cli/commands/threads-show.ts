import { foldTurns } from '../../history/index.ts'
import type { ThreadId, Turn } from '../../protocol/index.ts'
import type { StoredHistory, StoredThread, ThreadStore } from '../../thread-store/index.ts'
import { CliError } from '../cli-error.ts'
import { openHomeStore } from '../compose.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { wantedThread } from '../find-thread.ts'
import { Terminal } from '../output/terminal.ts'
import { SCHEMA_VERSION, threadJson } from '../output/thread-json.ts'
import { printThread } from '../output/thread-text.ts'

export interface ThreadsShowFlags {
  readonly json?: boolean
  readonly last?: boolean
  readonly turns?: string
}

interface Shown {
  readonly thread: StoredThread
  readonly turns: readonly Turn[]
  readonly damage: StoredHistory['damage']
}

/** Prints a thread with its turns, or the last of them. */
export async function runThreadsShow(
  id: string | undefined,
  flags: ThreadsShowFlags,
): Promise<ExitCode> {
  const count = flags.turns === undefined ? undefined : Number(flags.turns)
  if (count !== undefined && (!Number.isInteger(count) || count < 1)) {
    throw new CliError(EXIT.usage, `--turns ${flags.turns}: not a number from 1 on`)
  }
  await using store = openHomeStore()
  const threadId = await wantedThread(store, id, flags.last === true)
  const { thread, turns, damage } = await (count === undefined
    ? wholeThread(store, threadId)
    : lastTurns(store, threadId, count))
  for (const { place, reason } of damage) {
    process.stderr.write(`warning: ${place} ${reason}; everything else is shown\n`)
  }
  if (flags.json) {
    const output = { schemaVersion: SCHEMA_VERSION, thread: threadJson(thread), turns, damage }
    process.stdout.write(`${JSON.stringify(output)}\n`)
  } else printThread(new Terminal(process.stdout), thread, turns)
  return EXIT.ok
}

async function wholeThread(store: ThreadStore, threadId: ThreadId): Promise<Shown> {
  const { thread, items, damage } = await store.loadHistory(threadId)
  return { thread, turns: foldTurns(items), damage }
}

/** However long the thread is, only these are read. */
async function lastTurns(store: ThreadStore, threadId: ThreadId, limit: number): Promise<Shown> {
  const { turns } = await store.listTurns({ threadId, limit, direction: 'desc' })
  const thread = await store.readThread(threadId)
  return { thread, turns: turns.toReversed(), damage: [] }
}
