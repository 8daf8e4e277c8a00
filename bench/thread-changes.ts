/** Forks and roll-backs of a long thread; each roll-back leaves it a turn shorter. */
import { rm } from 'node:fs/promises'
import { objectAt, stringAt } from '../src/base/index.ts'
import type { CodexSide } from './contest.ts'
import type { LongThreadPlan } from './long-thread.ts'
import { interleavedSection, type Row, type Section } from './measure.ts'
import { labelOf, ThreadContest } from './thread-contest.ts'

export function threadChangeSection(plan: LongThreadPlan, count: number): Section {
  const label = labelOf(plan)
  const rows = [
    forkRow(label, count, false),
    forkRow(label, count, true),
    rollBackRow(label, count),
  ]
  return interleavedSection(() => ThreadContest.open(plan), rows)
}

/** Codex 0.133.0 forks whole threads only. */
function forkRow(label: string, count: number, isAtLastTurn: boolean): Row<ThreadContest> {
  const bobbin = ({ programs, thread }: ThreadContest) => {
    const { threadId, lastTurnId } = thread
    const call = { call: 'fork', threadId }
    return programs.bobbin().time(isAtLastTurn ? { ...call, throughTurnId: lastTurnId } : call)
  }
  const codex = (side: CodexSide) => (sides: ThreadContest) =>
    forkInCodex(sides, side, isAtLastTurn)
  return {
    name: `${label}: fork${isAtLastTurn ? ' at the last turn' : ''}`,
    unit: 'ms',
    count,
    warmUp: 1,
    take: isAtLastTurn
      ? { bobbin, codex169: codex('codex169') }
      : { bobbin, codex133: codex('codex133'), codex169: codex('codex169') },
  }
}

/** The copy's file goes again once the time is taken. */
async function forkInCodex(
  { programs, thread }: ThreadContest,
  side: CodexSide,
  isAtLastTurn: boolean,
): Promise<number> {
  const { threadId, lastTurnId } = thread
  const codex = await programs.codex(side)
  const { ms, result } = await codex.request('thread/fork', {
    threadId,
    excludeTurns: true,
    ...(isAtLastTurn ? { lastTurnId } : {}),
  })
  const fork = objectAt(result, 'thread') ?? {}
  await codex.request('thread/unsubscribe', { threadId: stringAt(fork, 'id') ?? '' })
  const path = stringAt(fork, 'path')
  if (path !== undefined) await rm(path, { force: true })
  return ms
}

/**
 * Codex 0.133.0 rolls back loaded threads only; loading is not counted. 0.169.0 has no such
 * request.
 */
function rollBackRow(label: string, count: number): Row<ThreadContest> {
  return {
    name: `${label}: roll back one turn`,
    unit: 'ms',
    count,
    warmUp: 1,
    take: {
      bobbin: ({ programs, thread: { threadId } }) =>
        programs.bobbin().time({ call: 'rollBack', threadId }),
      codex133: async ({ programs, thread: { threadId } }) => {
        const codex = await programs.codex('codex133')
        await codex.request('thread/resume', { threadId, excludeTurns: true })
        return (await codex.request('thread/rollback', { threadId, numTurns: 1 })).ms
      },
    },
  }
}
