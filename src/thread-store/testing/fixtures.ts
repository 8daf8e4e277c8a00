import {
  newThreadId,
  type RolloutItem,
  type SessionMeta,
  type ThreadId,
  userText,
} from '../../protocol/index.ts'
import { ThreadStoreError } from '../errors.ts'
import { LiveThread } from '../live-thread.ts'
import type { ForkThread, ListThreads, ThreadStore } from '../store.ts'

/** Makes a fresh, empty store for one test; the test disposes it. */
export type OpenStore = () => Promise<ThreadStore>

export type Code = ThreadStoreError['failure']['code']

export const CREATED_AT_MS = Date.UTC(2026, 10, 21, 10, 0, 0)

/** A header as a session makes it. */
export function aHeader(threadId: ThreadId, createdAtMs = CREATED_AT_MS): SessionMeta {
  return {
    id: threadId,
    timestamp: new Date(createdAtMs).toISOString(),
    cwd: '/project',
    originator: 'contract',
    cli_version: '0.0.0',
    source: 'cli',
    model_provider: 'mock',
  }
}

/** The lines of a person's message: what the model reads, and what people see. */
export function aMessage(text: string): RolloutItem[] {
  return [
    { type: 'response_item', payload: userText(text) },
    {
      type: 'event_msg',
      payload: {
        type: 'user_message',
        message: text,
        images: [],
        local_images: [],
        text_elements: [],
      },
    },
  ]
}

export async function create(
  store: ThreadStore,
  threadId: ThreadId,
  atMs = CREATED_AT_MS,
): Promise<void> {
  const header = async () => aHeader(threadId, atMs)
  await store.createThread({ threadId, createdAtMs: atMs, header })
}

/** A closed thread with one message. */
export async function stored(
  store: ThreadStore,
  text = 'hello',
  atMs = CREATED_AT_MS,
): Promise<ThreadId> {
  const threadId = newThreadId()
  const live = await aLiveThread(store, threadId, async () => aHeader(threadId, atMs), atMs)
  await live.append(aMessage(text))
  await live.close()
  return threadId
}

/** A new thread of which the store is told what appended items say, as sessions do. */
export function aLiveThread(
  store: ThreadStore,
  threadId: ThreadId,
  header: () => Promise<SessionMeta>,
  createdAtMs = CREATED_AT_MS,
): Promise<LiveThread> {
  return LiveThread.create(store, { threadId, createdAtMs, header })
}

/** A turn as a session writes it; `n` makes its id. */
export function aTurn(n: number, text = `question ${n}`): RolloutItem[] {
  const turn_id = turnIdOf(n)
  const started = { type: 'task_started', turn_id, started_at: 1_800_000_000 + n } as const
  const mode = { model_context_window: null, collaboration_mode_kind: 'default' } as const
  const answer = `answer ${n}`
  const told = { message: answer, phase: null, memory_citation: null } as const
  const content = [{ type: 'output_text' as const, text: answer }]
  return [
    { type: 'event_msg', payload: { ...started, ...mode } },
    ...aMessage(text),
    { type: 'event_msg', payload: { type: 'agent_message', ...told } },
    { type: 'response_item', payload: { type: 'message', role: 'assistant', content } },
    {
      type: 'event_msg',
      payload: { type: 'task_complete', turn_id, last_agent_message: answer, duration_ms: n },
    },
  ]
}

export function turnIdOf(n: number): string {
  return `01a1fe00-0000-7000-8000-${String(n).padStart(12, '0')}`
}

/** A closed thread with these items. */
export async function storedWith(
  store: ThreadStore,
  items: readonly RolloutItem[],
): Promise<ThreadId> {
  const threadId = newThreadId()
  const live = await aLiveThread(store, threadId, async () => aHeader(threadId))
  await live.append(items)
  await live.close()
  return threadId
}

/** The wish for a new thread that begins as another. */
export function aFork(sourceId: ThreadId, throughTurnId?: string): ForkThread {
  const origin = { originator: 'contract', cli_version: '0.0.0', source: 'cli' }
  const fork = { sourceId, threadId: newThreadId(), createdAtMs: CREATED_AT_MS, origin }
  return throughTurnId === undefined ? fork : { ...fork, throughTurnId }
}

/** Appends until the clock of the store has gone on, so that no other thread is as new. */
export async function touch(store: ThreadStore, threadId: ThreadId): Promise<void> {
  const { updatedAtMs } = (await store.listThreads({ ...EVERYTHING, sortKey: 'updated' }))
    .threads[0] ?? { updatedAtMs: 0 }
  const { live } = await LiveThread.resume(store, threadId)
  do await live.append(aMessage('more'))
  while ((await store.readThread(threadId)).updatedAtMs <= updatedAtMs)
  await live.close()
}

export function failsWith(code: Code): (error: unknown) => boolean {
  return (error) => error instanceof ThreadStoreError && error.failure.code === code
}

export const EVERYTHING: ListThreads = {
  limit: 100,
  sortKey: 'created',
  isArchived: false,
  includeSubagents: false,
}
