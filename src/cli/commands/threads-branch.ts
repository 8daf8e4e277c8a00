import { bobbinVersion, systemClock } from '../../base/index.ts'
import { foldTurns } from '../../history/index.ts'
import { newThreadId } from '../../protocol/index.ts'
import { rollBackThread } from '../../thread-store/index.ts'
import { CliError } from '../cli-error.ts'
import { openHomeStore } from '../compose.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { wantedThread } from '../find-thread.ts'
import { Terminal } from '../output/terminal.ts'
import { SCHEMA_VERSION, threadJson } from '../output/thread-json.ts'
import { printThread, printThreadLine } from '../output/thread-text.ts'

export interface ForkFlags {
  readonly json?: boolean
  readonly last?: boolean
  readonly at?: string
}

export interface RollbackFlags {
  readonly json?: boolean
  readonly last?: boolean
  readonly turns: string
}

/** Makes a new thread that begins as another. */
export async function runThreadsFork(id: string | undefined, flags: ForkFlags): Promise<ExitCode> {
  await using store = openHomeStore()
  const thread = await store.forkThread({
    sourceId: await wantedThread(store, id, flags.last === true),
    threadId: newThreadId(),
    createdAtMs: systemClock.nowMs(),
    origin: { originator: 'bobbin', cli_version: bobbinVersion(), source: 'cli' },
    ...(flags.at === undefined ? {} : { throughTurnId: flags.at }),
  })
  if (flags.json) {
    const output = { schemaVersion: SCHEMA_VERSION, thread: threadJson(thread) }
    process.stdout.write(`${JSON.stringify(output)}\n`)
  } else printThreadLine(new Terminal(process.stdout), thread)
  return EXIT.ok
}

/** Takes the last turns of a thread back, and shows what is left. */
export async function runThreadsRollback(
  id: string | undefined,
  flags: RollbackFlags,
): Promise<ExitCode> {
  const count = Number(flags.turns)
  if (!Number.isInteger(count) || count < 1) {
    throw new CliError(EXIT.usage, `--turns ${flags.turns}: not a number from 1 on`)
  }
  await using store = openHomeStore()
  const threadId = await wantedThread(store, id, flags.last === true)
  await rollBackThread(store, threadId, count)
  const { thread, items } = await store.loadHistory(threadId)
  const turns = foldTurns(items)
  if (flags.json) {
    const output = { schemaVersion: SCHEMA_VERSION, thread: threadJson(thread), turns }
    process.stdout.write(`${JSON.stringify(output)}\n`)
  } else printThread(new Terminal(process.stdout), thread, turns)
  return EXIT.ok
}
