import * as z from 'zod/mini'
import { describeJson, type Json, type JsonObject } from '../../base/index.ts'
import type { ThreadHandle } from '../../core/index.ts'
import { GOAL_STATUSES, type ThreadGoal, type ThreadId } from '../../protocol/index.ts'
import { invalid } from '../protocol/jsonrpc.ts'
import { method } from '../protocol/method.ts'
import { optional } from '../protocol/schema.ts'
import { type RequestContext, type Route, route } from '../router.ts'
import type { ServerContext } from '../server-context.ts'
import { changeable, updateMetadata } from './stored-thread.ts'
import { byThread, notFound, threadIdOf } from './thread-ids.ts'
import { readStored } from './thread-view.ts'

/** Absent is left as it is, null is no budget. */
const budget = z.optional(
  z.custom<number | null>((value) => value === null || Number.isSafeInteger(value), {
    error: ({ input }) => `invalid type: ${describeJson(input as Json)}, expected i64`,
  }),
)

const goalSet = method(
  'thread/goal/set',
  () =>
    z.object({
      threadId: z.string(),
      objective: optional(z.string()),
      status: optional(z.enum(GOAL_STATUSES)),
      tokenBudget: budget,
    }),
  { queueKey: byThread },
)
const oneThread = z.object({ threadId: z.string() })
const goalGet = method('thread/goal/get', () => oneThread, { queueKey: byThread })
const goalClear = method('thread/goal/clear', () => oneThread, { queueKey: byThread })

const MOST_OBJECTIVE_CHARS = 4000

/**
 * Goals of threads. A goal is kept and told; no turn is started for one. Source:
 * `reference/app-server.md` 6.7, `reference/state-memories-logs.md` G.3.
 */
export function threadGoalsRoutes(context: ServerContext): Route[] {
  return [
    route(goalSet, (params, request) => setGoal(context, params, request)),
    route(goalGet, async (params) => {
      const { goal } = await goalOf(context, threadIdOf(params.threadId))
      return { goal: goal && { ...goal } }
    }),
    route(goalClear, (params, request) => clearGoal(context, params, request)),
  ]
}

/** Throws what clients are told when a thread cannot have a goal. */
export async function goalOf(
  context: ServerContext,
  threadId: ThreadId,
): Promise<{ readonly goal: ThreadGoal | null }> {
  const stored = await changeable(context, threadId, 'does not support goals')
  const isLoaded = context.manager.get(threadId) !== undefined
  if (stored?.isArchived && !isLoaded) throw notFound(threadId)
  return { goal: stored?.goal ?? null }
}

/** What all are told when a thread is resumed: its goal, or that it has none. */
export async function goalNews(
  context: ServerContext,
  { threadId, isEphemeral }: ThreadHandle,
): Promise<() => void> {
  const stored = isEphemeral ? undefined : await readStored(context, threadId)
  const goal = stored?.goal
  return () => {
    if (goal) tellGoal(context, threadId, goal)
    else context.broadcast('thread/goal/cleared', { threadId })
  }
}

async function setGoal(
  context: ServerContext,
  params: z.output<typeof goalSet.params>,
  { after }: RequestContext,
): Promise<JsonObject> {
  const threadId = threadIdOf(params.threadId)
  const { goal: known } = await goalOf(context, threadId)
  const nowS = Math.floor(context.clock.nowMs() / 1000)
  const goal = changedGoal(threadId, known, params, nowS)
  await updateMetadata(context, threadId, { goal })
  after(() => tellGoal(context, threadId, goal))
  return { goal: { ...goal } }
}

function tellGoal(context: ServerContext, threadId: ThreadId, goal: ThreadGoal): void {
  context.broadcast('thread/goal/updated', { threadId, turnId: null, goal: { ...goal } })
}

function changedGoal(
  threadId: ThreadId,
  known: ThreadGoal | null,
  { objective, status, tokenBudget }: z.output<typeof goalSet.params>,
  nowS: number,
): ThreadGoal {
  const wanted = objective === undefined ? known?.objective : checkedObjective(objective)
  if (tokenBudget !== undefined && tokenBudget !== null && tokenBudget <= 0) {
    throw invalid('goal budgets must be positive when provided')
  }
  if (wanted === undefined) {
    throw invalid(`cannot update goal for thread ${threadId}: no goal exists`)
  }
  const goal: ThreadGoal = {
    threadId,
    objective: wanted,
    status: status ?? known?.status ?? 'active',
    tokenBudget: tokenBudget === undefined ? (known?.tokenBudget ?? null) : tokenBudget,
    tokensUsed: known?.tokensUsed ?? 0,
    timeUsedSeconds: known?.timeUsedSeconds ?? 0,
    createdAt: known?.createdAt ?? nowS,
    updatedAt: nowS,
  }
  return { ...goal, status: statusWithin(goal, known) }
}

/** A goal that has used up its budget stays so until somebody gives it another end. */
function statusWithin(goal: ThreadGoal, known: ThreadGoal | null): ThreadGoal['status'] {
  const { status, tokenBudget, tokensUsed } = goal
  const isSpent = tokenBudget !== null && tokensUsed >= tokenBudget
  if (status === 'active' && isSpent) return 'budgetLimited'
  const isStopped = status === 'paused' || status === 'blocked'
  return isStopped && known?.status === 'budgetLimited' ? 'budgetLimited' : status
}

function checkedObjective(text: string): string {
  const objective = text.trim()
  if (objective === '') throw invalid('goal objective must not be empty')
  if ([...objective].length > MOST_OBJECTIVE_CHARS) {
    throw invalid(`goal objective must be at most ${MOST_OBJECTIVE_CHARS} characters`)
  }
  return objective
}

async function clearGoal(
  context: ServerContext,
  params: z.output<typeof goalClear.params>,
  { after }: RequestContext,
): Promise<JsonObject> {
  const threadId = threadIdOf(params.threadId)
  const { goal } = await goalOf(context, threadId)
  if (!goal) return { cleared: false }
  await updateMetadata(context, threadId, { goal: null })
  after(() => context.broadcast('thread/goal/cleared', { threadId }))
  return { cleared: true }
}
