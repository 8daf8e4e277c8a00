/** Processes that do everything to a handful of threads of one home, and are killed meanwhile. */
import assert from 'node:assert/strict'
import { chmod, readdir, readFile } from 'node:fs/promises'
import { nodeFileSystem, systemClock } from '../../src/base/index.ts'
import { parseThreadId } from '../../src/protocol/index.ts'
import { inspectHome } from '../../src/thread-store/index.ts'
import { WRITER_LOCKS_FOLDER, WriterLease } from '../../src/thread-store/local/writer-lease.ts'
import { type CodexHome, idsOf, listAll } from '../support/codex-home.ts'
import { type Random, seededRandom } from '../support/seeded-random.ts'
import { header, textOf, threadIdOf, turn } from '../support/thread-log.ts'
import { type Answer, type Op, type Order, StoreProcess } from './store-process.ts'

const SHARED = [1, 2, 3, 4].map(threadIdOf)

/** What calls had answered: what has to be there in the end. */
export class Told {
  /** Words that were kept, and the thread that has them. */
  readonly tags = new Map<string, string>()
  readonly forks = new Map<string, string>()
  readonly created = new Set<string>()
  /** Deleted, or perhaps: the process died meanwhile. */
  readonly deleted = new Set<string>()
  readonly maybeGone = new Set<string>()
  readonly faults: string[] = []
  readonly counts = new Map<string, number>()
  readonly pids = new Set<number>()
  unknownHolders = 0

  note({ op, id, tag, to }: Order, answer: Answer | undefined, who: string): void {
    if (op === 'delete') this.maybeGone.add(id)
    if (!answer) return
    const key = answer.code === undefined ? op : `${op} ${answer.code}`
    this.counts.set(key, (this.counts.get(key) ?? 0) + 1)
    if (answer.code !== undefined) {
      this.#judge(op, answer, `${who} ${op} ${id}: ${answer.code}, ${answer.message}`)
      return
    }
    if (['append', 'append three', 'name', 'git', 'create'].includes(op)) this.tags.set(tag, id)
    if (op === 'fork') this.forks.set(to, id)
    if (op === 'create') this.created.add(id)
    if (op === 'delete') this.deleted.add(id)
    for (const each of [...(answer.unreadable ?? []), ...(answer.damage ?? [])]) {
      this.faults.push(`${who} ${op} ${id}: ${JSON.stringify(each)}`)
    }
  }

  #judge(op: Op, { code, message, holder }: Answer, where: string): void {
    if (holder?.pid === null) this.unknownHolders += 1
    else if (holder && !this.pids.has(holder.pid)) this.faults.push(`no such holder: ${where}`)
    const isExplained =
      holder !== undefined || /archived|live writer in this process/.test(message ?? '')
    if (code === 'conflict' && isExplained) return
    if (code === 'invalid_request' && op === 'roll back') return
    // By another process that may delete it.
    if (code === 'thread_not_found') return
    this.faults.push(where)
  }
}

const COLD_OPS: readonly Op[] = [
  ...(['resume', 'resume', 'resume', 'resume', 'name', 'git', 'archive', 'unarchive'] as const),
  ...(['fork', 'roll back', 'create', 'delete', 'list', 'turns', 'search', 'history'] as const),
]
const LIVE_OPS: readonly Op[] = [
  ...(['append', 'append', 'append', 'append three', 'name', 'git', 'turns', 'flush'] as const),
  ...(['close', 'discard', 'list'] as const),
]

/** One place for a process: it is killed and started again there. */
class Seat {
  readonly #home: string
  readonly #name: string
  readonly #random: Random
  readonly #told: Told
  #process: StoreProcess
  #run = 0
  #session = 0
  #counter = 0
  #own: string[] = []
  /** Sessions of the running process, by thread. */
  #live = new Map<string, number>()

  constructor(home: string, who: number, seed: number, told: Told) {
    this.#home = home
    this.#name = `w${who}`
    this.#random = seededRandom(seed)
    this.#told = told
    this.#process = this.#start()
  }

  /** Lives through so many kills, and ends in good order. */
  async play(kills: number): Promise<void> {
    for (let kill = 0; kill < kills; kill += 1) {
      for (let left = 4 + this.#random(16); left > 0; left -= 1) await this.#ask(this.#next())
      const asked = this.#ask(this.#next())
      for (let ticks = this.#random(400); ticks > 0; ticks -= 1) await nextTick()
      await this.#process.kill()
      await asked
      this.#process = this.#start()
    }
    for (let left = 20; left > 0; left -= 1) await this.#ask(this.#next())
    await this.#ask({ op: 'end', id: '', tag: '', to: '' })
    await this.#process.kill()
  }

  async kill(): Promise<void> {
    await this.#process.kill()
  }

  #start(): StoreProcess {
    this.#run += 1
    this.#live.clear()
    const started = new StoreProcess(this.#home, `${this.#name}x${this.#run}`)
    this.#told.pids.add(started.pid)
    return started
  }

  #next(): Order {
    const live = [...this.#live.keys()]
    const isLive = live.length > 0 && this.#random(4) > 0
    const op = this.#oneOf(isLive ? LIVE_OPS : COLD_OPS)
    const to = this.#newId()
    if (isLive) {
      const id = this.#oneOf(live)
      return { op, id, tag: this.#tag(this.#live.get(id)), to }
    }
    const isOwn = op === 'delete' && this.#own.length > 0
    const id = op === 'create' ? to : isOwn ? this.#oneOf(this.#own) : this.#oneOf(SHARED)
    if (op === 'delete' && !isOwn) return { op: 'list', id, tag: '', to }
    if (this.#live.has(id)) return { op: 'append', id, tag: this.#tag(this.#live.get(id)), to }
    this.#session += 1
    return { op, id, tag: this.#tag(this.#session), to }
  }

  async #ask(order: Order): Promise<void> {
    const { op, id, tag } = order
    if (op === 'delete') this.#own = this.#own.filter((each) => each !== id)
    const answer = await this.#process.ask(order)
    this.#told.note(order, answer, this.#name)
    if (!answer || answer.code !== undefined) return
    if (op === 'resume') this.#live.set(id, Number(/s(\d+)/.exec(tag)?.[1]))
    if (op === 'create') {
      this.#own.push(id)
      this.#live.set(id, Number(/s(\d+)/.exec(tag)?.[1]))
    }
    if (op === 'close' || op === 'discard') this.#live.delete(id)
  }

  #tag(session: number | undefined): string {
    this.#counter += 1
    return `${this.#name}x${this.#run}s${session}n${this.#counter}`
  }

  #newId(): string {
    this.#counter += 1
    return threadIdOf((Number(this.#name.slice(1)) + 1) * 1_000_000 + this.#counter)
  }

  #oneOf<T>(list: readonly T[]): T {
    return list[this.#random(list.length)] ?? assert.fail('an empty list')
  }
}

const nextTick = () => new Promise<void>((resolve) => setImmediate(resolve))

export interface Play {
  readonly processes: number
  /** Of all of them together. */
  readonly kills: number
  readonly seed: number
}

/** Threads that are named while they are deleted, resumed while they are archived, and so on. */
export async function playOn(
  home: CodexHome,
  told: Told,
  { processes, kills, seed }: Play,
): Promise<void> {
  await chmod(home.path, 0o700)
  for (const [n, id] of SHARED.entries()) {
    await home.place({ n: n + 1, text: textOf([header(id), ...turn(0)]) })
  }
  const seats = Array.from(
    { length: processes },
    (_, who) => new Seat(home.path, who, seed + who, told),
  )
  try {
    await Promise.all(seats.map((seat) => seat.play(Math.ceil(kills / processes))))
  } finally {
    await Promise.all(seats.map((seat) => seat.kill()))
  }
}

const TAG = /w\d+x\d+s\d+n\d+/

/** The text of each log of the home. */
async function logsOf(home: CodexHome): Promise<Map<string, string>> {
  const logs = new Map<string, string>()
  for (const name of await readdir(home.path, { recursive: true })) {
    if (!name.endsWith('.jsonl') || !name.includes('rollout-')) continue
    const id = name.slice(-'.jsonl'.length - 36, -'.jsonl'.length)
    assert.ok(!logs.has(id), `${id} is there twice`)
    logs.set(id, await readFile(home.folder.at(name), 'utf8'))
  }
  return logs
}

/** The sessions that wrote to a log, in order, each once for every time that it came. */
function sessionsOf(log: string): string[] {
  const sessions: string[] = []
  for (const line of log.split('\n')) {
    const session = TAG.exec(line)?.[0].replace(/n\d+$/, '')
    if (session !== undefined && session !== sessions.at(-1)) sessions.push(session)
  }
  return sessions
}

function assertKept(told: Told, logs: ReadonlyMap<string, string>): void {
  for (const [tag, id] of told.tags) {
    if (told.maybeGone.has(id)) continue
    assert.match(logs.get(id) ?? '', new RegExp(`${tag}\\b|${tag}_3\\b`), `${tag} of ${id} is lost`)
  }
  for (const id of [...SHARED, ...told.created, ...told.forks.keys()]) {
    assert.ok(told.maybeGone.has(id) || logs.has(id), `thread ${id} is lost`)
  }
  for (const id of told.deleted) assert.ok(!logs.has(id), `thread ${id} came back`)
}

/** Lines without their times, which some forks give anew. */
function untimed(log: string): string[] {
  const lines = log.trimEnd().split('\n')
  return lines.map((line) => line.replace(/^\{"timestamp":"[^"]*"/, '{'))
}

function assertNotMixed(told: Told, logs: ReadonlyMap<string, string>): void {
  for (const [id, log] of logs) {
    const sessions = sessionsOf(log)
    assert.deepEqual(sessions, [...new Set(sessions)], `sessions are mixed in ${id}`)
    const source = logs.get(told.forks.get(id) ?? '')
    if (source === undefined) continue
    const [first = '', ...lines] = untimed(log)
    assert.match(first, /forked_from_id/)
    const copied = lines.filter((line) => !line.includes('turn_aborted'))
    assert.deepEqual(copied, untimed(source).slice(0, copied.length), `fork ${id}`)
  }
}

async function assertWell(home: CodexHome, logs: ReadonlyMap<string, string>): Promise<void> {
  for (const name of await readdir(home.folder.at(WRITER_LOCKS_FOLDER))) {
    const id = parseThreadId(name.slice(0, 36))
    if (!id) continue
    await using lease = await WriterLease.take(home.path, id, { client: 'test', nowMs: 0 })
    assert.equal(lease.isEnforced, true)
  }
  await using store = home.store()
  const listed = [
    ...(await listAll(store, { limit: 3, includeSubagents: true })),
    ...(await listAll(store, { limit: 3, includeSubagents: true, isArchived: true })),
  ]
  assert.deepEqual(idsOf(listed).toSorted(), [...logs.keys()].toSorted())
  const searchPath = process.env.PATH ?? ''
  const at = { home: home.path, files: nodeFileSystem, clock: systemClock, searchPath }
  const { findings } = await inspectHome(at)
  assert.deepEqual(
    findings.filter(({ severity }) => severity !== 'ok'),
    [],
  )
}

/** Nothing that a call had kept is lost or mixed with another's, and the home is well. */
export async function assertShared(home: CodexHome, told: Told, kills: number): Promise<void> {
  assert.deepEqual(told.faults, [])
  assert.ok(told.unknownHolders <= kills, `${told.unknownHolders} holders were not told`)
  const logs = await logsOf(home)
  assertKept(told, logs)
  assertNotMixed(told, logs)
  await assertWell(home, logs)
}
