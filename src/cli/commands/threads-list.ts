import { existsSync, realpathSync } from 'node:fs'
import { resolve } from 'node:path'
import { findWorkTreeRoot } from '../../base/index.ts'
import { resolveHome } from '../../config/index.ts'
import type { ListThreads, ThreadPage, ThreadStore } from '../../thread-store/index.ts'
import { CliError } from '../cli-error.ts'
import { openHomeStore } from '../compose.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { Progress } from '../output/progress.ts'
import { Terminal } from '../output/terminal.ts'
import { SCHEMA_VERSION, threadJson } from '../output/thread-json.ts'
import { printThreadLine } from '../output/thread-text.ts'
import { checkOneJson, type PageFlags, pageLimit, sinceMs } from '../page-flags.ts'

export interface ThreadsListFlags extends PageFlags {
  readonly cursor?: string
  readonly sort: string
  readonly cwd?: string
  readonly project?: string
  readonly archived?: boolean
  readonly all?: boolean
  readonly source?: string
  readonly provider?: string
  readonly branch?: string
  readonly text?: string
  readonly since?: string
}

/** The work tree that a folder is in, else the folder itself, which need not be there any more. */
function projectRoot(named: string): string {
  const folder = existsSync(named) ? realpathSync(named) : resolve(named)
  return findWorkTreeRoot(folder) ?? folder
}

function listParams(flags: ThreadsListFlags): ListThreads {
  if (flags.sort !== 'created' && flags.sort !== 'updated') {
    const remedy = 'give created or updated'
    throw new CliError(EXIT.usage, `--sort ${flags.sort}: no order of a list`, remedy)
  }
  return {
    limit: pageLimit(flags, 'threads'),
    sortKey: flags.sort,
    isArchived: flags.archived === true,
    includeSubagents: flags.all === true,
    ...(flags.cursor === undefined ? {} : { cursor: flags.cursor }),
    ...(flags.cwd === undefined ? {} : { cwd: resolve(flags.cwd) }),
    ...(flags.project === undefined ? {} : { projectRoot: projectRoot(flags.project) }),
    ...(flags.source === undefined ? {} : { source: flags.source }),
    ...(flags.provider === undefined ? {} : { modelProvider: flags.provider }),
    ...(flags.branch === undefined ? {} : { branch: flags.branch }),
    ...(flags.text === undefined ? {} : { text: flags.text }),
    ...(flags.since === undefined ? {} : { updatedSinceMs: sinceMs(flags.since) }),
  }
}

/** Prints a page of threads, newest first; as JSON lines all of them, unless a limit is given. */
export async function runThreadsList(flags: ThreadsListFlags): Promise<ExitCode> {
  checkOneJson(flags)
  using progress = new Progress('threads looked at')
  const onProgress: ListThreads['onProgress'] = ({ doneThreads, totalThreads }) =>
    progress.show(doneThreads, totalThreads)
  // Lines that come one by one are progress enough.
  const params = { ...listParams(flags), ...(flags.jsonl ? {} : { onProgress }) }
  await using store = openHomeStore()
  if (flags.jsonl) return await printLines(store, params, flags.limit === undefined)
  const page = await store.listThreads(params)
  progress[Symbol.dispose]()
  warn(page.unreadable)
  if (flags.json) {
    const { nextCursor, unreadable } = page
    const threads = page.threads.map(threadJson)
    const output = { schemaVersion: SCHEMA_VERSION, threads, nextCursor, unreadable }
    process.stdout.write(`${JSON.stringify(output)}\n`)
    return EXIT.ok
  }
  const out = new Terminal(process.stdout)
  for (const thread of page.threads) printThreadLine(out, thread)
  if (page.threads.length === 0) {
    const what = isFiltered(flags) ? 'no threads like that' : 'no threads'
    process.stderr.write(`${what} in ${resolveHome(process.env)}\n`)
  }
  tellMore(page)
  return EXIT.ok
}

function isFiltered(flags: ThreadsListFlags): boolean {
  const { cursor, cwd, project, archived, source, provider, branch, text, since } = flags
  const filters = [cursor, cwd, project, archived, source, provider, branch, text, since]
  return filters.some((each) => each !== undefined)
}

/** One thread a line, each page as soon as it is there. */
async function printLines(
  store: ThreadStore,
  params: ListThreads,
  hasAllPages: boolean,
): Promise<ExitCode> {
  const warned = new Set<string>()
  let page = await store.listThreads(params)
  for (;;) {
    // What lies in a folder that cannot be read is met again on each page.
    warn(page.unreadable.filter(({ path }) => !warned.has(path)))
    for (const { path } of page.unreadable) warned.add(path)
    process.stdout.write(
      page.threads.map((each) => `${JSON.stringify(threadJson(each))}\n`).join(''),
    )
    const cursor = page.nextCursor
    if (cursor === null || !hasAllPages) break
    page = await store.listThreads({ ...params, cursor })
  }
  tellMore(page)
  return EXIT.ok
}

function warn(unreadable: ThreadPage['unreadable']): void {
  for (const { path, reason } of unreadable) {
    process.stderr.write(`warning: cannot list ${path}: ${reason}\n`)
  }
}

function tellMore({ nextCursor }: ThreadPage): void {
  if (nextCursor === null) return
  process.stderr.write(`more: bobbin threads list --cursor ${nextCursor}\n`)
}
