import { resolve } from 'node:path'
import type { SearchPage, SearchThreads, ThreadStore } from '../../thread-store/index.ts'
import { CliError } from '../cli-error.ts'
import { openHomeStore } from '../compose.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { Interrupt } from '../interrupt.ts'
import { Progress } from '../output/progress.ts'
import { hitJson, printHit } from '../output/search-text.ts'
import { printable, Terminal } from '../output/terminal.ts'
import { SCHEMA_VERSION } from '../output/thread-json.ts'
import { checkOneJson, type PageFlags, pageLimit } from '../page-flags.ts'

export interface ThreadsSearchFlags extends PageFlags {
  readonly cursor?: string
  readonly cwd?: string
  readonly archived?: boolean
  readonly all?: boolean
}

function searchParams(words: readonly string[], flags: ThreadsSearchFlags): SearchThreads {
  const query = words.join(' ')
  if (!/[\p{L}\p{N}]/u.test(query)) {
    const remedy = 'give at least one letter or digit'
    throw new CliError(EXIT.usage, `\`${query}\` holds no word to look for`, remedy)
  }
  return {
    query,
    limit: pageLimit(flags, 'hits'),
    isArchived: flags.archived === true,
    includeSubagents: flags.all === true,
    ...(flags.cursor === undefined ? {} : { cursor: flags.cursor }),
    ...(flags.cwd === undefined ? {} : { cwd: resolve(flags.cwd) }),
  }
}

/** Prints the turns that hold all of the words; as JSON lines all of them, unless limited. */
export async function runThreadsSearch(
  words: readonly string[],
  flags: ThreadsSearchFlags,
): Promise<ExitCode> {
  checkOneJson(flags)
  const params = searchParams(words, flags)
  using interrupt = new Interrupt()
  try {
    await using store = openHomeStore()
    const hasAllPages = flags.jsonl === true && flags.limit === undefined
    await printPages(store, { ...params, signal: interrupt.signal }, flags, hasAllPages)
    return EXIT.ok
  } catch (error) {
    if (!interrupt.signal.aborted) throw error
    throw new CliError(EXIT.interrupted, 'interrupted')
  }
}

async function printPages(
  store: ThreadStore,
  params: SearchThreads,
  flags: ThreadsSearchFlags,
  hasAllPages: boolean,
): Promise<void> {
  const warned = new Set<string>()
  let page = await searchPage(store, params)
  const isEmpty = page.hits.length === 0
  for (;;) {
    warn(page.unreadable.filter(({ path }) => !warned.has(path)))
    for (const { path } of page.unreadable) warned.add(path)
    print(page, params.query, flags)
    const cursor = page.nextCursor
    if (cursor === null || !hasAllPages) break
    page = await searchPage(store, { ...params, cursor })
  }
  if (isEmpty) process.stderr.write(`no threads hold ${printable(params.query)}\n`)
  if (page.nextCursor !== null && !flags.json) {
    process.stderr.write(`more: add --cursor ${page.nextCursor}\n`)
  }
}

async function searchPage(store: ThreadStore, params: SearchThreads): Promise<SearchPage> {
  using progress = new Progress('threads read for the index')
  return await store.searchThreads({
    ...params,
    onProgress: ({ doneThreads, totalThreads }) => progress.show(doneThreads, totalThreads),
  })
}

function print(
  { hits, nextCursor, unreadable }: SearchPage,
  query: string,
  flags: PageFlags,
): void {
  if (flags.json) {
    const told = { schemaVersion: SCHEMA_VERSION, hits: hits.map(hitJson), nextCursor, unreadable }
    process.stdout.write(`${JSON.stringify(told)}\n`)
  } else if (flags.jsonl) {
    process.stdout.write(hits.map((hit) => `${JSON.stringify(hitJson(hit))}\n`).join(''))
  } else {
    const out = new Terminal(process.stdout)
    for (const hit of hits) printHit(out, hit, query)
  }
}

function warn(unreadable: SearchPage['unreadable']): void {
  for (const { path, reason } of unreadable) {
    process.stderr.write(`warning: cannot search ${path}: ${reason}\n`)
  }
}
