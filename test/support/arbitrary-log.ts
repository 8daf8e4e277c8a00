import fc from 'fast-check'
import type { RolloutItem } from '../../src/protocol/index.ts'
import { userText } from '../../src/protocol/index.ts'
import {
  aborted,
  answers,
  assistantText,
  compacted,
  completed,
  event,
  item,
  rolledBack,
  started,
  turnContext,
  userEvent,
} from './thread-log.ts'

/** Of settings that no turn has yet. */
const waitingSettings = turnContext('', { turn_id: undefined as never })

/** Few ids, so that entries often mean the same turn, also one that is over or taken back. */
const turnId = fc.integer({ min: 0, max: 9 }).map((n) => `turn-${n}`)
const word = fc.constantFrom('one', 'two', 'three', 'four')

function command(call_id: string, turn_id: string): RolloutItem {
  return event({
    type: 'exec_command_end',
    call_id,
    turn_id,
    command: ['bash', '-lc', `echo ${call_id}`],
    cwd: '/repo',
    parsed_cmd: [],
    source: 'agent',
    stdout: '',
    stderr: '',
    aggregated_output: '',
    exit_code: 0,
    duration: { secs: 0, nanos: 0 },
    formatted_output: '',
    status: 'completed',
  })
}

function clientCall(call_id: string, turn_id: string): RolloutItem {
  return event({
    type: 'dynamic_tool_call_response',
    call_id,
    turn_id,
    namespace: null,
    tool: `look_${call_id}`,
    arguments: {},
    content_items: [{ type: 'inputText', text: 'seen' }],
    success: true,
    error: null,
    duration: { secs: 0, nanos: 0 },
  })
}

function tokens(total: number | null): RolloutItem {
  const usage = {
    input_tokens: total ?? 0,
    cached_input_tokens: 0,
    output_tokens: 0,
    reasoning_output_tokens: 0,
    total_tokens: total ?? 0,
  }
  const info = { total_token_usage: usage, last_token_usage: usage, model_context_window: null }
  return event({ type: 'token_count', info: total === null ? null : info, rate_limits: null })
}

const structural = fc.oneof(
  turnId.map((id) => [started(id, 1)]),
  turnId.map((id) => [completed(id)]),
  turnId.map((id) => [aborted(id)]),
  fc.integer({ min: 0, max: 4 }).map((count) => [rolledBack(count)]),
)

const said = fc.oneof(
  word.map((text) => [item(userText(text))]),
  word.map((text) => [userEvent(text)]),
  word.map((text) => [item(userText(text)), userEvent(text)]),
  word.map(answers),
  word.map((text) => [item(assistantText(text))]),
  word.map((text) => [event({ type: 'agent_reasoning', text })]),
)

const rest = fc.oneof(
  fc.tuple(word, fc.option(turnId)).map(([call, id]) => [command(call, id ?? '')]),
  fc.tuple(word, fc.option(turnId)).map(([call, id]) => [clientCall(call, id ?? '')]),
  word.map((name) => [event({ type: 'view_image_tool_call', call_id: name, path: `/${name}` })]),
  word.map((name) => [
    event({ type: 'mcp_tool_call_end', call_id: name, invocation: { server: 's', tool: name } }),
  ]),
  turnId.map((id) => [turnContext(id)]),
  fc.constant([waitingSettings]),
  word.map((text) => [compacted(text)]),
  word.map((text) => [compacted(text, [userText(`what is left: ${text}`)])]),
  fc.option(fc.nat(99)).map((total) => [tokens(total)]),
  fc.constant([event({ type: 'error', message: 'failed', codex_error_info: null })]),
  fc.constant([event({ type: 'context_compacted' })]),
  fc.constant([{ type: 'unknown', payload: { type: 'of_tomorrow' } } as RolloutItem]),
)

/** A turn as sessions write it. */
const wholeTurn = fc
  .tuple(turnId, word)
  .map(([id, text]) => [
    started(id, 1),
    turnContext(id),
    item(userText(text)),
    userEvent(text),
    ...answers(`answer to ${text}`),
    tokens(7),
    completed(id),
  ])

/** Logs in which turns begin, end, name each other and are taken back, in every order. */
export const anyLog: fc.Arbitrary<RolloutItem[]> = fc
  .array(
    fc.oneof(
      { weight: 4, arbitrary: wholeTurn },
      { weight: 3, arbitrary: structural },
      { weight: 3, arbitrary: said },
      { weight: 3, arbitrary: rest },
    ),
    { maxLength: 60, size: 'max' },
  )
  .map((groups) => groups.flat())
