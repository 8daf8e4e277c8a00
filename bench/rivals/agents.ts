/** The session of OpenAI's Agents SDK that needs no service: it is in memory only. */
import type { JsonObject } from '../../src/base/index.ts'
import { importRival } from './install.ts'
import type { Rival } from './rival.ts'

interface Session {
  addItems(items: readonly object[]): Promise<void>
  getItems(): Promise<readonly unknown[]>
}

export async function agentsSession(): Promise<Rival> {
  const { MemorySession } = await importRival<{ MemorySession: new () => Session }>(
    '@openai/agents-core',
  )
  const session = new MemorySession()
  return {
    append: (items: readonly JsonObject[]) => session.addItems(items),
    load: () => session.getItems(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}
