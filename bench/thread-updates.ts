/** Names, facts and the archive: changes of a stored thread that nobody has loaded. */
import { copyFile, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { JsonObject } from '../src/base/index.ts'
import { type BigHomePlan, bigHome } from './big-home.ts'
import { waitForCompleteList } from './codex-list.ts'
import { CODEX_SIDES, type CodexSide, Contest } from './contest.ts'
import { linkTree } from './made-once.ts'
import { interleavedSection, type Row, type Section } from './measure.ts'

interface Change {
  readonly name: string
  /** Name of the store's call. */
  readonly call: string
  readonly codex: (threadId: string, count: number) => { method: string; params: JsonObject }
}

const CHANGES: readonly Change[] = [
  {
    name: 'name',
    call: 'name',
    codex: (threadId, count) => {
      return { method: 'thread/name/set', params: { threadId, name: `Name ${count}` } }
    },
  },
  {
    name: 'git branch',
    call: 'branch',
    codex: (threadId, count) => {
      const gitInfo = { branch: `branch-${count}` }
      return { method: 'thread/metadata/update', params: { threadId, gitInfo } }
    },
  },
  {
    name: 'archive',
    call: 'archive',
    codex: (threadId) => ({ method: 'thread/archive', params: { threadId } }),
  },
]

/** Every program on a home of its own, and a thread of it. */
class UpdateContest implements AsyncDisposable {
  readonly programs: Contest
  readonly threadId: string
  #count = 0

  private constructor(programs: Contest, threadId: string) {
    this.programs = programs
    this.threadId = threadId
  }

  static async open(plan: BigHomePlan): Promise<UpdateContest> {
    const threads = await bigHome(plan)
    const paths = await readdir(join(threads, 'sessions'), { recursive: true })
    const newest =
      paths
        .filter((path) => path.endsWith('.jsonl'))
        .sort()
        .at(-1) ?? ''
    const programs = await Contest.open(async (home) => {
      await linkTree(threads, home)
      // All homes share the files: the one that is changed must be this home's own.
      const own = join(home, 'sessions', newest)
      await rm(own)
      await copyFile(join(threads, 'sessions', newest), own)
    })
    await programs.bobbin().ask({ call: 'listAll', limit: 100 })
    for (const side of CODEX_SIDES) {
      await waitForCompleteList(() => programs.codex(side), plan.threads)
    }
    const threadId = /-([0-9a-f-]{36})\.jsonl$/.exec(newest)?.[1]
    if (threadId === undefined) throw new Error('there is no thread to change')
    return new UpdateContest(programs, threadId)
  }

  bobbin({ call }: Change): Promise<number> {
    this.#count += 1
    const question = { call, threadId: this.threadId, text: `${call} ${this.#count}` }
    return this.programs.bobbin().time(question)
  }

  /** What was archived comes back when the time is taken. */
  async codex(side: CodexSide, { codex: request }: Change): Promise<number> {
    const server = await this.programs.codex(side)
    this.#count += 1
    const { method, params } = request(this.threadId, this.#count)
    const { ms } = await server.request(method, params)
    if (method === 'thread/archive') {
      await server.request('thread/unarchive', { threadId: this.threadId })
    }
    return ms
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.programs[Symbol.asyncDispose]()
  }
}

export function threadUpdateSection(plan: BigHomePlan, count: number): Section {
  const rows = CHANGES.map((change): Row<UpdateContest> => {
    const codex = (side: CodexSide) => (sides: UpdateContest) => sides.codex(side, change)
    return {
      name: `stored thread of ${plan.threads}: ${change.name}`,
      unit: 'ms',
      count,
      warmUp: 1,
      take: {
        bobbin: (sides) => sides.bobbin(change),
        codex133: codex('codex133'),
        codex169: codex('codex169'),
      },
    }
  })
  return interleavedSection(() => UpdateContest.open(plan), rows)
}
