import { errorText, type Json } from '../../base/index.ts'
import { TURN_ABORTED_MARKER } from '../../history/index.ts'
import {
  type ResponseItem,
  type RolloutItem,
  type TurnError,
  userText,
} from '../../protocol/index.ts'
import { SessionError, TurnInterrupted } from '../errors.ts'
import { ModelError } from '../model/model-client.ts'
import { causeOf } from './cause.ts'
import { infoOf, remember, type TurnRun, tokenCount } from './turn-run.ts'
import { outputItem } from './turn-state.ts'
import type { TurnTask } from './turn-task.ts'

/** How long an interrupted tool may take to tidy up. */
const INTERRUPT_GRACE_MS = 100

export type TurnEnd =
  | { readonly status: 'completed'; readonly lastMessage: string | null }
  | { readonly status: 'interrupted'; readonly reason: TurnInterrupted['reason'] }
  | { readonly status: 'failed'; readonly error: TurnError }

/** Keeps the beginning of a turn; answers how to make it durable and tell it. */
export async function openTurn(run: TurnRun, task: TurnTask): Promise<() => Promise<void>> {
  const { recorder, turn, turnId } = run
  const { lines, tell } = await task.open(run)
  await recorder.keep([taskStarted(run), ...lines])
  return async () => {
    await recorder.keepDurably([])
    recorder.tell({ type: 'turnStarted', turnId, startedAtS: turn.startedAtS })
    tell()
  }
}

/**
 * Runs an opened turn to its end, which is in the log when this returns. Never rejects. The model
 * is asked while the start is still being made durable; undefined for a turn whose start was never
 * told: its end is not to be told either.
 */
export async function runTurn(run: TurnRun, task: TurnTask): Promise<TurnEnd | undefined> {
  const end = await runToEnd(run, task)
  const how = end.status === 'interrupted' ? 'stopped' : 'over'
  run.turn.refuseSteered(new SessionError(`turn_${how}`, `turn ${run.turnId} has ended`))
  run.letGo()
  const isTold = await run.opened.then(
    () => true,
    () => false,
  )
  try {
    await keepEnd(run, end)
    return isTold ? end : undefined
  } catch (error) {
    return isTold ? endUnsaved(run, end, error) : undefined
  }
}

/**
 * The end could not be saved, so the turn is told as failed. Its lines are still queued and will be
 * written: a line behind them says in the log too what was told.
 */
async function endUnsaved(run: TurnRun, queued: TurnEnd, cause: unknown): Promise<TurnEnd> {
  const end = failed(cause)
  if (queued.status === 'failed') return end
  await run.recorder.keep([errorLine(end.error)]).catch(() => undefined)
  return end
}

async function runToEnd(run: TurnRun, task: TurnTask): Promise<TurnEnd> {
  try {
    return { status: 'completed', lastMessage: await task.work(run) }
  } catch (error) {
    const cause: unknown = run.signal.aborted ? run.signal.reason : error
    if (!(cause instanceof TurnInterrupted)) return failed(cause)
    return { status: 'interrupted', reason: cause.reason }
  }
}

function failed(error: unknown): TurnEnd & { status: 'failed' } {
  const isKnown = error instanceof ModelError || error instanceof SessionError
  const message = isKnown ? error.message : `internal error: ${errorText(error)}`
  const codexErrorInfo: Json = error instanceof ModelError ? error.codexErrorInfo : 'other'
  const told = { message, codexErrorInfo, additionalDetails: null, ...causeOf(error) }
  return { status: 'failed', error: told }
}

async function keepEnd(run: TurnRun, end: TurnEnd): Promise<void> {
  const lines = await settleCalls(run, end)
  if (run.turn.owesCount) lines.push(tokenCount(run))
  run.turn.end()
  if (end.status === 'interrupted') {
    // Only what a person has stopped is marked for the model.
    const isMarked = end.reason === 'interrupted'
    if (isMarked) lines.push(...remember(run, [userText(TURN_ABORTED_MARKER)]))
    lines.push(turnAborted(run, end.reason))
  } else if (end.status === 'failed') {
    lines.push(errorLine(end.error), taskComplete(run, null))
  } else lines.push(taskComplete(run, end.lastMessage))
  await run.recorder.keepDurably(lines)
}

export function tellEnd({ recorder, turn, turnId }: TurnRun, end: TurnEnd): void {
  const error = end.status === 'failed' ? end.error : null
  if (error) recorder.tell({ type: 'error', turnId, error, willRetry: false })
  const { durationMs } = turn
  recorder.tell({ type: 'turnCompleted', turnId, status: end.status, error, durationMs })
}

/** Every call gets an output: its own where it came in time, else one that says what happened. */
async function settleCalls(run: TurnRun, end: TurnEnd): Promise<RolloutItem[]> {
  const calls = run.turn.takeCalls()
  if (calls.length === 0) return []
  const waiting = new AbortController()
  const grace = run.services.clock.sleep(INTERRUPT_GRACE_MS, waiting.signal)
  // Aborting the wait, which nobody needs any more, rejects it.
  const waited = grace.catch(() => undefined)
  await Promise.race([waited, Promise.all(calls.map((call) => call.output))])
  waiting.abort()
  const outputs = calls.map((call): ResponseItem => {
    const why = end.status === 'interrupted' ? 'aborted by user' : 'aborted'
    const text = `${why} after ${run.turn.secondsSince(call.startedAtMs)}s`
    return outputItem(call, call.settled ?? text)
  })
  return remember(run, outputs)
}

function taskStarted(run: TurnRun): RolloutItem {
  return {
    type: 'event_msg',
    payload: {
      type: 'task_started',
      turn_id: run.turnId,
      started_at: run.turn.startedAtS,
      model_context_window: infoOf(run).contextWindow,
      collaboration_mode_kind: 'default',
    },
  }
}

function taskComplete({ turn, turnId }: TurnRun, lastMessage: string | null): RolloutItem {
  const firstTokenMs = turn.firstTokenMs
  return {
    type: 'event_msg',
    payload: {
      type: 'task_complete',
      turn_id: turnId,
      last_agent_message: lastMessage,
      completed_at: turn.nowS,
      duration_ms: turn.durationMs,
      ...(firstTokenMs === undefined ? {} : { time_to_first_token_ms: firstTokenMs }),
    },
  }
}

function turnAborted({ turn, turnId }: TurnRun, reason: string): RolloutItem {
  return {
    type: 'event_msg',
    payload: {
      type: 'turn_aborted',
      turn_id: turnId,
      reason,
      completed_at: turn.nowS,
      duration_ms: turn.durationMs,
    },
  }
}

function errorLine(error: TurnError): RolloutItem {
  const payload = { message: error.message, codex_error_info: error.codexErrorInfo }
  return { type: 'event_msg', payload: { type: 'error', ...payload } }
}
