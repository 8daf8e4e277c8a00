import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { compacted, header, item, threadIdOf, turnContext } from '../../test/support/thread-log.ts'
import type { RolloutItem } from '../protocol/index.ts'
import { isPersisted } from './persistence-policy.ts'

function keptOf(type: string, payloads: readonly object[]): boolean[] {
  return payloads.map((payload) => isPersisted({ type, payload } as unknown as RolloutItem))
}

function eventsOf(text: string): { type: string }[] {
  return text.split(/\s+/).map((type) => ({ type }))
}

describe('what is kept', () => {
  it('headers, settings and compactions', () => {
    const items = [header(threadIdOf(1)), turnContext('t1'), compacted('short')]
    assert.deepEqual(items.map(isPersisted), [true, true, true])
  })

  it('every item of the model, but for compaction triggers and unknown kinds', () => {
    const kept = eventsOf(
      `message reasoning local_shell_call function_call function_call_output custom_tool_call
      custom_tool_call_output tool_search_call tool_search_output web_search_call
      image_generation_call compaction context_compaction`,
    )
    assert.deepEqual(
      keptOf('response_item', kept),
      kept.map(() => true),
    )
    assert.equal(isPersisted(item({ type: 'compaction_trigger' })), false)
    assert.equal(isPersisted(item({ type: 'other' })), false)
  })

  it('the events that 0.133.0 writes', () => {
    const kept = eventsOf(
      `user_message agent_message agent_reasoning agent_reasoning_raw_content patch_apply_end
      token_count thread_goal_updated context_compacted entered_review_mode exited_review_mode
      mcp_tool_call_end thread_rolled_back turn_aborted task_started task_complete web_search_end
      image_generation_end`,
    )
    assert.deepEqual(
      keptOf('event_msg', kept),
      kept.map(() => true),
    )
  })

  it('commands, tools of clients, pictures and errors, which 0.133.0 does not write', () => {
    const kept = eventsOf('exec_command_end dynamic_tool_call_response view_image_tool_call error')
    assert.deepEqual(
      keptOf('event_msg', kept),
      kept.map(() => true),
    )
  })

  it('plans, but no other whole items', () => {
    const items = [{ type: 'Plan' }, { type: 'UserMessage' }, {}, null, 'Plan']
    const payloads = items.map((each) => ({ type: 'item_completed', item: each }))
    assert.deepEqual(keptOf('event_msg', payloads), [true, false, false, false, false])
  })

  it('no other events, and no lines of newer versions', () => {
    const dropped = eventsOf(
      `warning stream_error exec_command_begin exec_command_output_delta turn_diff plan_update
      session_configured agent_message_content_delta thread_name_updated toString constructor`,
    )
    assert.deepEqual(
      keptOf('event_msg', dropped),
      dropped.map(() => false),
    )
    assert.equal(isPersisted({ type: 'unknown', payload: {} }), false)
  })
})
