export { RolloutError, type RolloutFailure } from './errors.ts'
export { decodeLine, encodeLine } from './rollout-codec.ts'
export { parseRolloutName, rolloutPath } from './rollout-path.ts'
export {
  type DamagedLine,
  type LoadedRollout,
  loadRollout,
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
export { NAME_INDEX_FILE, readThreadNames } from './thread-name-index.ts'
