import { randomUUID } from 'node:crypto'
import {
  compactedHistory,
  estimateTokens,
  SUMMARY_PREFIX,
  toModelInput,
} from '../../history/index.ts'
import { messageText, type ResponseItem, type RolloutItem, userText } from '../../protocol/index.ts'
import { contextMessages } from '../context/turn-context.ts'
import { ModelError } from '../model/model-client.ts'
import { disconnected } from '../model/model-errors.ts'
import { buildRequest } from './request.ts'
import { withRetries } from './retry.ts'
import { infoOf, type TurnRun, tokenCount, turnContextOf } from './turn-run.ts'
import type { TurnTask } from './turn-task.ts'

const PROMPT = `The conversation is about to be condensed, and only what you write now, \
together with the user's own messages, will be left of it. Write a note to yourself with which you \
can go on as if nothing had happened:
- what the user wants, and what was agreed or ruled out
- what has been done, and what was found out, with the names of files, commands and values
- what is left to do, and what you would do next
Be complete and brief. Do not call tools.`

const TOLD =
  'Long threads that were condensed several times can make the model less accurate; a new thread ' +
  'for a new task costs nothing.'

/** The model condenses the history, and nothing else is done. Takes no input. */
export const compactTask: TurnTask = {
  kind: 'compact',
  open: async () => ({ lines: [], tell: () => undefined }),
  work: async (run) => {
    await compact(run, false)
    return null
  },
}

/** True when the next request would come close to the end of the model's window. */
export function needsCompaction(run: TurnRun): boolean {
  const limit = run.settings.autoCompactTokens ?? infoOf(run).autoCompactTokens
  return run.session.activeTokens >= limit
}

/**
 * Has the model condense the history, and goes on with what it wrote. When that fails the history
 * stays as it was. A turn that goes on (`isWithinTurn`) gets its context again.
 * Source: `reference/session-runtime.md` F3.
 */
export async function compact(run: TurnRun, isWithinTurn: boolean): Promise<void> {
  const { recorder, session, turnId } = run
  await run.opened
  const item = { type: 'contextCompaction', id: randomUUID() } as const
  recorder.tell({ type: 'itemStarted', turnId, item })
  const message = `${SUMMARY_PREFIX}\n${await summary(run)}`
  const { record, sources } = turnContextOf(run)
  const context = isWithinTurn ? await contextMessages(sources, record, undefined) : []
  const replacement_history = compactedHistory(session.items, message, context)
  session.compact(replacement_history, estimateTokens(replacement_history), infoOf(run))
  if (isWithinTurn) session.setContextBaseline(record)
  const lines: RolloutItem[] = [
    { type: 'compacted', payload: { message, replacement_history } },
    ...(isWithinTurn ? [{ type: 'turn_context', payload: record } as const] : []),
    tokenCount(run),
    { type: 'event_msg', payload: { type: 'context_compacted' } },
  ]
  await recorder.keepDurably(lines)
  recorder.tell({ type: 'tokenCount', turnId, info: session.tokenInfo })
  recorder.tell({ type: 'itemCompleted', turnId, item })
  recorder.tell({ type: 'warning', turnId, message: TOLD })
}

/** Without the oldest items, as many as the model has no room for. */
async function summary(run: TurnRun): Promise<string> {
  const items = [...run.session.items]
  for (;;) {
    try {
      return await withRetries(run, () => ask(run, items))
    } catch (error) {
      const isTooLong =
        error instanceof ModelError && error.codexErrorInfo === 'contextWindowExceeded'
      if (!isTooLong || items.length <= 1) throw error
      items.shift()
    }
  }
}

async function ask(run: TurnRun, items: readonly ResponseItem[]): Promise<string> {
  const { outputSchema: _, ...request } = buildRequest(run)
  const input = toModelInput([...items, userText(PROMPT)])
  let text = ''
  let isComplete = false
  const { client } = run.services.model
  const asked = { ...request, input, tools: [], parallelToolCalls: false }
  for await (const event of client.stream(asked, run.signal)) {
    run.signal.throwIfAborted()
    const rateLimits = 'rateLimits' in event ? event.rateLimits : null
    if (rateLimits) run.session.setRateLimits(rateLimits)
    if (event.type === 'itemDone' && event.item.type === 'message') {
      text = messageText(event.item) || text
    } else if (event.type === 'completed') {
      run.session.countTokens(event.usage, infoOf(run).contextWindow)
      isComplete = true
    }
  }
  if (!isComplete) throw disconnected('stream closed before response.completed')
  if (text.trim() === '') throw new ModelError('the model wrote no summary of the conversation')
  await run.recorder.keep([tokenCount(run)])
  run.recorder.tell({ type: 'tokenCount', turnId: run.turnId, info: run.session.tokenInfo })
  return text
}
