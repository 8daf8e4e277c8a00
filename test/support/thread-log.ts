import {
  parseThreadId,
  type ResponseItem,
  type RolloutItem,
  type SessionMeta,
  type StoredEvent,
  type ThreadId,
  type TurnContextRecord,
  userText,
} from '../../src/protocol/index.ts'
import { encodeLine } from '../../src/rollout/index.ts'

/** Short ways to write the lines of a thread in a test. */
export const AT = '2026-11-20T09:29:15.680Z'

/** The n-th of a row of thread ids, growing with n. */
export function threadIdOf(n: number): ThreadId {
  const id = parseThreadId(`01a1f849-0000-7000-8000-${n.toString(16).padStart(12, '0')}`)
  if (!id) throw new Error(`no thread id: ${n}`)
  return id
}

export function header(id: string, extra: Partial<SessionMeta> = {}): RolloutItem {
  const payload: SessionMeta = {
    id,
    timestamp: AT,
    cwd: '/repo',
    originator: 'bobbin',
    cli_version: '0.0.0',
    source: 'cli',
    model_provider: 'mock',
    ...extra,
  }
  return { type: 'session_meta', payload }
}

export function event(payload: StoredEvent): RolloutItem {
  return { type: 'event_msg', payload }
}

export function item(payload: ResponseItem): RolloutItem {
  return { type: 'response_item', payload }
}

export function assistantText(text: string): ResponseItem {
  return { type: 'message', role: 'assistant', content: [{ type: 'output_text', text }] }
}

export function userEvent(message: string): RolloutItem {
  return event({ type: 'user_message', message, local_images: [], text_elements: [] })
}

/** A person's message in both its forms, in the order of real Codex. */
export function says(text: string): RolloutItem[] {
  return [item(userText(text)), userEvent(text)]
}

/** The model's message in both its forms. */
export function answers(text: string): RolloutItem[] {
  const told = { type: 'agent_message', message: text, phase: null, memory_citation: null } as const
  return [event(told), item(assistantText(text))]
}

export function named(thread_id: string, thread_name: string | null): RolloutItem {
  return event({ type: 'thread_name_updated', thread_id, thread_name })
}

export function started(turn_id: string, started_at?: number): RolloutItem {
  return event({
    type: 'task_started',
    turn_id,
    ...(started_at === undefined ? {} : { started_at }),
    model_context_window: null,
    collaboration_mode_kind: 'default',
  })
}

export function completed(turn_id: string, lastMessage: string | null = null): RolloutItem {
  return event({ type: 'task_complete', turn_id, last_agent_message: lastMessage })
}

export function aborted(turn_id: string): RolloutItem {
  return event({ type: 'turn_aborted', turn_id, reason: 'interrupted' })
}

export function rolledBack(num_turns: number): RolloutItem {
  return event({ type: 'thread_rolled_back', num_turns })
}

export function compacted(message: string, replacement_history?: ResponseItem[]): RolloutItem {
  const payload = { message, ...(replacement_history ? { replacement_history } : {}) }
  return { type: 'compacted', payload }
}

export function turnContext(turn_id: string, extra: Partial<TurnContextRecord> = {}): RolloutItem {
  const payload: TurnContextRecord = {
    turn_id,
    cwd: '/repo',
    approval_policy: 'never',
    sandbox_policy: { type: 'danger-full-access' },
    model: 'm',
    summary: 'auto',
    ...extra,
  }
  return { type: 'turn_context', payload }
}

/** A whole turn `tN` in which uN is asked and aN answered. */
export function turn(n: number | string): RolloutItem[] {
  return [
    started(`t${n}`),
    turnContext(`t${n}`),
    ...says(`u${n}`),
    ...answers(`a${n}`),
    completed(`t${n}`, `a${n}`),
  ]
}

export function textOf(items: readonly RolloutItem[], timestamp = AT): string {
  return items.map((each) => encodeLine({ timestamp, item: each })).join('')
}
