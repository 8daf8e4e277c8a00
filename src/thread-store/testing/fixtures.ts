import {
  newThreadId,
  type RolloutItem,
  type SessionMeta,
  type ThreadId,
  userText,
} from '../../protocol/index.ts'
import { ThreadStoreError } from '../errors.ts'
import type { ListThreads, ThreadStore } from '../store.ts'

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
  await create(store, threadId, atMs)
  await store.appendItems(threadId, aMessage(text))
  await store.closeThread(threadId)
  return threadId
}

/** Appends until the clock of the store has gone on, so that no other thread is as new. */
export async function touch(store: ThreadStore, threadId: ThreadId): Promise<void> {
  const { updatedAtMs } = (await store.listThreads({ ...EVERYTHING, sortKey: 'updated' }))
    .threads[0] ?? { updatedAtMs: 0 }
  await store.resumeThread(threadId)
  do await store.appendItems(threadId, aMessage('more'))
  while ((await store.readThread(threadId)).updatedAtMs <= updatedAtMs)
  await store.closeThread(threadId)
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
