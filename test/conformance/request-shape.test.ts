/**
 * Rule: for the same script, the model is asked by Bobbin as it is by real Codex 0.133.0: the same
 * items in the same order, the same call ids, the same texts of tool outputs, the same members of
 * the body, the same forms of the tools that both offer.
 */
import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'

import { arrayAt, isObject, type Json, type JsonObject, stringAt } from '../../src/base/index.ts'
import { assistantMessage } from '../../src/core/model/script.ts'
import type { ModelRequest } from '../support/responses-server.ts'
import { type BothSides, runBoth, type Session, type Side } from './both.ts'
import { inputItems, isContext } from './model-input.ts'
import { concludes, pollTurn, runs, says, toolTurn } from './scripts.ts'

const sessions: { [name: string]: Session } = {
  'two turns with every kind of tool result': {
    script: [
      ...toolTurn,
      says(runs('cat a.txt', 'call_again')),
      concludes('Read again.'),
      concludes('Third.'),
    ],
    prompts: ['do the work', 'look again', 'and – finally ✓'],
  },
  'a command that is polled until it ends': { script: pollTurn, prompts: ['wait for it'] },
  'an output too long for the model': {
    script: [says(runs('seq 1 30000', 'call_long')), concludes('Long.')],
    prompts: ['count'],
  },
  'an output cut to a budget of its own': {
    script: [says(runs('seq 1 3000', 'call_cut', { max_output_tokens: 200 })), concludes('Cut.')],
    prompts: ['count less'],
  },
  'a stream cut after a message and a call': {
    script: [
      {
        ...says(assistantMessage('Looking.', { phase: 'commentary' }), runs('cat a.txt', 'call_1')),
        fault: { kind: 'cut', afterEvents: 6 },
      },
      concludes('Got it.'),
    ],
    prompts: ['read it'],
  },
}

for (const [name, session] of Object.entries(sessions)) {
  describe(`requests of ${name}`, () => {
    let both: BothSides
    before(async () => {
      both = await runBoth(session)
    })

    it('hold the same items: order, types, roles, call ids', () => {
      assert.deepEqual(eachInput(both.bobbin, itemShape), eachInput(both.codex, itemShape))
    })

    it('give the model the same texts of tool outputs', () => {
      assert.deepEqual(lastOutputs(both.bobbin), lastOutputs(both.codex))
    })

    it('hold the same items, whole, apart from instructions and environment', () => {
      const whole = (item: JsonObject): Json => (isContext(item) ? itemShape(item) : item)
      assert.deepEqual(eachInput(both.bobbin, whole), eachInput(both.codex, whole))
    })

    it('have bodies with the same members in the same order', () => {
      const members = (request: ModelRequest) => Object.keys(request.body)
      assert.deepEqual(both.bobbin.requests.map(members), both.codex.requests.map(members))
    })
  })
}

describe('requests of one turn', () => {
  let both: BothSides
  before(async () => {
    both = await runBoth({ script: [concludes('Hi.')], prompts: ['hello'] })
  })

  it('agree in the settings that the model reads', () => {
    assert.deepEqual(settings(both.bobbin), settings(both.codex))
  })

  it('open with a developer and a user message whose parts carry the same tags', () => {
    assert.deepEqual(contextTags(both.bobbin), contextTags(both.codex))
  })

  it('offer the tools that both have in the same order and form', () => {
    const codex = toolForms(both.codex)
    const bobbin = toolForms(both.bobbin)
    const shared = (tools: Map<string, Json>, others: Map<string, Json>) =>
      [...tools].filter(([tool]) => others.has(tool))
    for (const tool of ['exec_command', 'write_stdin', 'update_plan', 'apply_patch']) {
      assert.ok(bobbin.has(tool), `bobbin offers no ${tool}`)
    }
    assert.deepEqual(shared(bobbin, codex), shared(codex, bobbin))
  })

  it('carry the headers that name thread and turn', () => {
    assert.deepEqual(identityHeaders(both.bobbin), identityHeaders(both.codex))
  })
})

describe('requests of a model that nobody knows', () => {
  it('have bodies with the same members and settings', async () => {
    const both = await runBoth({
      script: [concludes('Hi.')],
      prompts: ['hello'],
      model: 'model-of-my-own',
    })
    assert.deepEqual(settings(both.bobbin), settings(both.codex))
  })
})

function eachInput(side: Side, form: (item: JsonObject) => Json): Json {
  return side.normalise(side.requests.map((request) => inputItems(request).map(form)))
}

function itemShape(item: JsonObject): JsonObject {
  const { type, role, call_id } = item
  return { type: type ?? null, role: role ?? null, call_id: call_id ?? null }
}

function lastOutputs(side: Side): Json {
  const last = side.requests.at(-1)
  const items = last ? inputItems(last).filter((item) => item.output !== undefined) : []
  return side.normalise(items.map((item) => [item.call_id ?? null, item.output ?? null]))
}

/** The body without its long texts, in order. */
function settings(side: Side): Json {
  const { body } = firstRequest(side)
  const long = new Set(['instructions', 'input', 'tools'])
  const members = Object.entries(body).map(([key, value]): Json => {
    return [key, long.has(key) ? typeof value : (value ?? null)]
  })
  return side.normalise(members)
}

function contextTags(side: Side): Json {
  return inputItems(firstRequest(side)).map((item) => {
    const parts = (arrayAt(item, 'content') ?? []).filter(isObject)
    const tags = parts.map((part) => /^<[a-z_ ]+>|^# AGENTS\.md/.exec(stringAt(part, 'text') ?? ''))
    return [item.role ?? null, ...tags.map((tag) => tag?.[0] ?? 'text')]
  })
}

function toolForms(side: Side): Map<string, Json> {
  const tools = (arrayAt(firstRequest(side).body, 'tools') ?? []).filter(isObject)
  return new Map(tools.map((tool) => [toolName(tool), toolForm(tool)]))
}

function toolName(tool: JsonObject): string {
  return stringAt(tool, 'name') ?? stringAt(tool, 'type') ?? ''
}

/** The tool without prose: names, types and required members of its parameters. */
function toolForm(value: Json): Json {
  if (Array.isArray(value)) return value.map(toolForm)
  if (!isObject(value)) return value
  const members = Object.entries(value).filter(([key, item]) => {
    return key !== 'description' || typeof item !== 'string'
  })
  return Object.fromEntries(members.map(([key, item]) => [key, toolForm(item ?? null)]))
}

function identityHeaders(side: Side): Json {
  const { headers } = firstRequest(side)
  const named = ['session-id', 'thread-id', 'x-client-request-id', 'x-codex-window-id'].map(
    (name): Json => [name, headers[name] ?? null],
  )
  const metadata = JSON.parse(headers['x-codex-turn-metadata'] ?? '{}') as JsonObject
  const plain = ['accept', 'content-type'].map((name): Json => [name, headers[name] ?? null])
  return side.normalise([...named, ...plain, Object.keys(metadata)])
}

function firstRequest(side: Side): ModelRequest {
  const [first] = side.requests
  assert.ok(first, `no request reached the model: ${side.runs[0]?.stderr}`)
  return first
}
