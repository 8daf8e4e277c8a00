/** What the scripted model says in these tests. */
import { arrayAt, isObject, type JsonObject, stringAt } from '../../src/base/index.ts'
import {
  assistantMessage,
  customToolCall,
  functionCall,
  reasoning,
} from '../../src/core/model/script.ts'
import type { ModelRequest, ScriptedStep } from '../support/responses-server.ts'

const usage = {
  input_tokens: 1000,
  cached_input_tokens: 400,
  output_tokens: 50,
  reasoning_output_tokens: 7,
}

export function says(...items: JsonObject[]): ScriptedStep {
  return { items, usage }
}

export function runs(cmd: string, callId: string, args: JsonObject = {}): JsonObject {
  return functionCall('exec_command', { cmd, ...args }, callId)
}

export function patches(lines: readonly string[], callId: string): JsonObject {
  const text = ['*** Begin Patch', ...lines, '*** End Patch'].join('\n')
  return customToolCall('apply_patch', text, callId)
}

export function plans(callId: string, ...statuses: string[]): JsonObject {
  const plan = statuses.map((status, index) => ({ step: `Step ${index + 1}`, status }))
  return functionCall('update_plan', { plan }, callId)
}

export function thinks(text: string): JsonObject {
  return { ...reasoning(text), encrypted_content: 'c2VjcmV0' }
}

export function concludes(text: string): ScriptedStep {
  return says(assistantMessage(text, { phase: 'final_answer' }))
}

/** Commentary, a command, a plan, a patch, the plan again, reasoning and a final answer. */
export const richTurn: readonly ScriptedStep[] = [
  {
    ...says(
      assistantMessage('Let me look at the files.', { phase: 'commentary' }),
      runs('cat a.txt', 'call_read'),
    ),
    deltas: 4,
  },
  says(plans('call_plan', 'in_progress', 'pending')),
  says(
    patches(
      ['*** Update File: a.txt', '@@', ' one', '-two', '+TWO', '*** Add File: b.txt', '+new'],
      'call_patch',
    ),
  ),
  says(plans('call_plan_2', 'completed', 'completed')),
  {
    ...says(
      thinks('**Checking** the result'),
      assistantMessage('Changed a.txt – and added b.txt ✓', { phase: 'final_answer' }),
    ),
    deltas: 3,
  },
]

/**
 * Every way a tool call can end that is the same in every run. Codex reads stdout and stderr from
 * two pipes, so their order is certain only with a pause in between.
 */
export const toolTurn: readonly ScriptedStep[] = [
  says(assistantMessage('Working.', { phase: 'commentary' }), runs('printf "a\\nb"', 'call_ok')),
  says(runs('echo out; sleep 0.2; echo err >&2; exit 3', 'call_fails')),
  says(
    runs('sleep 0.3; echo slow', 'call_slow'),
    runs('echo fast', 'call_fast'),
    plans('call_plan', 'in_progress'),
  ),
  says(patches(['*** Update File: a.txt', '@@', '-one', '+ONE'], 'call_patch')),
  says(patches(['*** Update File: a.txt', '@@', '-nowhere', '+x'], 'call_bad_patch')),
  says(patches(['*** Delete File: missing.txt'], 'call_bad_delete')),
  says(runs('pwd; ls', 'call_dir', { workdir: '..' })),
  says(runs('true', 'call_silent')),
  says(functionCall('no_such_tool', { x: 1 }, 'call_unknown')),
  says(functionCall('exec_command', { command: 'x' }, 'call_bad_args')),
  says(plans('call_bad_plan', 'bogus')),
  says(functionCall('write_stdin', { session_id: 999999, chars: 'x' }, 'call_no_session')),
  says(thinks('Done'), assistantMessage('All tried.', { phase: 'final_answer' })),
]

/** A command that outlives its first answer, and is waited for. The session's id is random. */
export function pollTurn(request: ModelRequest, index: number): ScriptedStep {
  if (index === 0) return says(runs('sleep 1; echo late', 'call_start', { yield_time_ms: 250 }))
  if (index > 1) return concludes('It ended.')
  const outputs = (arrayAt(request.body, 'input') ?? []).filter(isObject)
  const text = stringAt(outputs.at(-1) ?? {}, 'output') ?? ''
  const session = Number(/session ID (\d+)/.exec(text)?.[1])
  return says(functionCall('write_stdin', { session_id: session, chars: '' }, 'call_poll'))
}

/** The last answer of the rich turn. */
export const richAnswer: ScriptedStep = richTurn.at(-1) ?? { items: [] }
