/** Lists and searches of a home that every program knows already. */
import { arrayAt, type JsonObject } from '../src/base/index.ts'
import { type BigHomePlan, bigHome, FREQUENT_WORD, RARE_WORD, TWO_WORDS } from './big-home.ts'
import { listAllOf, waitForCompleteList } from './codex-list.ts'
import { CODEX_SIDES, type CodexSide, Contest } from './contest.ts'
import { linkTree } from './made-once.ts'
import { interleavedSection, type Row, type Section } from './measure.ts'
import { timed } from './worker.ts'

export function warmListSection(plan: BigHomePlan, count: number): Section {
  const open = async () => {
    const threads = await bigHome(plan)
    const contest = await Contest.open((home) => linkTree(threads, home))
    await contest.bobbin().ask({ call: 'listAll', limit: 100 })
    for (const side of CODEX_SIDES) {
      await waitForCompleteList(() => contest.codex(side), plan.threads)
    }
    return contest
  }
  const rows: Row<Contest>[] = [
    pageRow('created', plan, count),
    pageRow('updated', plan, count),
    allPagesRow(plan, Math.ceil(count / 25)),
    titleSearchRow(plan, count),
    searchRow('a rare word', RARE_WORD, plan, count),
    searchRow('a frequent word', FREQUENT_WORD, plan, count),
    searchRow('two words', TWO_WORDS, plan, count),
  ]
  return interleavedSection(open, rows)
}

function request(side: CodexSide, method: string, params: JsonObject) {
  return async (contest: Contest) => {
    const { ms, result } = await (await contest.codex(side)).request(method, params)
    if (arrayAt(result, 'data')?.length) return ms
    throw new Error(`${method} found nothing`)
  }
}

function pageRow(sortKey: 'created' | 'updated', plan: BigHomePlan, count: number): Row<Contest> {
  const params = { limit: 25, sortKey: `${sortKey}_at` }
  return {
    name: `first 25 of ${plan.threads} by ${sortKey}`,
    unit: 'ms',
    count,
    warmUp: 2,
    take: {
      bobbin: (contest) => contest.bobbin().time({ call: 'listPage', limit: 25, sortKey }),
      codex133: request('codex133', 'thread/list', params),
      codex169: request('codex169', 'thread/list', params),
    },
  }
}

function allPagesRow(plan: BigHomePlan, count: number): Row<Contest> {
  const codex = (side: CodexSide) => async (contest: Contest) => {
    const server = await contest.codex(side)
    return (await timed(() => listAllOf(server))).ms
  }
  return {
    name: `all pages of 100 of ${plan.threads}`,
    unit: 'ms',
    count,
    take: {
      bobbin: (contest) => contest.bobbin().time({ call: 'listAll', limit: 100 }),
      codex133: codex('codex133'),
      codex169: codex('codex169'),
    },
  }
}

/** A title that one thread has. */
function titleSearchRow(plan: BigHomePlan, count: number): Row<Contest> {
  const text = `Task ${plan.threads - 3}:`
  return {
    name: `title search in ${plan.threads}`,
    unit: 'ms',
    count,
    warmUp: 2,
    take: {
      bobbin: (contest) => contest.bobbin().time({ call: 'listPage', limit: 25, text }),
      codex133: request('codex133', 'thread/list', { limit: 25, searchTerm: text }),
      codex169: request('codex169', 'thread/list', { limit: 25, searchTerm: text }),
    },
  }
}

/** 0.133.0 has no search in what was said. */
function searchRow(what: string, query: string, plan: BigHomePlan, count: number): Row<Contest> {
  return {
    name: `search for ${what} in ${plan.threads}`,
    unit: 'ms',
    count,
    warmUp: 2,
    take: {
      bobbin: (contest) => contest.bobbin().time({ call: 'search', query }),
      codex169: request('codex169', 'thread/search', { limit: 25, searchTerm: query }),
    },
  }
}
