import { arrayAt, isObject, type Json, stringAt } from '../../base/index.ts'
import type { PlanStep } from '../../protocol/index.ts'
import { type Tool, ToolFailure } from './tool.ts'

const STATUSES = ['pending', 'in_progress', 'completed'] as const

const SPEC = {
  type: 'function',
  name: 'update_plan',
  description: 'Shows the user the steps of the task. At most one step is in progress.',
  strict: false,
  parameters: {
    type: 'object',
    properties: {
      explanation: { type: 'string' },
      plan: {
        type: 'array',
        description: 'All steps, in order.',
        items: {
          type: 'object',
          properties: {
            status: { type: 'string', description: 'One of: pending, in_progress, completed' },
            step: { type: 'string' },
          },
          required: ['step', 'status'],
          additionalProperties: false,
        },
      },
    },
    required: ['plan'],
    additionalProperties: false,
  },
} as const

/** Tells the model's plan to whoever watches. Nothing of it is kept but the call. */
export const updatePlanTool: Tool = {
  name: 'update_plan',
  kind: 'function',
  isParallel: true,
  spec: SPEC as unknown as Tool['spec'],
  run: async (call, { recorder, turnId }) => {
    const { explanation, plan } = parsePlan(call.input)
    recorder.tell({ type: 'planUpdated', turnId, explanation, plan })
    return 'Plan updated'
  },
}

function parsePlan(text: string): { explanation: string | null; plan: PlanStep[] } {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw invalid(error instanceof Error ? error.message : 'not JSON')
  }
  if (!isObject(value)) throw invalid('expected an object')
  const plan = arrayAt(value, 'plan')
  if (!plan) throw invalid('missing field `plan`')
  return { explanation: stringAt(value, 'explanation') ?? null, plan: plan.map(parseStep) }
}

function parseStep(value: Json): PlanStep {
  if (!isObject(value)) throw invalid('a step must be an object')
  const step = stringAt(value, 'step')
  if (step === undefined) throw invalid('missing field `step`')
  const given = stringAt(value, 'status')
  if (given === undefined) throw invalid('missing field `status`')
  const status = STATUSES.find((each) => each === given)
  if (status) return { step, status }
  const known = STATUSES.map((each) => `\`${each}\``).join(', ')
  throw invalid(`unknown variant \`${given}\`, expected one of ${known}`)
}

function invalid(reason: string): ToolFailure {
  return new ToolFailure(`failed to parse function arguments: ${reason}`)
}
