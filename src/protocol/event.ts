import type { Json, JsonObject } from '../base/index.ts'
import type { ClientRequest, DynamicToolContent } from './client-request.ts'
import type { TokenInfo } from './thread-facts.ts'
import type { TurnError, TurnItem } from './turn-item.ts'

/** The change a patch made to one file, in the rollout's spelling. */
export type FileChangeRecord =
  | { type: 'add' | 'delete'; content: string }
  | { type: 'update'; unified_diff: string; move_path: string | null }

export interface Duration {
  secs: number
  nanos: number
}

export function durationOf(ms: number): Duration {
  const secs = Math.floor(ms / 1000)
  return { secs, nanos: Math.round((ms - secs * 1000) * 1e6) }
}

export function durationMs(duration: Duration): number {
  return duration.secs * 1000 + Math.round(duration.nanos / 1e6)
}

/** An entry of `parsed_cmd`: what a part of a command does. `path` of `read` may be relative. */
export type ParsedCommand =
  | { type: 'read'; cmd: string; name: string; path: string }
  | { type: 'list_files'; cmd: string; path: string | null }
  | { type: 'search'; cmd: string; query: string | null; path: string | null }
  | { type: 'unknown'; cmd: string }

/**
 * An event as a rollout holds it (`event_msg`). Kinds that this version does not produce or fold
 * are carried as plain objects. Source: codex-rs/protocol/src/protocol.rs, `EventMsg`.
 */
export type StoredEvent =
  | {
      type: 'task_started'
      turn_id: string
      started_at?: number
      model_context_window: number | null
      collaboration_mode_kind: string
    }
  | {
      type: 'task_complete'
      turn_id: string
      last_agent_message: string | null
      completed_at?: number
      duration_ms?: number
      time_to_first_token_ms?: number
    }
  | {
      type: 'turn_aborted'
      turn_id?: string | null
      reason: string
      completed_at?: number
      duration_ms?: number
    }
  | {
      type: 'user_message'
      message: string
      images?: string[]
      local_images: string[]
      text_elements: Json[]
    }
  | { type: 'agent_message'; message: string; phase: string | null; memory_citation: Json }
  | { type: 'agent_reasoning' | 'agent_reasoning_raw_content'; text: string }
  | { type: 'token_count'; info: TokenInfo | null; rate_limits: Json }
  | { type: 'context_compacted' }
  | { type: 'thread_rolled_back'; num_turns: number }
  | {
      type: 'patch_apply_end'
      call_id: string
      turn_id: string
      stdout: string
      stderr: string
      success: boolean
      changes: { [path: string]: FileChangeRecord }
      status: 'completed' | 'failed' | 'declined'
    }
  | {
      type: 'exec_command_end'
      call_id: string
      process_id?: string
      turn_id: string
      command: string[]
      cwd: string
      parsed_cmd: JsonObject[]
      source: string
      stdout: string
      stderr: string
      aggregated_output: string
      exit_code: number
      duration: Duration
      formatted_output: string
      status: 'completed' | 'failed' | 'declined'
    }
  | { type: 'web_search_end'; call_id: string; query: string; action: JsonObject }
  | { type: 'view_image_tool_call'; call_id: string; path: string }
  | {
      type: 'dynamic_tool_call_response'
      call_id: string
      turn_id: string
      namespace: string | null
      tool: string
      arguments: Json
      content_items: DynamicToolContent[]
      success: boolean
      /** Why there is no answer. */
      error: string | null
      duration: Duration
    }
  | { type: 'error'; message: string; codex_error_info: Json }
  | OtherEvent

/** Kinds that are stored or read back without a shape of their own here. */
export const OTHER_EVENT_TYPES = [
  'image_generation_end',
  'mcp_tool_call_end',
  'item_completed',
  'entered_review_mode',
  'exited_review_mode',
  'thread_goal_updated',
  'thread_name_updated',
] as const

export interface OtherEvent {
  type: (typeof OTHER_EVENT_TYPES)[number]
  [key: string]: Json | undefined
}

/** What a session tells its subscribers. `turnId` is the turn that the event belongs to. */
export type SessionEvent =
  | { readonly type: 'turnStarted'; readonly turnId: string; readonly startedAtS: number }
  | { readonly type: 'itemStarted'; readonly turnId: string; readonly item: TurnItem }
  /** The item is in the thread's log by the time this is told. */
  | { readonly type: 'itemCompleted'; readonly turnId: string; readonly item: TurnItem }
  | {
      readonly type: 'agentMessageDelta'
      readonly turnId: string
      readonly itemId: string
      readonly delta: string
    }
  | {
      readonly type: 'commandOutputDelta'
      readonly turnId: string
      readonly itemId: string
      readonly delta: string
    }
  | {
      readonly type: 'planUpdated'
      readonly turnId: string
      readonly explanation: string | null
      readonly plan: readonly PlanStep[]
    }
  | { readonly type: 'tokenCount'; readonly turnId: string; readonly info: TokenInfo | null }
  | { readonly type: 'warning'; readonly turnId: string | null; readonly message: string }
  /** Somebody is asked; the turn, or what goes on beside the turns, waits for the answer. */
  | {
      readonly type: 'requestOpened'
      readonly turnId: string | null
      readonly request: ClientRequest
    }
  /** It was answered, or is moot: the turn has ended. */
  | { readonly type: 'requestResolved'; readonly turnId: string | null; readonly requestId: string }
  /** What the turn's patches have changed so far, as git shows it; empty when nothing is left. */
  | { readonly type: 'turnDiff'; readonly turnId: string; readonly diff: string }
  | {
      readonly type: 'mcpServerStatus'
      readonly turnId: null
      readonly server: string
      readonly status: 'starting' | 'ready' | 'failed' | 'cancelled'
      readonly error: string | null
    }
  /** Other settings are in force from the next turn on. */
  | { readonly type: 'settingsChanged'; readonly turnId: null }
  /** The last turns were taken back. */
  | { readonly type: 'rolledBack'; readonly turnId: null; readonly turnCount: number }
  /** A failure; `willRetry` says whether the turn goes on. */
  | {
      readonly type: 'error'
      readonly turnId: string
      readonly error: TurnError
      readonly willRetry: boolean
    }
  /** The last event of a turn, in the log before it is told. */
  | {
      readonly type: 'turnCompleted'
      readonly turnId: string
      readonly status: 'completed' | 'interrupted' | 'failed'
      readonly error: TurnError | null
      readonly durationMs: number
    }
  /** What the model thinks, as it comes; `index` is that of the part within the item. */
  | {
      readonly type: 'reasoningDelta'
      readonly turnId: string
      readonly itemId: string
      readonly kind: 'summary' | 'raw'
      readonly index: number
      readonly delta: string
    }
  /** A new part of a reasoning summary begins. */
  | {
      readonly type: 'reasoningSectionBreak'
      readonly turnId: string
      readonly itemId: string
      readonly index: number
    }

export interface PlanStep {
  readonly step: string
  readonly status: 'pending' | 'in_progress' | 'completed'
}
