export type {
  ClientAnswer,
  ClientRequest,
  ClientRequestKind,
  ClientRequestParams,
  CommandApproval,
  CommandDecision,
  DynamicToolCall,
  DynamicToolContent,
  DynamicToolResult,
  Elicitation,
  ElicitationAnswer,
  PatchApproval,
  PatchDecision,
  UserInputAnswers,
  UserInputQuestion,
  UserInputQuestions,
} from './client-request.ts'
export type { DynamicToolDefinition } from './dynamic-tool.ts'
export {
  type Duration,
  durationMs,
  durationOf,
  type FileChangeRecord,
  OTHER_EVENT_TYPES,
  type OtherEvent,
  type ParsedCommand,
  type PlanStep,
  type SessionEvent,
  type StoredEvent,
} from './event.ts'
export { newThreadId, newTurnId, parseThreadId, type ThreadId, type TurnId } from './ids.ts'

export {
  type ContentPart,
  type MessageItem,
  messageText,
  parseResponseItem,
  type ResponseItem,
  type ToolOutput,
  userText,
} from './response-item.ts'
export type { ReviewFinding, ReviewOutput, ReviewTarget } from './review.ts'
export type {
  CompactedRecord,
  RolloutItem,
  RolloutLine,
  SessionMeta,
  TurnContextRecord,
} from './rollout-item.ts'
export {
  APPROVAL_POLICIES,
  type ApprovalPolicy,
  addUsage,
  type GitInfo,
  GOAL_STATUSES,
  isSubagent,
  MEMORY_MODES,
  type MemoryMode,
  NO_TOKENS,
  SANDBOX_MODES,
  type SandboxMode,
  type SandboxPolicy,
  type SessionSource,
  sourceKind,
  sourceKinds,
  type ThreadGoal,
  type TokenInfo,
  type TokenUsage,
} from './thread-facts.ts'
export {
  type CommandAction,
  type CommandSource,
  type FileUpdateChange,
  type ToolStatus,
  type Turn,
  type TurnError,
  type TurnItem,
  type TurnStatus,
  type UserContent,
  userContentText,
} from './turn-item.ts'
export type { UserInput } from './user-input.ts'
