export { isContextual, isUserBoundary, TURN_ABORTED_MARKER } from './contextual.ts'
export { forkedItems } from './fork-items.ts'
export {
  type CurrentMetadata,
  isEmptyPatch,
  metadataLines,
  type ThreadMetadataPatch,
} from './metadata-lines.ts'
export { type ModelHistory, replayModelHistory, toModelInput } from './model-history.ts'
export { isPersisted } from './persistence-policy.ts'
export { SummaryFold, type ThreadSummary } from './thread-summary.ts'
export { commandItem, toFileUpdateChanges, userContent } from './turn-items.ts'
export { foldTurns } from './turn-view.ts'
