import fc from 'fast-check'
import type { Json, JsonObject } from '../../src/base/index.ts'
import { OTHER_EVENT_TYPES, type RolloutItem } from '../../src/protocol/index.ts'

/** Generated lines of rollouts, for properties: well-formed items, and near misses of lines. */

/** Text that may hold anything, and what trips up readers of lines. */
export const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string(),
  fc.constantFrom('', '\n', '\r\n', '\u2028', '\u0000', '\uFEFF', '\uD800', '{', '__proto__'),
)

/** JSON as a parser gives it: no -0, no undefined. */
export const anyJson = fc.json({ maxDepth: 3 }).map((text) => JSON.parse(text) as Json)
const anyObject = fc.dictionary(fc.string(), anyJson, { maxKeys: 4 }) as fc.Arbitrary<JsonObject>

const textPart = fc.record({ type: fc.constantFrom('input_text', 'output_text'), text: anyText })
const imagePart = fc.record({ type: fc.constant('input_image'), image_url: anyText })
const output = fc.oneof(anyText, fc.array(anyObject, { maxLength: 3 }))

function tagged<T extends object>(type: string, fields: { [K in keyof T]: fc.Arbitrary<T[K]> }) {
  return fc.record({ type: fc.constant(type), ...fields })
}

const responseItem = fc.oneof(
  tagged('message', { role: anyText, content: fc.array(fc.oneof(textPart, imagePart)) }),
  tagged('reasoning', {
    summary: fc.array(tagged('summary_text', { text: anyText })),
    content: fc.option(fc.array(tagged('reasoning_text', { text: anyText }))),
    encrypted_content: fc.option(anyText),
  }),
  tagged('function_call', { name: anyText, arguments: anyText, call_id: anyText }),
  tagged('function_call_output', { call_id: anyText, output }),
  tagged('custom_tool_call', { call_id: anyText, name: anyText, input: anyText }),
  tagged('custom_tool_call_output', { call_id: anyText, output }),
  tagged('local_shell_call', { call_id: fc.option(anyText), status: anyText, action: anyObject }),
  tagged('web_search_call', { status: anyText, action: anyObject }),
  tagged('compaction', { encrypted_content: anyText }),
)

const usage = fc.record({
  input_tokens: fc.nat(),
  cached_input_tokens: fc.nat(),
  output_tokens: fc.nat(),
  reasoning_output_tokens: fc.nat(),
  total_tokens: fc.nat(),
})

const anyEvent = fc.oneof(
  tagged('task_started', {
    turn_id: anyText,
    started_at: fc.nat(),
    model_context_window: fc.option(fc.nat()),
    collaboration_mode_kind: anyText,
  }),
  tagged('task_complete', { turn_id: anyText, last_agent_message: fc.option(anyText) }),
  tagged('turn_aborted', { turn_id: fc.option(anyText), reason: anyText }),
  tagged('user_message', {
    message: anyText,
    local_images: fc.array(anyText),
    text_elements: fc.array(anyJson, { maxLength: 2 }),
  }),
  tagged('agent_message', {
    message: anyText,
    phase: fc.option(anyText),
    memory_citation: fc.constant(null),
  }),
  tagged('agent_reasoning', { text: anyText }),
  tagged('token_count', {
    info: fc.option(
      fc.record({
        total_token_usage: usage,
        last_token_usage: usage,
        model_context_window: fc.option(fc.nat()),
      }),
    ),
    rate_limits: fc.option(anyObject),
  }),
  tagged('context_compacted', {}),
  tagged('thread_rolled_back', { num_turns: fc.nat(5) }),
  tagged('patch_apply_end', {
    call_id: anyText,
    turn_id: anyText,
    stdout: anyText,
    stderr: anyText,
    success: fc.boolean(),
    changes: fc.dictionary(
      fc.string(),
      fc.oneof(
        tagged('add', { content: anyText }),
        tagged('update', { unified_diff: anyText, move_path: fc.option(anyText) }),
      ),
      { maxKeys: 3 },
    ),
    status: anyText,
  }),
  tagged('exec_command_end', {
    call_id: anyText,
    turn_id: anyText,
    command: fc.array(anyText),
    cwd: anyText,
    aggregated_output: anyText,
    exit_code: fc.integer(),
    duration: fc.record({ secs: fc.nat(), nanos: fc.nat(999_999_999) }),
    status: anyText,
  }),
  tagged('view_image_tool_call', { call_id: anyText, path: anyText }),
  tagged('dynamic_tool_call_response', {
    call_id: anyText,
    turn_id: anyText,
    namespace: fc.option(anyText),
    tool: anyText,
    arguments: anyJson,
    content_items: fc.array(
      fc.oneof(tagged('inputText', { text: anyText }), tagged('inputImage', { imageUrl: anyText })),
      { maxLength: 2 },
    ),
    success: fc.boolean(),
    error: fc.option(anyText),
    duration: fc.record({ secs: fc.nat(), nanos: fc.nat(999_999_999) }),
  }),
  tagged('error', { message: anyText, codex_error_info: anyJson }),
)

/** Items in the form that reading gives them. */
export const anyItem = fc.oneof(
  responseItem.map((payload) => ({ type: 'response_item', payload })),
  anyEvent.map((payload) => ({ type: 'event_msg', payload })),
  fc
    .record({ message: anyText, replacement_history: fc.array(responseItem, { maxLength: 3 }) })
    .map((payload) => ({ type: 'compacted', payload })),
  fc
    .record({
      id: anyText,
      timestamp: anyText,
      cwd: anyText,
      originator: anyText,
      cli_version: anyText,
      source: fc.oneof(anyText, anyObject),
    })
    .map((payload) => ({ type: 'session_meta', payload })),
  fc
    .record(
      {
        turn_id: anyText,
        cwd: anyText,
        approval_policy: fc.oneof(anyText, anyObject),
        sandbox_policy: anyObject,
        model: anyText,
        summary: anyText,
      },
      { requiredKeys: ['cwd', 'approval_policy', 'sandbox_policy', 'model', 'summary'] },
    )
    .map((payload) => ({ type: 'turn_context', payload })),
) as fc.Arbitrary<unknown> as fc.Arbitrary<RolloutItem>

const LINE_TYPES = ['session_meta', 'response_item', 'event_msg', 'turn_context', 'compacted']
const PAYLOAD_TYPES = [
  'message',
  'reasoning',
  'function_call',
  'function_call_output',
  'local_shell_call',
  'tool_search_call',
  'tool_search_output',
  'web_search_call',
  'task_started',
  'task_complete',
  'turn_aborted',
  'user_message',
  'agent_message',
  'agent_reasoning',
  'token_count',
  'context_compacted',
  'thread_rolled_back',
  'patch_apply_end',
  'exec_command_end',
  'web_search_end',
  'error',
  'constructor',
  '__proto__',
  ...OTHER_EVENT_TYPES,
]
const FIELDS = [
  ...['id', 'timestamp', 'cwd', 'originator', 'cli_version', 'source', 'git', 'model_provider'],
  ...['role', 'content', 'summary', 'name', 'arguments', 'call_id', 'output', 'status', 'action'],
  ...['turn_id', 'message', 'images', 'local_images', 'text_elements', 'text', 'info', 'phase'],
  ...['num_turns', 'changes', 'success', 'command', 'exit_code', 'duration', 'query', 'item'],
  ...['goal', 'replacement_history', 'approval_policy', 'sandbox_policy', 'model', 'execution'],
  ...['tools', 'invocation', 'result', 'aggregated_output', 'review_output', 'objective'],
]

const anyField: fc.Arbitrary<Json> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom<Json>('x', '', 0, 1, -1, 1.5, false, true, null) },
  { weight: 3, arbitrary: fc.constantFrom<Json>([], {}, [null], ['x'], [{}], { Ok: [] }) },
  {
    weight: 2,
    arbitrary: fc.constantFrom<Json>(
      [{ type: 'input_text', text: 'x' }],
      [{ type: 'input_text' }],
      [{ type: 'UserMessage', content: [null, 1, { text: 2 }] }],
      { type: 'UserMessage', content: [null, 1, { text: 2 }] },
      { secs: 1, nanos: 1 },
      { a: { type: 'add', content: 'x' }, b: { type: 'update' } },
      { total_token_usage: {}, last_token_usage: null },
    ),
  },
  anyJson,
)

/** Lines of known types and fields whose values are anything: some are read, some refused. */
export const nearLine = fc
  .record({
    type: fc.constantFrom(...LINE_TYPES, 'world_state'),
    payloadType: fc.constantFrom(...PAYLOAD_TYPES),
    fields: fc.dictionary(fc.constantFrom(...FIELDS), anyField, { minKeys: 4, maxKeys: 30 }),
  })
  .map(({ type, payloadType, fields }) =>
    JSON.stringify({ timestamp: 'now', type, payload: { ...fields, type: payloadType } }),
  )
