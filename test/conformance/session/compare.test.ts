/** Rule: the comparison bites. What is not named fails it, and so does what is named in vain. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { JsonObject } from '../../../src/base/index.ts'
import { assertSame } from './compare.ts'
import { withoutEvents } from './facet-changes.ts'
import type { SessionScript } from './script.ts'
import type { Trace } from './trace.ts'

const script: SessionScript = { name: 'of this test', model: [], play: async () => undefined }

function traced(parts: Partial<Trace>): Trace {
  const nothing = { requests: [], rollout: [], events: [], refusals: [], answers: [] }
  return { root: '/r', threadIds: [], ...nothing, ...parts }
}

const line = (payload: JsonObject): JsonObject => ({ type: 'event_msg', payload })
const commandEnd = line({ type: 'exec_command_end', call_id: 'call_1' })
const message = line({ type: 'agent_message', message: 'Hi.' })
const id = (digit: string) => `${digit.repeat(8)}-1111-1111-1111-${digit.repeat(12)}`

describe('the comparison of two traces', () => {
  it('takes runs that differ in ids and times only for the same', () => {
    const of = (digit: string, time: number): Trace => {
      const params = { turn: { id: id(digit), startedAt: time } }
      const events = [
        { method: 'turn/started', params },
        { method: 'turn/completed', params },
      ]
      return traced({ events, root: `/tmp/${digit}`, refusals: [`/tmp/${digit}/a.txt`] })
    }
    assertSame(script, of('a', 1), of('b', 2))
  })

  it('tells ids that are equal from ids that are not', () => {
    const of = (...digits: string[]) =>
      traced({ refusals: digits.map((digit) => `no thread ${id(digit)}`) })
    assert.throws(() => assertSame(script, of('a', 'a'), of('b', 'c')), /refusals differ/)
  })

  it('fails for what differs and is not named, in every facet', () => {
    for (const facet of ['requests', 'rollout', 'events'] as const) {
      const codex = traced({ [facet]: [{ type: 'x', headers: {}, body: { model: 'a' } }] })
      const bobbin = traced({ [facet]: [{ type: 'x', headers: {}, body: { model: 'b' } }] })
      assert.throws(() => assertSame(script, codex, bobbin), new RegExp(`${facet} differ`))
    }
  })

  it('passes over what is named, and fails when it does not occur', () => {
    const named: SessionScript = { ...script, differences: ['command-kept'] }
    const codex = traced({ rollout: [message] })
    const bobbin = traced({ rollout: [commandEnd, message] })
    assertSame(named, codex, bobbin)
    assert.throws(() => assertSame(script, codex, bobbin), /rollout differ/)
    assert.throws(() => assertSame(named, codex, codex), /no difference any more: command-kept/)
  })

  it('fails for the witness of a fault that has been mended', () => {
    const witness: SessionScript = { ...script, name: 'where it is seen' }
    const bobbin = { events: withoutEvents('warning', () => true) }
    const faults = [{ id: 'a-warning', what: 'ours warns', witness: witness.name, bobbin }]
    const mended = traced({ events: [{ method: 'turn/started', params: {} }] })
    const warning = { method: 'warning', params: { message: 'no' } }
    const warned = traced({ events: [...mended.events, warning] })
    assertSame(witness, mended, warned, faults)
    assertSame(script, mended, warned, faults)
    const complaint = /no difference any more: a-warning/
    assert.throws(() => assertSame(witness, mended, mended, faults), complaint)
    assertSame(script, mended, mended, faults)
  })
})
