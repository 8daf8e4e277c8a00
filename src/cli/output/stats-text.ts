import type { JsonObject } from '../../base/index.ts'
import type { StoredThread } from '../../thread-store/index.ts'
import type { Share, ThreadStats } from '../thread-stats.ts'
import { printable, type Terminal } from './terminal.ts'
import { SCHEMA_VERSION, threadJson } from './thread-json.ts'

/** The numbers as JSON. Sizes are bytes, months and times UTC. */
export function statsJson(stats: ThreadStats): JsonObject {
  const shares = (all: readonly Share[]) => all.map((each) => ({ ...each }))
  const { oldest, newest } = stats
  return {
    schemaVersion: SCHEMA_VERSION,
    threads: stats.threads,
    archived: stats.archived,
    sizeBytes: stats.sizeBytes,
    tokens: stats.tokens && { ...stats.tokens },
    threadsWithoutTokens: stats.threadsWithoutTokens,
    oldest: oldest && threadJson(oldest),
    newest: newest && threadJson(newest),
    largest: stats.largest.map(threadJson),
    bySource: shares(stats.bySource),
    byProvider: shares(stats.byProvider),
    byModel: shares(stats.byModel),
    byFolder: shares(stats.byFolder),
    folders: stats.folders,
    byMonth: shares(stats.byMonth),
  }
}

const LABEL_COLUMNS = 12

/** The numbers for a person. */
export function printStats(out: Terminal, stats: ThreadStats): void {
  const fact = (label: string, value: string) => out.line(`${label.padEnd(LABEL_COLUMNS)}${value}`)
  fact('threads', `${grouped(stats.threads)}, ${grouped(stats.archived)} of them archived`)
  fact('size', size(stats.sizeBytes))
  fact('tokens', tokens(stats))
  if (stats.oldest) fact('oldest', line(stats.oldest, stats.oldest.createdAtMs))
  if (stats.newest) fact('newest', line(stats.newest, stats.newest.updatedAtMs))
  table(out, 'source', stats.bySource)
  table(out, 'provider', stats.byProvider)
  table(out, 'model', stats.byModel)
  table(out, 'folder', stats.byFolder)
  const left = stats.folders - stats.byFolder.length
  if (left > 0) out.line(`  … and ${grouped(left)} more`)
  table(out, 'month', stats.byMonth)
  printLargest(out, stats.largest)
}

function printLargest(out: Terminal, largest: readonly StoredThread[]): void {
  if (largest.length === 0) return
  out.line()
  out.line(out.style('bold', 'largest'))
  const columns = Math.max(...largest.map(({ sizeBytes }) => size(sizeBytes).length))
  for (const thread of largest) {
    const bytes = size(thread.sizeBytes).padStart(columns)
    out.line(`  ${bytes}  ${line(thread, thread.updatedAtMs)}`)
  }
}

function table(out: Terminal, heading: string, shares: readonly Share[]): void {
  if (shares.length === 0) return
  out.line()
  out.line(out.style('bold', heading))
  const counts = Math.max(...shares.map(({ threads }) => grouped(threads).length))
  const sizes = Math.max(...shares.map(({ sizeBytes }) => size(sizeBytes).length))
  for (const { name, threads, sizeBytes } of shares) {
    const numbers = `${grouped(threads).padStart(counts)}  ${size(sizeBytes).padStart(sizes)}`
    out.line(`  ${numbers}  ${printable(name)}`)
  }
}

function tokens({ tokens: usage, threadsWithoutTokens }: ThreadStats): string {
  if (!usage) return 'not known'
  const parts = [
    grouped(usage.total_tokens),
    `(${grouped(usage.input_tokens)} in, of which ${grouped(usage.cached_input_tokens)} cached;`,
    `${grouped(usage.output_tokens)} out)`,
    ...(threadsWithoutTokens > 0 ? [`not known of ${grouped(threadsWithoutTokens)} threads`] : []),
  ]
  return parts.join(' ')
}

function line(thread: StoredThread, atMs: number): string {
  const title = printable(thread.name ?? thread.preview).split('\n')[0] ?? ''
  return `${thread.threadId}  ${new Date(atMs).toISOString().slice(0, 10)}  ${title}`
}

function grouped(count: number): string {
  return count.toLocaleString('en-US')
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB']

function size(bytes: number): string {
  let [value, unit] = [bytes, 0]
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]}`
}
