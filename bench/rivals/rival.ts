import type { JsonObject } from '../../src/base/index.ts'

/** Where a conversation could be kept instead: one thread of items that only grows. */
export interface Rival extends AsyncDisposable {
  append(items: readonly JsonObject[]): Promise<void>
  /** All items again, from where they were put. */
  load(): Promise<readonly unknown[]>
}
