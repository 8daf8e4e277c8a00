/** What the scripted model says in these scripts. */
import type { JsonObject } from '../../../../src/base/index.ts'
import { assistantMessage, customToolCall, functionCall, type ModelStep } from '../model-server.ts'

export function says(...items: JsonObject[]): ModelStep {
  return { items }
}

export function concludes(text: string): ModelStep {
  return says(assistantMessage(text, { phase: 'final_answer' }))
}

export function comments(text: string): JsonObject {
  return assistantMessage(text, { phase: 'commentary' })
}

export function runs(cmd: string, callId: string, args: JsonObject = {}): JsonObject {
  return functionCall('exec_command', { cmd, ...args }, callId)
}

export function patches(callId: string, ...lines: string[]): JsonObject {
  const text = ['*** Begin Patch', ...lines, '*** End Patch'].join('\n')
  return customToolCall('apply_patch', text, callId)
}

export function plans(callId: string, ...statuses: string[]): JsonObject {
  const plan = statuses.map((status, index) => ({ step: `Step ${index + 1}`, status }))
  return functionCall('update_plan', { plan }, callId)
}

/** Waits at the gate before anything of the answer is sent. */
export function held(step: ModelStep, gate: string): ModelStep {
  return { ...step, holds: [...(step.holds ?? []), { gate, before: 'headers' }] }
}

/** Waits at the gate before the n-th event of the answer. */
export function heldAt(step: ModelStep, gate: string, before: number): ModelStep {
  return { ...step, holds: [...(step.holds ?? []), { gate, before }] }
}
