/** Mastra's memory over LibSQL, its store for one machine: an item is a message. */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { JsonObject } from '../../src/base/index.ts'
import { importRival } from './install.ts'
import type { Rival } from './rival.ts'

interface MemoryStore {
  saveThread(params: { readonly thread: JsonObject | object }): Promise<unknown>
  saveMessages(params: { readonly messages: readonly object[] }): Promise<unknown>
  listMessages(params: object): Promise<{ readonly messages: readonly unknown[] }>
}

interface LibSqlStore {
  init(): Promise<void>
  getStore(name: 'memory'): Promise<MemoryStore | undefined>
  close?(): Promise<void>
}

const ABOUT = { threadId: 'bench', resourceId: 'bench' }

class Mastra implements Rival {
  readonly #store: LibSqlStore
  readonly #memory: MemoryStore
  #nowMs = Date.UTC(2026, 0, 1)

  constructor(store: LibSqlStore, memory: MemoryStore) {
    this.#store = store
    this.#memory = memory
  }

  async append(items: readonly JsonObject[]): Promise<void> {
    const messages = items.map((item) => {
      this.#nowMs += 1
      const content = { format: 2, parts: [{ type: 'text', text: JSON.stringify(item) }] }
      const createdAt = new Date(this.#nowMs)
      return { id: randomUUID(), role: 'assistant', createdAt, ...ABOUT, content }
    })
    await this.#memory.saveMessages({ messages })
  }

  async load(): Promise<readonly unknown[]> {
    return (await this.#memory.listMessages({ threadId: ABOUT.threadId, perPage: false })).messages
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store.close?.()
  }
}

export async function mastra(folder: string): Promise<Rival> {
  const { LibSQLStore } = await importRival<{
    LibSQLStore: new (options: { readonly id: string; readonly url: string }) => LibSqlStore
  }>('@mastra/libsql')
  const store = new LibSQLStore({ id: 'bench', url: `file:${join(folder, 'mastra.db')}` })
  await store.init()
  const memory = await store.getStore('memory')
  if (!memory) throw new Error('Mastra has no memory store')
  const now = new Date()
  const { threadId: id, resourceId } = ABOUT
  const thread = { id, resourceId, title: '', metadata: {}, createdAt: now, updatedAt: now }
  await memory.saveThread({ thread })
  return new Mastra(store, memory)
}
