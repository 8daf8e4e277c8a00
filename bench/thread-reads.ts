/** Reading a long thread: at first sight, later on, and how much memory it takes. */
import type { CodexSide } from './contest.ts'
import type { LongThreadPlan } from './long-thread.ts'
import { interleavedSection, type Row, type Section } from './measure.ts'
import { peakMegabytes } from './process-costs.ts'
import {
  type CodexRequest,
  callOf,
  labelOf,
  type SameThing,
  ThreadContest,
  takesOf,
} from './thread-contest.ts'
import { timed } from './worker.ts'

const METADATA = sameInBoth('metadata', 'metadata', (threadId) => ({
  method: 'thread/read',
  params: { threadId, includeTurns: false },
}))
const LAST_TURNS = sameInBoth('last 20 turns', 'lastTurns', (threadId) => ({
  method: 'thread/turns/list',
  params: { threadId, limit: 20, itemsView: 'full' },
}))
const ALL_TURNS = sameInBoth('all turns', 'fullRead', (threadId) => ({
  method: 'thread/read',
  params: { threadId, includeTurns: true },
}))
const RESUME = sameInBoth('resume', 'modelContext', (threadId) => ({
  method: 'thread/resume',
  params: { threadId, excludeTurns: true },
}))

function sameInBoth(name: string, call: string, request: CodexRequest): SameThing {
  return { name, call, codex133: request, codex169: request }
}

export function threadReadSection(plan: LongThreadPlan, count: number): Section {
  const label = labelOf(plan)
  const few = Math.ceil(count / 4)
  const reads = plan.isCompacted ? [LAST_TURNS] : [METADATA, LAST_TURNS, ALL_TURNS]
  const first = plan.isCompacted ? [RESUME] : [METADATA, LAST_TURNS, RESUME]
  const memory = plan.isCompacted ? [RESUME] : [ALL_TURNS, RESUME]
  const rows = [
    ...reads.map((thing) => laterRow(label, thing, count)),
    resumeRow(label, count),
    ...first.map((thing) => firstUseRow(label, thing, few)),
    ...memory.map((thing) => peakRow(label, thing, few)),
  ]
  return interleavedSection(() => ThreadContest.open(plan), rows)
}

/** In a process that runs and has read it before. */
function laterRow(label: string, thing: SameThing, count: number): Row<ThreadContest> {
  const take = takesOf(
    thing,
    (sides) => sides.programs.bobbin().time(callOf(thing, sides)),
    async (sides, side, request) => {
      const codex = await sides.programs.codex(side)
      const { method, params } = request(sides.thread.threadId)
      return (await codex.request(method, params)).ms
    },
  )
  return { name: `${label}: ${thing.name}`, unit: 'ms', count, warmUp: 1, take }
}

/**
 * A server resumes a thread once, so each sample is one of a fresh process, whose start is not
 * counted, on a home that the program knows.
 */
function resumeRow(label: string, count: number): Row<ThreadContest> {
  const take = takesOf(
    RESUME,
    (sides) =>
      sides.programs.freshBobbin(async (bobbin) => {
        await bobbin.ask({ call: 'ready' })
        return bobbin.time(callOf(RESUME, sides))
      }),
    (sides, side, request) => inFreshCodex(sides, side, request).then(({ ms }) => ms),
  )
  return { name: `${label}: ${RESUME.name}`, unit: 'ms', count, warmUp: 1, take }
}

/** From the start of the process, on a home that the program has never seen. */
function firstUseRow(label: string, thing: SameThing, count: number): Row<ThreadContest> {
  const take = takesOf(
    thing,
    async (sides) => {
      await sides.programs.forget('bobbin')
      return (await timed(() => sides.programs.bobbin().ask(callOf(thing, sides)))).ms
    },
    async (sides, side, request) => {
      await sides.programs.forget(side)
      const { method, params } = request(sides.thread.threadId)
      const work = async () => (await sides.programs.codex(side)).request(method, params)
      return (await timed(work)).ms
    },
  )
  return { name: `${label}: ${thing.name}, first use`, unit: 'ms', count, take }
}

/** The first sample, which is not counted, makes the home known. */
function peakRow(label: string, thing: SameThing, count: number): Row<ThreadContest> {
  const take = takesOf(
    thing,
    (sides) =>
      sides.programs.freshBobbin(async (bobbin) => {
        await bobbin.ask(callOf(thing, sides))
        return peakMegabytes(bobbin.pid)
      }),
    (sides, side, request) => inFreshCodex(sides, side, request).then(({ peak }) => peak),
  )
  return { name: `${label}: ${thing.name}, peak memory`, unit: 'MB', count, warmUp: 1, take }
}

async function inFreshCodex(
  { programs, thread }: ThreadContest,
  side: CodexSide,
  request: CodexRequest,
): Promise<{ ms: number; peak: number }> {
  return programs.freshCodex(side, async (codex) => {
    const { method, params } = request(thread.threadId)
    const { ms } = await codex.request(method, params)
    return { ms, peak: peakMegabytes(codex.pid) }
  })
}
