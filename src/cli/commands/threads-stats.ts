import { resolve } from 'node:path'
import type { ListThreads, ThreadPage } from '../../thread-store/index.ts'
import { openHomeStore } from '../compose.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { Progress } from '../output/progress.ts'
import { printStats, statsJson } from '../output/stats-text.ts'
import { Terminal } from '../output/terminal.ts'
import { MOST_ON_PAGE, sinceMs } from '../page-flags.ts'
import { ThreadTally } from '../thread-stats.ts'

export interface ThreadsStatsFlags {
  readonly json?: boolean
  readonly cwd?: string
  readonly since?: string
  readonly all?: boolean
}

/** Prints what the threads of a home, active and archived, add up to. */
export async function runThreadsStats(flags: ThreadsStatsFlags): Promise<ExitCode> {
  const params = {
    limit: MOST_ON_PAGE,
    sortKey: 'created',
    includeSubagents: flags.all === true,
    ...(flags.cwd === undefined ? {} : { cwd: resolve(flags.cwd) }),
    ...(flags.since === undefined ? {} : { updatedSinceMs: sinceMs(flags.since) }),
  } as const
  await using store = openHomeStore()
  using progress = new Progress('threads counted')
  const tally = new ThreadTally()
  let countedBefore = 0
  const unreadable = new Map<string, string>()
  for (const isArchived of [false, true]) {
    let cursor: string | null = null
    do {
      const from: Pick<ListThreads, 'cursor'> = cursor === null ? {} : { cursor }
      const onProgress: ListThreads['onProgress'] = ({ doneThreads, totalThreads }) =>
        progress.show(countedBefore + doneThreads, countedBefore + totalThreads)
      const wanted = { ...params, ...from, isArchived, onProgress }
      const page: ThreadPage = await store.listThreads(wanted)
      countedBefore += page.threads.length
      for (const thread of page.threads) tally.add(thread)
      for (const { path, reason } of page.unreadable) unreadable.set(path, reason)
      cursor = page.nextCursor
    } while (cursor !== null)
  }
  progress[Symbol.dispose]()
  for (const [path, reason] of unreadable) {
    process.stderr.write(`warning: not counted ${path}: ${reason}\n`)
  }
  const { stats } = tally
  if (flags.json) process.stdout.write(`${JSON.stringify(statsJson(stats))}\n`)
  else printStats(new Terminal(process.stdout), stats)
  return EXIT.ok
}
