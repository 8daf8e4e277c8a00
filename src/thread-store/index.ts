export { ThreadStoreError, type ThreadStoreFailure } from './errors.ts'
export { LiveThread } from './live-thread.ts'
export {
  INDEX_FILE,
  LocalThreadStore,
  type LocalThreadStoreOptions,
} from './local/local-thread-store.ts'
export type {
  CreateThread,
  ListThreads,
  StoredHistory,
  StoredThread,
  ThreadPage,
  ThreadStore,
} from './store.ts'
