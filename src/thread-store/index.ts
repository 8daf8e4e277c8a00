export type { ThreadMetadataPatch } from '../history/index.ts'
export { ThreadStoreError, type ThreadStoreFailure } from './errors.ts'
export { type ForkThread, forkThread } from './fork-thread.ts'
export { InMemoryThreadStore } from './in-memory/in-memory-thread-store.ts'
export { LiveThread } from './live-thread.ts'
export {
  INDEX_FILE,
  LocalThreadStore,
  type LocalThreadStoreOptions,
} from './local/local-thread-store.ts'
export { rollBackThread } from './roll-back-thread.ts'
export type {
  CreateThread,
  ListThreads,
  StoredHistory,
  StoredThread,
  ThreadPage,
  ThreadStore,
} from './store.ts'
