export type { ObservedFacts, ThreadMetadataPatch } from '../history/index.ts'
export { ThreadStoreError, type ThreadStoreFailure, type WriterHolder } from './errors.ts'
export { InMemoryThreadStore } from './in-memory/in-memory-thread-store.ts'
export {
  decodeListCursor,
  encodeListCursor,
  isBehind,
  type ListPlace,
} from './list-cursor.ts'
export { LiveThread } from './live-thread.ts'
export { clearMemories } from './local/clear-memories.ts'
export { counted, type Finding, finding, SECTIONS, type Severity } from './local/doctor/finding.ts'
export { type FilesPart, inspectFiles, type Looked } from './local/doctor/inspect-files.ts'
export {
  type DoctorHelpers,
  type HomeReport,
  type InspectHome,
  inspectHome,
} from './local/doctor/inspect-home.ts'
export { repairHome } from './local/doctor/repair-home.ts'
export type { RepairOutcome } from './local/doctor/repair-rollout.ts'
export { INDEX_FILE } from './local/home-access.ts'
export { LocalThreadStore, type LocalThreadStoreOptions } from './local/local-thread-store.ts'
export { findWriter } from './local/writer-lease.ts'
export { rollBackThread } from './roll-back-thread.ts'
export type {
  CreateThread,
  ForkThread,
  IndexProgress,
  ItemPage,
  ListItems,
  ListThreads,
  ListTurns,
  ResumeThread,
  SearchHit,
  SearchPage,
  SearchThreads,
  StoredHistory,
  StoredThread,
  ThreadPage,
  ThreadRef,
  ThreadStore,
  TurnPage,
} from './store.ts'
