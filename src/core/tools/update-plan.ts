import { type Fields, readArguments } from './exec/index.ts'
import type { Tool } from './tool.ts'

const STEP_FIELDS = {
  step: { type: 'string', presence: 'required' },
  status: { type: ['pending', 'in_progress', 'completed'], presence: 'required' },
} as const satisfies Fields

const PLAN_FIELDS = {
  explanation: { type: 'string', presence: 'optional' },
  plan: { type: { struct: 'PlanItemArg', fields: STEP_FIELDS }, presence: 'required' },
} as const satisfies Fields

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
  isParallel: () => true,
  spec: SPEC as unknown as Tool['spec'],
  run: async (call, { recorder, turnId }) => {
    const { explanation, plan } = readArguments(call.input, 'UpdatePlanArgs', PLAN_FIELDS)
    recorder.tell({ type: 'planUpdated', turnId, explanation: explanation ?? null, plan })
    return 'Plan updated'
  },
}
