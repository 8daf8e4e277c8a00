/** Bobbin's own store, asked as the others are. */
import type { JsonObject } from '../../src/base/index.ts'
import { newThreadId, type ResponseItem, type RolloutItem } from '../../src/protocol/index.ts'
import type { ThreadStore } from '../../src/thread-store/index.ts'
import { openStoreUnderTest } from '../store-under-test.ts'
import type { Rival } from './rival.ts'

export async function bobbin(folder: string): Promise<Rival> {
  const store: ThreadStore & AsyncDisposable = openStoreUnderTest(folder)
  const threadId = newThreadId()
  const createdAtMs = Date.now()
  const header = async () => ({
    id: threadId,
    timestamp: new Date(createdAtMs).toISOString(),
    cwd: folder,
    originator: 'bobbin_bench',
    cli_version: '0.0.0',
    source: 'cli' as const,
  })
  await store.createThread({ threadId, createdAtMs, header })
  const toItem = (payload: JsonObject): RolloutItem => {
    return { type: 'response_item', payload: payload as unknown as ResponseItem }
  }
  return {
    append: async (items) => {
      await store.appendItems(threadId, items.map(toItem))
    },
    load: async () => (await store.loadHistory(threadId)).items,
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }
}
