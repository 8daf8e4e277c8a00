import { createInterface } from 'node:readline/promises'
import type { ThreadId } from '../../protocol/index.ts'
import type { StoredThread, ThreadStore } from '../../thread-store/index.ts'
import { CliError } from '../cli-error.ts'
import { openHomeStore } from '../compose.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { findThread, wantedThread } from '../find-thread.ts'
import { Terminal } from '../output/terminal.ts'
import { SCHEMA_VERSION, threadJson } from '../output/thread-json.ts'
import { printThreadLine } from '../output/thread-text.ts'

export interface ChangeFlags {
  readonly json?: boolean
  readonly last?: boolean
}

export interface NameFlags extends ChangeFlags {
  readonly clear?: boolean
}

export interface DeleteFlags extends ChangeFlags {
  readonly yes?: boolean
}

/** Gives a thread a name, or takes it away. */
export function runThreadsName(words: readonly string[], flags: NameFlags): Promise<ExitCode> {
  const ids = flags.last ? [] : words.slice(0, 1)
  const [name, ...more] = flags.last ? words : words.slice(1)
  if (more.length > 0) throw new CliError(EXIT.usage, `unexpected \`${more[0]}\``, 'quote the name')
  if (flags.clear ? name !== undefined : name === undefined) {
    const usage = 'bobbin threads name ID NAME, or bobbin threads name ID --clear'
    throw new CliError(EXIT.usage, 'a name, or --clear?', usage)
  }
  const patch = { name: flags.clear ? null : (name ?? '') }
  const done = flags.clear ? 'took the name from' : 'named'
  return onEach(ids, flags, done, (store, threadId) => {
    return store.updateThreadMetadata(threadId, patch)
  })
}

/** Takes threads out of the usual list. */
export function runThreadsArchive(ids: readonly string[], flags: ChangeFlags): Promise<ExitCode> {
  return onEach(ids, flags, 'archived', async (store, threadId) => {
    await store.archiveThread(threadId)
    return store.readThread(threadId)
  })
}

/** Brings archived threads back. */
export function runThreadsUnarchive(ids: readonly string[], flags: ChangeFlags): Promise<ExitCode> {
  return onEach(ids, flags, 'brought back', (store, threadId) => store.unarchiveThread(threadId))
}

/** Removes threads for good, once that was confirmed. */
export async function runThreadsDelete(
  ids: readonly string[],
  flags: DeleteFlags,
): Promise<ExitCode> {
  await using store = openHomeStore()
  const threads: StoredThread[] = []
  for (const threadId of await wantedThreads(store, ids, flags)) {
    threads.push(await store.readThread(threadId))
  }
  if (!flags.yes) await confirmDeletion(threads, flags.json === true)
  for (const { threadId } of threads) await store.deleteThread(threadId)
  report(threads, flags, 'deleted')
  return EXIT.ok
}

async function confirmDeletion(threads: readonly StoredThread[], isJson: boolean): Promise<void> {
  const canAsk = process.stdin.isTTY && process.stderr.isTTY
  const err = new Terminal(process.stderr)
  if (canAsk || !isJson) for (const thread of threads) printThreadLine(err, thread)
  const bytes = threads.reduce((sum, thread) => sum + thread.sizeBytes, 0)
  const what = `${threads.length} ${threads.length === 1 ? 'thread' : 'threads'}, ${bytes} bytes`
  if (!canAsk) {
    throw new CliError(EXIT.unconfirmed, `delete ${what}?`, 'nothing was deleted; add --yes')
  }
  using prompt = createInterface({ input: process.stdin, output: process.stderr })
  const answer = await prompt.question(`Delete ${what}, for good? [y/N] `)
  if (!/^y(es)?$/i.test(answer.trim())) {
    throw new CliError(EXIT.unconfirmed, 'nothing was deleted')
  }
}

/** Ids first, work then: a word that means nothing changes nothing. */
async function wantedThreads(
  store: ThreadStore,
  words: readonly string[],
  flags: ChangeFlags,
): Promise<ThreadId[]> {
  const isLast = flags.last === true
  if (isLast || words.length === 0) return [await wantedThread(store, words[0], isLast)]
  const threadIds: ThreadId[] = []
  for (const word of words) threadIds.push(await findThread(store, word))
  return [...new Set(threadIds)]
}

async function onEach(
  words: readonly string[],
  flags: ChangeFlags,
  done: string,
  change: (store: ThreadStore, threadId: ThreadId) => Promise<StoredThread>,
): Promise<ExitCode> {
  await using store = openHomeStore()
  const changed: StoredThread[] = []
  for (const threadId of await wantedThreads(store, words, flags)) {
    changed.push(await change(store, threadId))
  }
  report(changed, flags, done)
  return EXIT.ok
}

/** What was done is told beside what it was done to, which scripts may read. */
function report(threads: readonly StoredThread[], flags: ChangeFlags, done: string): void {
  if (flags.json) {
    const output = { schemaVersion: SCHEMA_VERSION, threads: threads.map(threadJson) }
    process.stdout.write(`${JSON.stringify(output)}\n`)
    return
  }
  const out = new Terminal(process.stdout)
  for (const thread of threads) printThreadLine(out, thread)
  const count = threads.length === 1 ? 'one thread' : `${threads.length} threads`
  process.stderr.write(`${done} ${count}\n`)
}
