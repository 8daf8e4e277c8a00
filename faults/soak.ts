/**
 * `npm run soak [-- --minutes N] [--interval SECONDS] [--clients N] [--seed N] [--built]`: one
 * server under mixed load over WebSockets, killed and started again each interval, watched for what
 * it takes. In the end everything that was acknowledged has to be there. Exits with 1 when it is
 * not, or when a server took more than it may.
 */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { errorText } from '../src/base/index.ts'
import { buildPackage } from '../test/package/built-package.ts'
import type { Workplace } from '../test/support/bobbin.ts'
import { seededRandom, seedOf } from '../test/support/seeded-random.ts'
import { ServerProcess, SocketPeer } from '../test/support/server-process.ts'
import { HANDSHAKE, Lab } from './lab.ts'
import { wholeTurns } from './model.ts'
import { SoakClient } from './soak/client.ts'
import { type Sample, sampleOf } from './soak/watch.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    interval: { type: 'string', default: '60' },
    clients: { type: 'string', default: '4' },
    seed: { type: 'string' },
    built: { type: 'boolean', default: false },
  },
})
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31))
const intervalMs = Number(values.interval) * 1000
const incarnations = Math.max(1, Math.round((Number(values.minutes) * 60_000) / intervalMs))

const SAMPLE_EVERY_MS = 2000
/** Threads of each client that are looked at after each kill. */
const SPOT_CHECKS = 5
const MOST_MEMORY_MIB = 512
/** Of the process itself, its listeners, the index, and of what passes. */
const HANDLES_BESIDE = 80
/** A loaded thread has its log and its lock. */
const HANDLES_A_THREAD = 2
const QUIET_SAMPLES = 8
const CHILDREN_A_CLIENT = 4
const WAYS_OUT_MS = 60_000

const HEAD = [
  ...['server', 'requests', 'threads', 'MiB first', 'MiB last', 'MiB most'],
  ...['handles', 'loaded', 'leases', 'children', 'checked', 'troubles'],
]

interface Incarnation {
  readonly samples: Sample[]
  readonly loaded: number
  readonly troubles: readonly string[]
}

const checks = {
  count: 0,
  add(count = 1) {
    this.count += count
  },
}

process.exitCode = await main()

/** The exit code. */
async function main(): Promise<number> {
  const folder = values.built ? await buildPackage() : undefined
  try {
    return await soak(new Lab(folder ? { bin: join(folder, 'bin', 'bobbin.cjs') } : {}))
  } finally {
    if (folder) await rm(folder, { recursive: true })
  }
}

async function soak(lab: Lab): Promise<number> {
  process.stderr.write(`seed ${seed}, ${incarnations} servers of ${values.interval} s\n`)
  await using model = await wholeTurns()
  await using place = await lab.place()
  await place.useModel(model.baseUrl)
  const clients = Array.from({ length: Number(values.clients) }, (_, n) => {
    return new SoakClient(`c${n}`, seededRandom(seedOf(seed, `client ${n}`)))
  })
  const troubles: string[] = []
  process.stdout.write(`${rowOf(HEAD)}${rowOf(HEAD.map(() => '---:'))}`)
  for (let n = 0; n < incarnations; n += 1) {
    const lived = await live(place, clients, n === incarnations - 1)
    troubles.push(...lived.troubles.map((each) => `server ${n}: ${each}`))
    process.stdout.write(rowOf(cellsOf(n, lived, clients)))
  }
  return verdict(clients, troubles)
}

/** One server, from its start to its kill; the last one is looked at whole, and ends in order. */
async function live(
  place: Workplace,
  clients: readonly SoakClient[],
  isLast: boolean,
): Promise<Incarnation> {
  const troubles: string[] = []
  const note = (error: unknown) => void troubles.push(errorText(error))
  const limitMs = intervalMs + 30 * WAYS_OUT_MS
  await using server = await ServerProcess.listen(place, ['--ws-auth', 'none'], limitMs)
  const pid = server.child.pid ?? 0
  await using looker = await SocketPeer.connect(server.url)
  await looker.request('initialize', HANDSHAKE)
  for (const client of clients) await client.assertKept(looker, checks, SPOT_CHECKS).catch(note)
  const stopping = new AbortController()
  const working = clients.map((client) => client.work(server.url, stopping.signal).catch(note))
  const samples = await watch(pid, note)
  const { data } = await looker.request('thread/loaded/list')
  const loaded = Array.isArray(data) ? data.length : 0
  if (!isLast) server.child.kill('SIGKILL')
  stopping.abort()
  await Promise.all(working)
  if (isLast) {
    for (const client of clients) await client.assertKept(looker, checks).catch(note)
    server.child.kill('SIGTERM')
    const { code } = await server.exited
    if (code !== 0) note(new Error(`SIGTERM ended it with ${code}`))
  }
  troubles.push(...excesses(samples, loaded, clients.length))
  return { samples, loaded, troubles }
}

async function watch(pid: number, note: (error: unknown) => void): Promise<Sample[]> {
  const samples: Sample[] = []
  for (let atMs = 0; atMs < intervalMs; atMs += SAMPLE_EVERY_MS) {
    await pause(Math.min(SAMPLE_EVERY_MS, intervalMs - atMs))
    try {
      samples.push(sampleOf(pid, atMs))
    } catch (error) {
      note(new Error('the server is gone', { cause: error }))
      break
    }
  }
  return samples
}

function excesses(samples: readonly Sample[], loaded: number, clients: number): string[] {
  const most = (of: (sample: Sample) => number) => Math.max(...samples.map(of))
  // A list may open many logs for a moment: what is never given back shows in the fewest.
  const quiet = samples.slice(-QUIET_SAMPLES).map(({ handles }) => handles)
  const limits: [what: string, found: number, limit: number][] = [
    ['MiB', most(({ residentMiB }) => residentMiB), MOST_MEMORY_MIB],
    ['handles', Math.min(...quiet), HANDLES_BESIDE + HANDLES_A_THREAD * loaded],
    ['children', most(({ children }) => children), CHILDREN_A_CLIENT * clients],
    ['leases', most(({ leases }) => leases), loaded + 2 * clients],
  ]
  return limits
    .filter(([, found, limit]) => !(found <= limit))
    .map(([what, found, limit]) => `${found} ${what}, over ${limit}`)
}

function cellsOf(n: number, lived: Incarnation, clients: readonly SoakClient[]): string[] {
  const { samples, loaded, troubles } = lived
  const most = (of: (sample: Sample) => number) => String(Math.max(...samples.map(of)))
  const mib = samples.map(({ residentMiB }) => residentMiB)
  const sum = (of: (client: SoakClient) => number) =>
    clients.reduce((all, each) => all + of(each), 0)
  const requests = sum(({ counts }) => [...counts.values()].reduce((all, each) => all + each, 0))
  return [
    ...[n, requests, sum(({ threads }) => threads)].map(String),
    ...[mib[0] ?? 0, mib.at(-1) ?? 0, Math.max(...mib)].map((each) => each.toFixed(0)),
    most(({ handles }) => handles),
    String(loaded),
    most(({ leases }) => leases),
    most(({ children }) => children),
    String(checks.count),
    String(troubles.length),
  ]
}

function verdict(clients: readonly SoakClient[], troubles: readonly string[]): number {
  const counts: { [method: string]: number } = {}
  for (const client of clients) {
    for (const [method, count] of client.counts) counts[method] = (counts[method] ?? 0) + count
  }
  const text = Object.entries(counts).map(([method, count]) => `${method} ${count}`)
  process.stdout.write(`\n${text.join(', ')}\n`)
  for (const trouble of troubles) process.stdout.write(`${trouble}\n`)
  const isWell = troubles.length === 0 && checks.count > 0
  process.stdout.write(
    isWell
      ? `well: ${checks.count} things that were acknowledged were looked for and found\n`
      : `not well: ${troubles.length} troubles; again with --seed ${seed}\n`,
  )
  return isWell ? 0 : 1
}

function rowOf(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |\n`
}
