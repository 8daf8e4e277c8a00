import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { anyItem, anyText, nearLine } from '../../test/support/arbitrary-items.ts'
import { AT } from '../../test/support/thread-log.ts'
import type { JsonObject } from '../base/index.ts'
import type { RolloutItem } from '../protocol/index.ts'
import { decodeLine, encodeLine } from './rollout-codec.ts'

const META = {
  id: '01a1f849-e8a0-7170-ab42-ef1530329e68',
  timestamp: AT,
  cwd: '/repo',
  originator: 'bobbin',
  cli_version: '0.0.0',
}

function line(type: string, payload: unknown): string {
  return JSON.stringify({ timestamp: AT, type, payload })
}

function itemOf(text: string): unknown {
  const decoded = decodeLine(text)
  assert.ok(decoded.ok, decoded.ok ? '' : decoded.reason)
  assert.equal(decoded.line.timestamp, AT)
  return decoded.line.item
}

function eventOf(payload: object): unknown {
  return (itemOf(line('event_msg', payload)) as { payload: unknown }).payload
}

function reasonOf(text: string): string {
  const decoded = decodeLine(text)
  return decoded.ok ? 'nothing wrong' : decoded.reason
}

describe('a line of each type', () => {
  const lines: { readonly [name: string]: readonly [type: string, payload: object] } = {
    'a header with all its fields': [
      'session_meta',
      {
        ...META,
        forked_from_id: META.id,
        source: { subagent: { thread_spawn: { parent_thread_id: META.id, depth: 1 } } },
        thread_source: 'subagent',
        agent_nickname: 'Scout',
        agent_role: 'explorer',
        agent_path: '/root/scout',
        model_provider: null,
        base_instructions: { text: 'be good' },
        dynamic_tools: [{ name: 'x', inputSchema: {} }],
        memory_mode: 'disabled',
        git: {},
        history_mode: 'paginated',
      },
    ],
    'a message': [
      'response_item',
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'hi' }] },
    ],
    'a settings line': [
      'turn_context',
      {
        turn_id: 't1',
        cwd: '/repo',
        approval_policy: { granular: {} },
        sandbox_policy: { type: 'read-only' },
        model: 'm',
        effort: 'high',
        summary: 'auto',
      },
    ],
    'a compaction': [
      'compacted',
      { message: 'short', replacement_history: [{ type: 'compaction', encrypted_content: 'x' }] },
    ],
    'a compaction of old files': ['compacted', { message: 'short' }],
    'an event': ['event_msg', { type: 'agent_reasoning', text: 'hm' }],
    'a plan': [
      'event_msg',
      { type: 'item_completed', turn_id: 't1', item: { type: 'Plan', id: 'p', text: '# x' } },
    ],
  }
  for (const [name, [type, payload]] of Object.entries(lines)) {
    it(`reads ${name}, and writes it as it was`, () => {
      const text = line(type, payload)
      const decoded = itemOf(text)
      assert.deepEqual(decoded, { type, payload })
      const written = encodeLine({ timestamp: AT, item: decoded as RolloutItem })
      assert.equal(written, `${text}\n`)
    })
  }

  it('keeps fields that it does not know', () => {
    const payload = {
      ...META,
      source: 'cli',
      session_id: META.id,
      context_window: { window_id: 1 },
    }
    assert.deepEqual(itemOf(line('session_meta', payload)), { type: 'session_meta', payload })
  })

  it('reads over extra keys of the envelope, such as the ordinal of later versions', () => {
    const payload = { type: 'agent_reasoning', text: 'hm' }
    const text = JSON.stringify({ timestamp: AT, ordinal: 7, type: 'event_msg', payload })
    assert.deepEqual(itemOf(text), { type: 'event_msg', payload })
  })
})

describe('defaults and older names', () => {
  it('fills a header without source, and drops fields of a wrong kind', () => {
    const wrong = { source: null, git: 7, model_provider: {}, base_instructions: 'old text' }
    const payload = { ...META, ...wrong, history_mode: 1, forked_from_id: [] }
    const expected = { type: 'session_meta', payload: { ...META, source: 'vscode' } }
    assert.deepEqual(itemOf(line('session_meta', payload)), expected)
    assert.deepEqual(itemOf(line('session_meta', META)), expected)
  })

  it('fills a settings line without summary', () => {
    const payload = { cwd: '/', approval_policy: 'never', sandbox_policy: {}, model: 'm' }
    const expected = { type: 'turn_context', payload: { ...payload, summary: 'auto' } }
    assert.deepEqual(itemOf(line('turn_context', payload)), expected)
  })

  it('reads the old names of the turn events', () => {
    assert.deepEqual(eventOf({ type: 'turn_started', turn_id: 't' }), {
      type: 'task_started',
      turn_id: 't',
      model_context_window: null,
      collaboration_mode_kind: 'default',
    })
    assert.deepEqual(eventOf({ type: 'turn_complete', turn_id: 't' }), {
      type: 'task_complete',
      turn_id: 't',
      last_agent_message: null,
    })
  })

  it('fills what other versions leave out of an event', () => {
    const call = { call_id: 'c', turn_id: '', status: 'completed' }
    const patch = { type: 'patch_apply_end', call_id: 'c', success: true, changes: {} }
    const command = {
      type: 'exec_command_end',
      call_id: 'c',
      command: ['ls'],
      cwd: '/',
      exit_code: 0,
      duration: { secs: 1, nanos: 0 },
    }
    assert.deepEqual(
      [
        eventOf({ type: 'user_message', message: 'hi' }),
        eventOf({ type: 'agent_message', message: 'hi' }),
        eventOf({ type: 'token_count' }),
        eventOf(patch),
        eventOf({ ...command, aggregated_output: null }),
        eventOf({ type: 'error', message: 'no' }),
      ],
      [
        { type: 'user_message', message: 'hi', local_images: [], text_elements: [] },
        { type: 'agent_message', message: 'hi', phase: null, memory_citation: null },
        { type: 'token_count', info: null, rate_limits: null },
        { ...patch, ...call, stdout: '', stderr: '' },
        { ...command, ...call, aggregated_output: '' },
        { type: 'error', message: 'no', codex_error_info: null },
      ],
    )
  })
})

describe('lines of newer versions', () => {
  const unknown: { readonly [name: string]: JsonObject } = {
    'a type of line': { timestamp: AT, ordinal: 3, type: 'world_state', payload: { full: true } },
    'a type of line without payload': { timestamp: AT, type: 'token_usage_record' },
    'an event': { timestamp: AT, type: 'event_msg', payload: { type: 'hook_started', x: 1 } },
    'an item': { timestamp: AT, type: 'response_item', payload: { type: 'ghost_snapshot' } },
    'an event named like a property of objects': {
      timestamp: AT,
      type: 'event_msg',
      payload: { type: 'constructor' },
    },
    'an item named like a property of objects': {
      timestamp: AT,
      type: 'response_item',
      payload: { type: 'toString' },
    },
  }
  for (const [name, payload] of Object.entries(unknown)) {
    it(`carries ${name} that it does not know, whole`, () => {
      const text = JSON.stringify(payload)
      const item = itemOf(text)
      assert.deepEqual(item, { type: 'unknown', payload })
      assert.equal(encodeLine({ timestamp: AT, item: item as RolloutItem }), `${text}\n`)
    })
  }

  it('leaves unknown and damaged items out of a replacement history', () => {
    const kept = { type: 'function_call_output', call_id: 'c', output: 'x' }
    const list = [{ type: 'ghost_snapshot' }, kept, null, 'x', { type: 'message' }]
    const payload = { message: 'm', replacement_history: list }
    const expected = { message: 'm', replacement_history: [kept] }
    assert.deepEqual(itemOf(line('compacted', payload)), { type: 'compacted', payload: expected })
  })
})

describe('items as they are stored', () => {
  function stored(payload: object): unknown {
    return (itemOf(line('response_item', payload)) as { payload: unknown }).payload
  }

  it('lose ids and what providers add, but for generated images', () => {
    const part = { type: 'output_text', text: 'hi' }
    const extra = { annotations: [], logprobs: [] }
    assert.deepEqual(
      [
        stored({
          type: 'message',
          id: 'm',
          role: 'a',
          content: [{ ...part, ...extra }],
          phase: null,
        }),
        stored({ type: 'reasoning', id: 'r', summary: [{ type: 'summary_text', text: 'x' }] }),
        stored({ type: 'image_generation_call', id: 'i', status: 's', result: 'r' }),
        stored({ type: 'context_compaction', encrypted_content: null }),
        stored({ type: 'local_shell_call', status: 's', action: {} }),
        stored({ type: 'tool_search_output', status: 's', execution: 'server', tools: [] }),
      ],
      [
        { type: 'message', role: 'a', content: [part] },
        {
          type: 'reasoning',
          summary: [{ type: 'summary_text', text: 'x' }],
          content: null,
          encrypted_content: null,
        },
        { type: 'image_generation_call', id: 'i', status: 's', result: 'r' },
        { type: 'context_compaction' },
        { type: 'local_shell_call', call_id: null, status: 's', action: {} },
        { type: 'tool_search_output', call_id: null, status: 's', execution: 'server', tools: [] },
      ],
    )
  })

  it('keep parts of kinds that only later versions know', () => {
    const content = [{ type: 'input_audio', data: 'x', annotations: [] }]
    const message = { type: 'message', role: 'user', content }
    assert.deepEqual(stored(message), message)
  })
})

describe('damaged lines are refused with a reason', () => {
  const usage = { input_tokens: 1 }
  const cases: readonly (readonly [reason: string, text: string])[] = [
    ['is not JSON', ''],
    ['is not JSON', '{"timestamp":"x"'],
    ['is not JSON', '\u0000\u0000\u0000'],
    ['is not a JSON object', '[]'],
    ['is not a JSON object', 'null'],
    ['has no timestamp or type', '{"type":"event_msg","payload":{}}'],
    ['has no timestamp or type', '{"timestamp":1,"type":"event_msg","payload":{}}'],
    ['has no timestamp or type', '{"timestamp":"x","payload":{}}'],
    ['is a event_msg without payload', line('event_msg', [])],
    ['is nested too deeply', line('event_msg', JSON.parse('['.repeat(200) + ']'.repeat(200)))],
    ['is an event without type', line('event_msg', {})],
    ['is a compaction without message', line('compacted', {})],
    ['is a damaged response item', line('response_item', {})],
    ['is a damaged message', line('response_item', { type: 'message', role: 'user' })],
    ...[[null], ['x'], [{ type: 'input_text' }], [{ type: 'input_text', text: 5 }], [{}]].map(
      (content) =>
        [
          'is a damaged message',
          line('response_item', { type: 'message', role: 'user', content }),
        ] as const,
    ),
    ['is a damaged reasoning', line('response_item', { type: 'reasoning', summary: [1] })],
    ['is a damaged function_call', line('response_item', { type: 'function_call', name: 'x' })],
    [
      'is a damaged function_call_output',
      line('response_item', { type: 'function_call_output', call_id: 'c', output: [1] }),
    ],
    ...Object.keys(META).map(
      (field) =>
        [
          `is a session_meta without a valid ${field}`,
          line('session_meta', { ...META, [field]: 1 }),
        ] as const,
    ),
    [
      'is a turn_context without a valid approval_policy',
      line('turn_context', { cwd: '/', sandbox_policy: {}, model: 'm' }),
    ],
    ['is a user_message without a valid message', line('event_msg', { type: 'user_message' })],
    ...[0, false, 'x', [1]].map(
      (images) =>
        [
          'is a user_message without a valid images',
          line('event_msg', { type: 'user_message', message: 'x', images }),
        ] as const,
    ),
    ...[-1, 1.5, 2 ** 60, '1'].map(
      (num_turns) =>
        [
          'is a thread_rolled_back without a valid num_turns',
          line('event_msg', { type: 'thread_rolled_back', num_turns }),
        ] as const,
    ),
    [
      'is a token_count without a valid info',
      line('event_msg', {
        type: 'token_count',
        info: { total_token_usage: usage, last_token_usage: usage },
      }),
    ],
    [
      'is a patch_apply_end without a valid changes',
      line('event_msg', {
        type: 'patch_apply_end',
        call_id: 'c',
        success: true,
        changes: { a: { type: 'add' } },
      }),
    ],
    [
      'is a exec_command_end without a valid duration',
      line('event_msg', {
        type: 'exec_command_end',
        call_id: 'c',
        command: [],
        cwd: '/',
        exit_code: 0,
        duration: {},
      }),
    ],
  ]
  for (const [reason, text] of cases) {
    it(`${reason}: ${text.slice(0, 100)}`, () => assert.equal(reasonOf(text), reason))
  }
})

describe('properties', () => {
  it('what was written is read again', () => {
    fc.assert(
      fc.property(anyItem, anyText, (item, timestamp) => {
        const text = encodeLine({ timestamp, item })
        assert.equal(text.indexOf('\n'), text.length - 1)
        assert.deepEqual(decodeLine(text), { ok: true, line: JSON.parse(toJson(timestamp, item)) })
      }),
      { numRuns: 500 },
    )
  })

  it('what was read is written so that it is read as the same', () => {
    fc.assert(
      fc.property(nearLine, (text) => {
        const decoded = decodeLine(text)
        if (decoded.ok) assert.deepEqual(decodeLine(encodeLine(decoded.line)), decoded)
      }),
      { numRuns: 1000 },
    )
  })

  it('no text and no JSON makes reading throw', () => {
    fc.assert(
      fc.property(fc.oneof(anyText, fc.json(), nearLine), (text) => {
        assert.equal(typeof decodeLine(text).ok, 'boolean')
      }),
      { numRuns: 2000 },
    )
  })
})

/** Through JSON text, as a file gives it: lone surrogates and `__proto__` keys included. */
function toJson(timestamp: string, item: RolloutItem): string {
  return JSON.stringify({ timestamp, item })
}
