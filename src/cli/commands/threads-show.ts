import { foldTurns } from '../../history/index.ts'
import { openHomeStore } from '../compose.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { wantedThread } from '../find-thread.ts'
import { Terminal } from '../output/terminal.ts'
import { SCHEMA_VERSION, threadJson } from '../output/thread-json.ts'
import { printThread } from '../output/thread-text.ts'

export interface ThreadsShowFlags {
  readonly json?: boolean
  readonly last?: boolean
}

/** Prints a thread with its turns. */
export async function runThreadsShow(
  id: string | undefined,
  flags: ThreadsShowFlags,
): Promise<ExitCode> {
  await using store = openHomeStore()
  const threadId = await wantedThread(store, id, flags.last === true)
  const [thread, history] = await Promise.all([
    store.readThread(threadId),
    store.loadHistory(threadId),
  ])
  const turns = foldTurns(history.items)
  for (const { place, reason } of history.damage) {
    process.stderr.write(`warning: ${place} ${reason}; everything else is shown\n`)
  }
  if (flags.json) {
    const { damage } = history
    const output = { schemaVersion: SCHEMA_VERSION, thread: threadJson(thread), turns, damage }
    process.stdout.write(`${JSON.stringify(output)}\n`)
  } else printThread(new Terminal(process.stdout), thread, turns)
  return EXIT.ok
}
