/** The store as the bench makes it: the one place that knows its options. */
import { nodeFileSystem, systemClock } from '../src/base/index.ts'
import { LocalThreadStore, type LocalThreadStoreOptions } from '../src/thread-store/index.ts'

export function openStoreUnderTest(
  home: string,
  durability: LocalThreadStoreOptions['durability'] = 'turn',
): LocalThreadStore {
  return new LocalThreadStore({ home, files: nodeFileSystem, clock: systemClock, durability })
}
