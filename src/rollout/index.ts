export { RolloutError, type RolloutFailure } from './errors.ts'
export { decodeLine, encodeLine } from './rollout-codec.ts'
export { ARCHIVE_FOLDER, rolloutPath, SESSIONS_FOLDER } from './rollout-path.ts'
export {
  type DamagedLine,
  type FoldedSummary,
  type LoadedRollout,
  loadRollout,
  readHeader,
  readSummary,
} from './rollout-reader.ts'
export {
  findRollout,
  newestFirst,
  type RolloutFile,
  scanArchive,
  scanSessions,
} from './rollout-scan.ts'
export {
  DURABILITY_LEVELS,
  type Durability,
  type RolloutNotice,
  RolloutWriter,
  type RolloutWriterOptions,
} from './rollout-writer.ts'
export {
  appendThreadName,
  NAME_INDEX_FILE,
  readThreadNames,
  removeThreadNames,
} from './thread-name-index.ts'
