import { randomUUID } from 'node:crypto'
import type { RolloutItem, UserInput } from '../../protocol/index.ts'
import { contextMessages } from '../context/turn-context.ts'
import { userInputContent, userMessageEvent, userMessageItem } from '../context/user-content.ts'
import { untilAborted } from '../until-aborted.ts'
import { compact, needsCompaction } from './compact.ts'
import { withRetries } from './retry.ts'
import { sample } from './sample.ts'
import { remember, type TurnRun, turnContextOf } from './turn-run.ts'
import type { SteeredInput } from './turn-state.ts'
import type { TurnOpening, TurnTask } from './turn-task.ts'

/** The person says something, and the model answers until it has nothing more to do. */
export function regularTask(input: readonly UserInput[]): TurnTask {
  return { kind: 'regular', open: (run) => openTurn(run, input), work: converse }
}

/** Context, settings and the person's message. */
async function openTurn(run: TurnRun, input: readonly UserInput[]): Promise<TurnOpening> {
  const { session } = run
  const { record, sources } = turnContextOf(run)
  const context = await contextMessages(sources, record, session.contextBaseline)
  const message = input.length === 0 ? [] : [await userMessageItem(input)]
  const lines: RolloutItem[] = [
    ...remember(run, context),
    { type: 'turn_context', payload: record },
    ...remember(run, message),
  ]
  session.setContextBaseline(record)
  if (input.length === 0) return { lines, tell: () => undefined }
  lines.push({ type: 'event_msg', payload: userMessageEvent(input) })
  return { lines, tell: () => tellMessage(run, input) }
}

function tellMessage({ recorder, turnId }: TurnRun, input: readonly UserInput[]): void {
  const content = userInputContent(input)
  const item = { type: 'userMessage', id: randomUUID(), content } as const
  recorder.tell({ type: 'itemStarted', turnId, item })
  recorder.tell({ type: 'itemCompleted', turnId, item })
}

/** Requests until there is nothing more to say; answers the last words. */
async function converse(run: TurnRun): Promise<string | null> {
  await untilAborted(run.services.tools.ready(), run.signal)
  for (;;) {
    if (needsCompaction(run)) await compact(run, true)
    const result = await withRetries(run, () => sample(run))
    if (!result.needsFollowUp && run.turn.closeInput()) return result.lastMessage
    await keepSteered(run)
  }
}

/** What a person said meanwhile is kept behind the response, and goes out with the next request. */
async function keepSteered(run: TurnRun): Promise<void> {
  for (const steered of run.turn.takeSteered()) {
    try {
      await keepOne(run, steered)
      steered.kept.resolve()
    } catch (error) {
      steered.kept.reject(error)
      throw error
    }
  }
}

async function keepOne(run: TurnRun, { said }: SteeredInput): Promise<void> {
  if ('items' in said) {
    await run.recorder.keepDurably(remember(run, said.items))
    return
  }
  const message = await userMessageItem(said.input)
  const event = userMessageEvent(said.input)
  const lines = remember(run, [message])
  await run.recorder.keepDurably([...lines, { type: 'event_msg', payload: event }])
  tellMessage(run, said.input)
}
