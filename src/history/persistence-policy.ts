import { isObject, type JsonObject, stringAt } from '../base/index.ts'
import type { RolloutItem, StoredEvent } from '../protocol/index.ts'

/**
 * Event kinds that a rollout keeps. The first group is what 0.133.0 writes; the last four are kinds
 * that it knows and skips on load, kept so that a thread read back tells of its commands, its
 * client's tools, the pictures that were looked at, and failures. Source:
 * `reference/rollout-and-thread-store.md` B.8, B.9.
 */
const STORED_EVENTS: ReadonlySet<string> = new Set([
  'user_message',
  'agent_message',
  'agent_reasoning',
  'agent_reasoning_raw_content',
  'patch_apply_end',
  'token_count',
  'thread_goal_updated',
  'context_compacted',
  'entered_review_mode',
  'exited_review_mode',
  'mcp_tool_call_end',
  'thread_rolled_back',
  'turn_aborted',
  'task_started',
  'task_complete',
  'web_search_end',
  'image_generation_end',
  'exec_command_end',
  'dynamic_tool_call_response',
  'view_image_tool_call',
  'error',
])

function isStoredEvent(event: StoredEvent): boolean {
  if (STORED_EVENTS.has(event.type)) return true
  if (event.type !== 'item_completed') return false
  const item = (event as JsonObject).item
  return isObject(item) && stringAt(item, 'type') === 'Plan'
}

/** Whether an item belongs in the thread's log. */
export function isPersisted(item: RolloutItem): boolean {
  switch (item.type) {
    case 'session_meta':
    case 'turn_context':
    case 'compacted':
      return true
    case 'response_item':
      return item.payload.type !== 'other' && item.payload.type !== 'compaction_trigger'
    case 'event_msg':
      return isStoredEvent(item.payload)
    case 'unknown':
      return false
  }
}
