import { resolve } from 'node:path'
import { systemClock } from '../../base/index.ts'
import { resolveHome } from '../../config/index.ts'
import type { ListThreads } from '../../thread-store/index.ts'
import { CliError } from '../cli-error.ts'
import { openHomeStore } from '../compose.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { Terminal } from '../output/terminal.ts'
import { SCHEMA_VERSION, threadJson } from '../output/thread-json.ts'
import { printThreadLine } from '../output/thread-text.ts'

export interface ThreadsListFlags {
  readonly json?: boolean
  readonly limit: string
  readonly cursor?: string
  readonly sort: string
  readonly cwd?: string
  readonly archived?: boolean
  readonly all?: boolean
  readonly source?: string
  readonly provider?: string
  readonly branch?: string
  readonly text?: string
  readonly since?: string
}

const MOST = 1000

function listParams(flags: ThreadsListFlags): ListThreads {
  const limit = Number(flags.limit)
  if (!Number.isInteger(limit) || limit < 1 || limit > MOST) {
    throw new CliError(EXIT.usage, `--limit ${flags.limit}: not a number from 1 to ${MOST}`)
  }
  if (flags.sort !== 'created' && flags.sort !== 'updated') {
    throw new CliError(EXIT.usage, `--sort ${flags.sort}: not one of created, updated`)
  }
  return {
    limit,
    sortKey: flags.sort,
    isArchived: flags.archived === true,
    includeSubagents: flags.all === true,
    ...(flags.cursor === undefined ? {} : { cursor: flags.cursor }),
    ...(flags.cwd === undefined ? {} : { cwd: resolve(flags.cwd) }),
    ...(flags.source === undefined ? {} : { source: flags.source }),
    ...(flags.provider === undefined ? {} : { modelProvider: flags.provider }),
    ...(flags.branch === undefined ? {} : { branch: flags.branch }),
    ...(flags.text === undefined ? {} : { text: flags.text }),
    ...(flags.since === undefined ? {} : { updatedSinceMs: parseSince(flags.since) }),
  }
}

const DAY_MS = 24 * 60 * 60 * 1000

/** A date, or so many days back (`7d`). */
function parseSince(text: string): number {
  const days = /^(\d+)d$/.exec(text)?.[1]
  const atMs = days === undefined ? Date.parse(text) : systemClock.nowMs() - Number(days) * DAY_MS
  if (!Number.isNaN(atMs)) return atMs
  const remedy = 'for example 2026-11-21, or 7d'
  throw new CliError(EXIT.usage, `--since ${text}: neither a date nor a number of days`, remedy)
}

/** Prints a page of threads, newest first. */
export async function runThreadsList(flags: ThreadsListFlags): Promise<ExitCode> {
  const params = listParams(flags)
  await using store = openHomeStore()
  const page = await store.listThreads(params)
  for (const { path, reason } of page.unreadable) {
    process.stderr.write(`warning: cannot list ${path}: ${reason}\n`)
  }
  if (flags.json) {
    const { nextCursor, unreadable } = page
    const threads = page.threads.map(threadJson)
    const output = { schemaVersion: SCHEMA_VERSION, threads, nextCursor, unreadable }
    process.stdout.write(`${JSON.stringify(output)}\n`)
    return EXIT.ok
  }
  const out = new Terminal(process.stdout)
  for (const thread of page.threads) printThreadLine(out, thread)
  if (page.threads.length === 0) process.stderr.write(`no threads in ${resolveHome(process.env)}\n`)
  if (page.nextCursor !== null) {
    process.stderr.write(`more: bobbin threads list --cursor ${page.nextCursor}\n`)
  }
  return EXIT.ok
}
