import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { noClients } from '../../../test/support/clients.ts'
import type { SessionEvent } from '../../protocol/index.ts'
import { EventHub } from '../session/event-hub.ts'
import { EventRecorder } from '../session/event-recorder.ts'
import { TurnDiff } from '../turn/turn-diff.ts'
import { updatePlanTool } from './update-plan.ts'

async function plan(input: string): Promise<{ answer: unknown; told: SessionEvent[] }> {
  const hub = new EventHub()
  const told: SessionEvent[] = []
  hub.listen((event) => told.push(event))
  const call = { callId: 'call', name: 'update_plan', kind: 'function', input } as const
  const context = {
    turnId: 'turn',
    settings: {
      cwd: '/',
      model: 'm',
      modelProvider: 'p',
      approvalPolicy: 'never',
      sandboxPolicy: { type: 'danger-full-access' },
    },
    recorder: new EventRecorder(undefined, hub),
    clients: noClients,
    turnDiff: new TurnDiff('/'),
    remember: async () => undefined,
    interruptTurn: () => undefined,
    signal: new AbortController().signal,
  } as const
  const answer = await updatePlanTool.run(call, context).catch((error: unknown) => error)
  return { answer: answer instanceof Error ? answer.message : answer, told }
}

describe('update_plan [D4]', () => {
  it('tells the steps and answers that it did', async () => {
    const steps = [
      { step: 'Look', status: 'completed' },
      { step: 'Change', status: 'in_progress' },
      { step: 'Check', status: 'pending' },
    ]
    const { answer, told } = await plan(JSON.stringify({ explanation: 'Because', plan: steps }))
    assert.equal(answer, 'Plan updated')
    const event = { type: 'planUpdated', turnId: 'turn', explanation: 'Because', plan: steps }
    assert.deepEqual(told, [event])
  })

  it('may have no explanation and no step', async () => {
    const { told } = await plan('{"plan":[]}')
    assert.deepEqual(told, [{ type: 'planUpdated', turnId: 'turn', explanation: null, plan: [] }])
  })

  for (const [input, reason] of [
    ['{}', /^failed to parse function arguments: missing field `plan`/],
    ['{"plan":[{"status":"pending"}]}', /missing field `step`/],
    ['{"plan":[{"step":"x"}]}', /missing field `status`/],
    [
      '{"plan":[{"step":"x","status":"bogus"}]}',
      /unknown variant `bogus`, expected one of `pending`, `in_progress`, `completed`/,
    ],
    ['{"plan":', /^failed to parse function arguments: EOF/],
    ['[]', /^failed to parse function arguments: /],
  ] as const) {
    it(`refuses ${input}, and tells nothing`, async () => {
      const { answer, told } = await plan(input)
      assert.match(String(answer), reason)
      assert.deepEqual(told, [])
    })
  }
})
