import { parseThreadId, type ThreadId } from '../protocol/index.ts'
import type { ListThreads, StoredThread, ThreadStore } from '../thread-store/index.ts'
import { CliError } from './cli-error.ts'
import { workingFolder } from './exec-options.ts'
import { EXIT } from './exit-codes.ts'

const PAGE = 2000

/** Every listed thread, active ones first. */
async function* allThreads(store: ThreadStore): AsyncGenerator<StoredThread> {
  for (const isArchived of [false, true]) {
    let cursor: string | undefined
    do {
      const params: ListThreads = {
        limit: PAGE,
        sortKey: 'created',
        isArchived,
        includeSubagents: true,
        ...(cursor === undefined ? {} : { cursor }),
      }
      const page = await store.listThreads(params)
      yield* page.threads
      cursor = page.nextCursor ?? undefined
    } while (cursor !== undefined)
  }
}

/**
 * The thread that a person means by a full id, a unique beginning of one, or an exact name.
 * Throws a `CliError` that lists the candidates when there are several.
 */
export async function findThread(store: ThreadStore, words: string): Promise<ThreadId> {
  const whole = parseThreadId(words)
  if (whole) return whole
  const wanted = words.toLowerCase()
  const isPrefix = /^[0-9a-f][0-9a-f-]{3,}$/.test(wanted)
  const matches: StoredThread[] = []
  for await (const thread of allThreads(store)) {
    if (thread.name === words || (isPrefix && thread.threadId.startsWith(wanted))) {
      matches.push(thread)
    }
  }
  const [first] = matches
  if (!first) {
    if (/^[0-9a-f]{1,3}$/.test(wanted)) {
      const hint = 'a beginning of an id has four characters or more'
      throw new CliError(EXIT.notFound, `no thread with name \`${words}\``, hint)
    }
    const hint = '`bobbin threads list` shows what there is'
    throw new CliError(EXIT.notFound, `no thread with id or name \`${words}\``, hint)
  }
  if (matches.length === 1) return first.threadId
  const ids = matches.map((each) => each.threadId).join(', ')
  throw new CliError(EXIT.usage, `\`${words}\` means several threads`, `say which one: ${ids}`)
}

/** The newest thread that was started in `cwd`. */
export async function lastThread(store: ThreadStore, cwd: string): Promise<ThreadId> {
  const page = await store.listThreads({
    limit: 1,
    sortKey: 'updated',
    isArchived: false,
    cwd,
    includeSubagents: false,
  })
  const [thread] = page.threads
  if (thread) return thread.threadId
  const hint = '`bobbin threads list` shows those of all folders'
  throw new CliError(EXIT.notFound, `no thread was started in ${cwd}`, hint)
}

/** The one thread that a command is about: the word given, or the newest of this folder. */
export function wantedThread(
  store: ThreadStore,
  word: string | undefined,
  isLast: boolean,
): Promise<ThreadId> {
  if (isLast && word === undefined) return lastThread(store, workingFolder(undefined))
  if (word !== undefined && !isLast) return findThread(store, word)
  const question = word === undefined ? 'which thread?' : `\`${word}\` or --last?`
  throw new CliError(EXIT.usage, question, 'give an id or a name, or --last')
}
