export { commandActions } from './command-actions.ts'
export { compactedHistory, estimateTokens, SUMMARY_PREFIX } from './compaction.ts'
export { type ContextPoint, contextPoint } from './context-outline.ts'
export { isContextual, isUserBoundary, TURN_ABORTED_MARKER } from './contextual.ts'
export { closedTurn, forkedItems } from './fork-items.ts'
export {
  type CurrentMetadata,
  isEmptyPatch,
  metadataLines,
  type ObservedFacts,
  type ThreadMetadataPatch,
} from './metadata-lines.ts'
export {
  countCompactions,
  type ModelHistory,
  replayModelHistory,
  toModelInput,
} from './model-history.ts'
export { isPersisted } from './persistence-policy.ts'
export { callText, searchText } from './search-text.ts'
export {
  type KnownOutline,
  type OutlinedTurn,
  OutlineFold,
  type OutlineState,
  type TurnText,
} from './thread-outline.ts'
export { SummaryFold, type ThreadSummary } from './thread-summary.ts'
export { turnActivity } from './turn-activity.ts'
export {
  commandItem,
  dynamicItem,
  mcpToolCallItem,
  toFileUpdateChanges,
  userContent,
} from './turn-items.ts'
export { foldTurns, foldTurnsSlice, type TurnsSlice } from './turn-view.ts'
export { typedCommand } from './typed-command.ts'
