import { randomUUID } from 'node:crypto'
import { userContent } from '../../history/index.ts'
import {
  type MessageItem,
  type ReviewTarget,
  type RolloutItem,
  type SessionEvent,
  type TurnError,
  type TurnItem,
  userText,
} from '../../protocol/index.ts'
import { userMessageEvent } from '../context/user-content.ts'
import { ModelError } from '../model/model-client.ts'
import {
  parseReviewOutput,
  REVIEW_INSTRUCTIONS,
  type ReviewEnd,
  reviewHint,
  reviewPrompt,
  reviewResultMessage,
  trimReviewTarget,
} from '../review/index.ts'
import type { SubSession } from '../session/sub-session.ts'
import { remember, type TurnRun } from './turn-run.ts'
import type { TurnTask } from './turn-task.ts'

/** Id of the assistant's message that ends a review. Source: observed in 0.133.0. */
const RESULT_ID = 'review_rollout_assistant'

/** What the reviewer's turn came to. */
interface ReviewerEnd {
  readonly status: 'completed' | 'interrupted' | 'failed'
  readonly error: TurnError | null
  readonly lastMessage: string
}

/**
 * A reviewer with a thread of its own looks at changes; this thread keeps what it found. Where
 * 0.133.0 gives a review two turn ids, this is one turn. Source: `reference/session-runtime.md` F6.
 */
export function reviewTask(target: ReviewTarget): TurnTask {
  const trimmed = trimReviewTarget(target)
  let prompt = ''
  return {
    kind: 'review',
    open: async (run) => {
      prompt = await reviewPrompt(trimmed, run.settings.cwd, run.signal)
      const user_facing_hint = reviewHint(trimmed)
      const entered = { type: 'entered_review_mode', target: trimmed, user_facing_hint } as const
      const message = userMessageEvent([{ type: 'text', text: prompt }])
      return {
        lines: [
          { type: 'event_msg', payload: entered },
          { type: 'event_msg', payload: message },
        ],
        tell: () => {
          tellWhole(run, { type: 'enteredReviewMode', id: run.turnId, review: user_facing_hint })
          tellWhole(run, { type: 'userMessage', id: randomUUID(), content: userContent(message) })
        },
      }
    },
    work: async (run) => {
      await run.opened
      await review(run, prompt)
      return null
    },
  }
}

async function review(run: TurnRun, prompt: string): Promise<void> {
  let end: ReviewerEnd | undefined
  try {
    await using reviewer = await run.services.startSubSession({
      purpose: 'review',
      settings: { ...run.settings, ...run.services.reviewSettings, approvalPolicy: 'never' },
      instructions: REVIEW_INSTRUCTIONS,
    })
    end = await reviewerTurn(run, reviewer, prompt)
  } finally {
    await keepResult(run, end)
  }
  run.signal.throwIfAborted()
  if (end.error) throw failureOf(end.error)
}

/** Runs the reviewer's turn, and tells here what it does. */
async function reviewerTurn(
  run: TurnRun,
  reviewer: SubSession,
  prompt: string,
): Promise<ReviewerEnd> {
  const ended = Promise.withResolvers<ReviewerEnd>()
  let lastMessage = ''
  using _listening = reviewer.listen((event) => {
    if (event.type === 'itemCompleted' && event.item.type === 'agentMessage') {
      lastMessage = event.item.text
    }
    if (event.type === 'turnCompleted') {
      const { status, error } = event
      ended.resolve({ status, error, lastMessage })
    } else passOn(run, event)
  })
  const stop = () => void reviewer.interrupt()
  run.signal.throwIfAborted()
  run.signal.addEventListener('abort', stop, { once: true })
  try {
    await reviewer.startTurn([{ type: 'text', text: prompt }])
    // Not cut off by the abort: an interrupted reviewer ends its turn, and that is told.
    if (run.signal.aborted) stop()
    return await ended.promise
  } finally {
    run.signal.removeEventListener('abort', stop)
  }
}

/** The reviewer's work is shown under the review's turn; its words only in the end. */
function passOn({ recorder, turnId }: TurnRun, event: SessionEvent): void {
  switch (event.type) {
    case 'itemStarted':
    case 'itemCompleted': {
      const { type } = event.item
      if (type !== 'userMessage' && type !== 'agentMessage') recorder.tell({ ...event, turnId })
      break
    }
    case 'commandOutputDelta':
    case 'planUpdated':
    case 'turnDiff':
      recorder.tell({ ...event, turnId })
      break
    case 'error':
      if (event.willRetry) recorder.tell({ ...event, turnId })
      break
    case 'warning':
      recorder.tell({ ...event, turnId })
  }
}

/** Whatever became of the reviewer: the thread says how the review ended. */
async function keepResult(run: TurnRun, reviewer: ReviewerEnd | undefined): Promise<void> {
  const end = reviewEnd(run, reviewer)
  const output = end === 'finished' ? parseReviewOutput(reviewer?.lastMessage ?? '') : undefined
  const { shown, user, assistant } = reviewResultMessage(output, end)
  const content = [{ type: 'output_text', text: assistant } as const]
  const answer: MessageItem = { type: 'message', role: 'assistant', content }
  const exited = { type: 'exited_review_mode', review_output: output ?? null } as const
  const told = { message: assistant, phase: null, memory_citation: null }
  const lines: RolloutItem[] = [
    ...remember(run, [userText(user)]),
    { type: 'event_msg', payload: exited },
    ...remember(run, [answer]),
    { type: 'event_msg', payload: { type: 'agent_message', ...told } },
  ]
  await run.recorder.keepDurably(lines)
  tellWhole(run, { type: 'exitedReviewMode', id: run.turnId, review: shown })
  const item = { phase: null, memoryCitation: null, text: assistant }
  tellWhole(run, { type: 'agentMessage', id: RESULT_ID, ...item })
}

function reviewEnd(run: TurnRun, end: ReviewerEnd | undefined): ReviewEnd {
  if (run.signal.aborted) return 'interrupted'
  return end?.status === 'completed' ? 'finished' : 'failed'
}

function tellWhole({ recorder, turnId }: TurnRun, item: TurnItem): void {
  recorder.tell({ type: 'itemStarted', turnId, item })
  recorder.tell({ type: 'itemCompleted', turnId, item })
}

function failureOf({ message, codexErrorInfo, cause }: TurnError): ModelError {
  return new ModelError(message, { codexErrorInfo, cause })
}
