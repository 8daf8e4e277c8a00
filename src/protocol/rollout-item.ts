import type { Json, JsonObject } from '../base/index.ts'
import type { StoredEvent } from './event.ts'
import type { ResponseItem } from './response-item.ts'
import type { ApprovalPolicy, GitInfo, SandboxPolicy, SessionSource } from './thread-facts.ts'

/** Header of a thread; later lines with the same id update `git` and `memory_mode`. */
export interface SessionMeta {
  id: string
  forked_from_id?: string
  timestamp: string
  cwd: string
  originator: string
  cli_version: string
  source: SessionSource
  thread_source?: string
  agent_nickname?: string
  agent_role?: string
  agent_path?: string
  model_provider?: string | null
  base_instructions?: { text: string } | null
  dynamic_tools?: Json[]
  memory_mode?: string
  git?: GitInfo
  /** `paginated` in threads of later versions, which number their lines. */
  history_mode?: string
}

/** The settings of one user turn, and the baseline that later context is compared with. */
export interface TurnContextRecord {
  turn_id?: string
  cwd: string
  current_date?: string
  timezone?: string
  approval_policy: ApprovalPolicy
  sandbox_policy: SandboxPolicy
  permission_profile?: JsonObject
  model: string
  personality?: string
  collaboration_mode?: JsonObject
  realtime_active?: boolean
  effort?: string
  /** Constant, kept because 0.133.0 drops a line without it. */
  summary: string
}

export interface CompactedRecord {
  message: string
  replacement_history?: ResponseItem[]
}

/** One entry of a thread's log. */
export type RolloutItem =
  | { type: 'session_meta'; payload: SessionMeta }
  | { type: 'response_item'; payload: ResponseItem }
  | { type: 'event_msg'; payload: StoredEvent }
  | { type: 'turn_context'; payload: TurnContextRecord }
  | { type: 'compacted'; payload: CompactedRecord }
  /** A line of a newer version, carried whole. */
  | { type: 'unknown'; payload: JsonObject }

/** A log entry with the time of its write (RFC 3339, UTC, milliseconds). */
export interface RolloutLine {
  readonly timestamp: string
  readonly item: RolloutItem
}
