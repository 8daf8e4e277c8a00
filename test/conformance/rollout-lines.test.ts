/**
 * Rule: Bobbin writes the rollout lines that real Codex 0.133.0 writes, of the same types and in
 * the same order, apart from those it adds on purpose, which Codex skips when it loads them.
 */
import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'

import { type Json, type JsonObject, objectAt, stringAt } from '../../src/base/index.ts'
import { type BothSides, runBoth, type Session, type Side } from './both.ts'
import { isContext } from './model-input.ts'
import { concludes, richTurn, runs, says } from './scripts.ts'

/** Events that only Bobbin keeps: executed commands and the error of a failed turn. */
const ADDED_EVENTS = new Set(['exec_command_end', 'error'])

const sessions: { [name: string]: Session } = {
  'the rich turn and a resumed one': {
    script: [...richTurn, says(runs('cat b.txt', 'call_more')), concludes('Again.')],
    prompts: ['change a.txt', 'once more'],
  },
  'a failed turn and a resumed one': {
    script: [{ items: [], fault: { kind: 'status', status: 400, body: 'no' } }, concludes('Yes.')],
    prompts: ['fail', 'try again'],
  },
}

for (const [name, session] of Object.entries(sessions)) {
  describe(`rollout of ${name}`, () => {
    let both: BothSides
    before(async () => {
      both = await runBoth(session)
    })

    it('has lines of the same types in the same order', () => {
      assert.deepEqual(sharedLines(both.bobbin).map(kind), sharedLines(both.codex).map(kind))
    })

    it('has the same messages, calls and events in them', () => {
      assert.deepEqual(contents(both.bobbin), contents(both.codex))
    })

    it('has envelopes of the same members, in their order', () => {
      const members = new Set(both.bobbin.rollout.map((line) => Object.keys(line).join(' ')))
      assert.deepEqual([...members], ['timestamp type payload'])
    })

    it('has a header and turn contexts with what readers need', () => {
      assert.deepEqual(needed(both.bobbin), needed(both.codex))
      assert.deepEqual(signature(both.bobbin), ['string', 'string'])
    })
  })
}

function sharedLines(side: Side): JsonObject[] {
  return side.rollout.filter((line) => !ADDED_EVENTS.has(stringAt(payload(line), 'type') ?? ''))
}

function payload(line: JsonObject): JsonObject {
  return objectAt(line, 'payload') ?? {}
}

function kind(line: JsonObject): string {
  const { type, role } = payload(line)
  return [line.type, type, role].filter((part) => part !== undefined).join(' ')
}

/** Payloads whole, apart from context messages, whose texts are each program's own. */
function contents(side: Side): Json {
  const told = sharedLines(side).filter(
    (line) => line.type === 'event_msg' || line.type === 'response_item',
  )
  return side.normalise(told.map((line) => (isContext(payload(line)) ? kind(line) : payload(line))))
}

const NEEDED = {
  session_meta: ['id', 'timestamp', 'cwd', 'source', 'model_provider', 'git'],
  turn_context: ['turn_id', 'cwd', 'approval_policy', 'sandbox_policy', 'model', 'summary'],
}

/** The members that J.1 and B.5 of the fact sheet call for. */
function needed(side: Side): Json {
  const found = side.rollout.flatMap((line) => {
    if (line.type !== 'session_meta' && line.type !== 'turn_context') return []
    const members = NEEDED[line.type].map((name): [string, Json] => {
      return [name, payload(line)[name] ?? null]
    })
    return [{ type: line.type, ...Object.fromEntries(members) }]
  })
  return side.normalise(found)
}

/** Members of the header whose values are each program's own, but without which no file loads. */
function signature(side: Side): Json {
  const [header] = side.rollout
  const { originator, cli_version: version } = header ? payload(header) : {}
  return [typeof originator, typeof version]
}
