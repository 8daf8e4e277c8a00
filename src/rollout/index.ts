export { RolloutError, type RolloutFailure } from './errors.ts'
export { type CatalogPart, RolloutCatalog } from './rollout-catalog.ts'
export { decodeLine, encodeLine } from './rollout-codec.ts'
export { type OutlinedRollout, outlineRollout } from './rollout-outline.ts'
export { ARCHIVE_FOLDER, parseRolloutName, rolloutPath, SESSIONS_FOLDER } from './rollout-path.ts'
export {
  type DamagedLine,
  type LoadedRollout,
  loadRollout,
  openRollout,
  type RolloutEntry,
  type RolloutExtent,
  type RolloutPart,
  type RolloutVisitor,
  readEntries,
  readHeader,
  type SeenLine,
  seenLine,
  visitRollout,
  withRollout,
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
export { type FoldedSummary, readSummary } from './summary-reader.ts'
export {
  appendThreadName,
  NAME_INDEX_FILE,
  readThreadNames,
  removeThreadNames,
} from './thread-name-index.ts'
