/**
 * The first list of a home that the program has never seen, and the first search, which Bobbin
 * makes its index of words for; both from the start of the process.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { arrayAt } from '../src/base/index.ts'
import { type BigHomePlan, bigHome, RARE_WORD } from './big-home.ts'
import { waitForCompleteList } from './codex-list.ts'
import { type CodexSide, Contest } from './contest.ts'
import { linkTree } from './made-once.ts'
import { interleavedSection, type Section } from './measure.ts'
import { timed } from './worker.ts'

async function readTree(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) await readFile(join(entry.parentPath, entry.name))
  }
}

const MOST_TRIES = 100

export function firstListSection(plan: BigHomePlan, count: number): Section {
  const open = async () => {
    const threads = await bigHome(plan)
    // All programs find the files in memory, and not only those whose turn comes later.
    await readTree(threads)
    return Contest.open((home) => linkTree(threads, home))
  }
  const codex = (side: CodexSide) => async (contest: Contest) => {
    await contest.forget(side)
    const { ms } = await timed(() => waitForCompleteList(() => contest.codex(side), plan.threads))
    await contest.forget(side)
    return ms / 1000
  }
  const name = `first complete list of ${plan.threads}`
  const take = {
    bobbin: takeBobbin(plan),
    codex133: codex('codex133'),
    codex169: codex('codex169'),
  }
  const search = { bobbin: searchInBobbin(plan), codex169: searchInCodex(plan) }
  return interleavedSection(open, [
    { name, unit: 's', count, take },
    { name: `first search of ${plan.threads}`, unit: 's', count, take: search },
  ])
}

function searchInBobbin(plan: BigHomePlan): (contest: Contest) => Promise<number> {
  return async (contest) => {
    await contest.forget('bobbin')
    const { ms, value } = await timed(() =>
      contest.bobbin().ask({ call: 'search', query: RARE_WORD }),
    )
    await contest.forget('bobbin')
    if (value.count !== rareThreads(plan)) throw new Error(`it found ${value.count} threads`)
    return ms / 1000
  }
}

/** Until it finds all that there is. */
function searchInCodex(plan: BigHomePlan): (contest: Contest) => Promise<number> {
  return async (contest) => {
    await contest.forget('codex169')
    const { ms } = await timed(async () => {
      const codex = await contest.codex('codex169')
      for (let tries = 0; tries < MOST_TRIES; tries += 1) {
        const params = { limit: 25, searchTerm: RARE_WORD }
        const { result } = await codex.request('thread/search', params)
        if (arrayAt(result, 'data')?.length === rareThreads(plan)) return
      }
      throw new Error(`thread/search did not find all in ${MOST_TRIES} tries`)
    })
    await contest.forget('codex169')
    return ms / 1000
  }
}

function rareThreads({ threads }: BigHomePlan): number {
  return Math.ceil(threads / 1000)
}

function takeBobbin(plan: BigHomePlan): (contest: Contest) => Promise<number> {
  return async (contest) => {
    await contest.forget('bobbin')
    const { ms, value } = await timed(() => contest.bobbin().ask({ call: 'listAll', limit: 1000 }))
    await contest.forget('bobbin')
    if (value.count !== plan.threads) throw new Error(`it listed ${value.count} threads`)
    return ms / 1000
  }
}
