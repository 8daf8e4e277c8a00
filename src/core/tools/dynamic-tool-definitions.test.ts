import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Json, JsonObject } from '../../base/index.ts'
import {
  DynamicToolError,
  parseDynamicTools,
  restoredDynamicTools,
  storedDynamicTools,
} from './dynamic-tool-definitions.ts'

const SCHEMA = { type: 'object', properties: {} }

function tool(fields: JsonObject): JsonObject {
  const given = { name: 'a', description: 'd', inputSchema: SCHEMA, ...fields }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}

function refusal(value: unknown): string | undefined {
  try {
    parseDynamicTools(value)
  } catch (error) {
    assert.ok(error instanceof DynamicToolError, `${error}`)
    return error.message
  }
  return undefined
}

describe('tools that a client brings along [D8]', () => {
  it('are read from the wire, also from its older form', () => {
    const lazy = { name: 'b', namespace: 'n', description: '' }
    const plain = { description: 'd', inputSchema: SCHEMA }
    assert.deepEqual(
      parseDynamicTools([
        tool({ extra: 1, namespace: null, deferLoading: null }),
        tool({ ...lazy, deferLoading: true }),
        tool({ ...lazy, name: 'c', exposeToContext: false }),
        tool({ ...lazy, name: 'd', exposeToContext: false, deferLoading: false }),
        tool({ ...lazy, name: 'e', exposeToContext: true }),
      ]),
      [
        { ...plain, name: 'a', deferLoading: false },
        { ...plain, ...lazy, deferLoading: true },
        { ...plain, ...lazy, name: 'c', deferLoading: true },
        { ...plain, ...lazy, name: 'd', deferLoading: false },
        { ...plain, ...lazy, name: 'e', deferLoading: false },
      ],
    )
    assert.deepEqual([undefined, null, []].map(parseDynamicTools), [[], [], []])
  })

  it('may have the names of built-in tools, and one name in two namespaces', () => {
    const names = ['update_plan', 'x'.repeat(128), 'mcp_x'].map((name) => tool({ name }))
    const spaces = ['a', 'b', 'shell', 'n'.repeat(64)].map((namespace) => tool({ namespace }))
    assert.equal(refusal([...names, ...spaces, tool({})]), undefined)
  })

  it('are refused in the words of 0.133.0 for their names', () => {
    const matching = 'must match ^[a-zA-Z0-9_-]+$ to match Responses API'
    const refusals: [JsonObject, string][] = [
      [{ name: '' }, 'dynamic tool name must not be empty'],
      [{ name: '  ' }, 'dynamic tool name must not be empty'],
      [{ name: ' a' }, 'dynamic tool name has leading/trailing whitespace:  a'],
      [{ name: 'has space' }, `dynamic tool name ${matching}: has space`],
      [{ name: 'é' }, `dynamic tool name ${matching}: \\u{e9}`],
      [{ name: 'mcp__x' }, 'dynamic tool name is reserved: mcp__x'],
      [{ name: 'mcp' }, 'dynamic tool name is reserved: mcp'],
      [{ namespace: '' }, 'dynamic tool namespace must not be empty for a'],
      [{ namespace: ' n' }, 'dynamic tool namespace has leading/trailing whitespace for a: n'],
      [{ namespace: 'n s' }, `dynamic tool namespace ${matching}: n s`],
      [{ namespace: 'mcp__a' }, 'dynamic tool namespace is reserved for a: mcp__a'],
      [
        { namespace: 'functions' },
        'dynamic tool namespace collides with a reserved Responses API namespace for a: functions',
      ],
      [{ deferLoading: true }, 'deferred dynamic tool must include a namespace: a'],
    ]
    for (const [fields, text] of refusals) assert.equal(refusal([tool(fields)]), text)
    const [long, wide] = ['x'.repeat(129), 'n'.repeat(65)]
    assert.deepEqual([[tool({ name: long })], [tool({ namespace: wide })]].map(refusal), [
      `dynamic tool name must be at most 128 characters to match Responses API: ${long}`,
      `dynamic tool namespace must be at most 64 characters to match Responses API: ${wide}`,
    ])
    assert.equal(refusal([tool({}), tool({})]), 'duplicate dynamic tool name: a')
    const twice = [tool({ namespace: 'n' }), tool({ namespace: 'n' })]
    assert.equal(refusal(twice), 'duplicate dynamic tool name in namespace n: a')
  })

  it('are refused for what they are made of', () => {
    const invalid = 'Invalid request: invalid type'
    const refusals: [Json, string][] = [
      ['x', `${invalid}: string "x", expected a sequence`],
      [['x'], `${invalid}: string "x", expected struct DynamicToolSpecDe`],
      [[tool({ name: undefined })], 'Invalid request: missing field `name`'],
      [[tool({ description: undefined })], 'Invalid request: missing field `description`'],
      [[tool({ inputSchema: undefined })], 'Invalid request: missing field `inputSchema`'],
      [[tool({ description: 5 })], `${invalid}: integer \`5\`, expected a string`],
      [[tool({ deferLoading: 'x' })], `${invalid}: string "x", expected a boolean`],
      [Array(1001).fill(tool({})), 'too many dynamic tools: at most 1000'],
      [
        [tool({ description: 'x'.repeat(5_000_000) })],
        'dynamic tools are too large: at most 4194304 characters',
      ],
    ]
    for (const [value, text] of refusals) assert.equal(refusal(value), text)
    const schema = 'dynamic tool input schema is not supported for a: '
    const expected = 'invalid type: null, expected struct JsonSchema'
    assert.equal(refusal([tool({ inputSchema: null })]), schema + expected)
  })

  it('come back from a header as they were, apart from damaged ones', () => {
    const tools = parseDynamicTools([
      tool({ inputSchema: true }),
      tool({ namespace: 'n', deferLoading: true }),
    ])
    const stored = storedDynamicTools(tools)
    assert.deepEqual(Object.keys(stored[1] ?? {}), [
      'namespace',
      'name',
      'description',
      'inputSchema',
      'deferLoading',
    ])
    assert.deepEqual(restoredDynamicTools(stored), tools)
    const damaged: Json[] = [5, { name: 'x' }, tool({ name: 'a b' }), ...stored, ...stored]
    assert.deepEqual(restoredDynamicTools(damaged), tools)
    assert.deepEqual(restoredDynamicTools(undefined), [])
  })
})
