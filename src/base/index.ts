export { assert, unreachable } from './assert.ts'
export { BoundedQueue } from './bounded-queue.ts'
export type { Brand } from './brand.ts'
export { type Clock, systemClock } from './clock.ts'
export { describeJson } from './describe-json.ts'
export { errorCode, errorText } from './errors.ts'
export { FileLock } from './file-lock.ts'
export {
  type DirectoryEntry,
  type FileFacts,
  type FileSystem,
  isOutOfDescriptors,
  nodeFileSystem,
  type OpenFile,
} from './file-system.ts'
export { systemFlock } from './flock.ts'
export {
  type AskGit,
  findMainWorkTree,
  findWorkTreeRoot,
  gitIn,
  hasUncommittedChanges,
  readWorkTree,
  type WorkTreeFacts,
} from './git.ts'
export {
  arrayAt,
  isDeeperThan,
  isObject,
  type Json,
  type JsonObject,
  numberAt,
  objectAt,
  stringAt,
} from './json.ts'
export { type JsonlLine, MOST_LINE_BYTES, type VisitLines, visitLines } from './jsonl.ts'
export { LockFileError, LockUnavailable } from './lock-errors.ts'
export { findLockHolder, holdsLock, readLockText } from './lock-holder.ts'
export { OnceMade } from './once-made.ts'
export { openSystemPipe } from './pipe.ts'
export { formatRustFloat, quoteRustString } from './rust-text.ts'
export {
  aCount,
  aFlag,
  aFunction,
  aNumber,
  anAbortSignal,
  anAbsolutePath,
  anAmount,
  anObject,
  aText,
  givenOf,
  listOf,
  maybe,
  members,
  mustBe,
  nullOr,
  oneOf,
  onlyMembers,
  type Shape,
  someWords,
} from './shape.ts'
export { shellQuote } from './shell-quote.ts'
export { TaskScope } from './task-scope.ts'
export { bobbinVersion } from './version.ts'
export { writeAll } from './write-all.ts'
