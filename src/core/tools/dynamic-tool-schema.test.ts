import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Json } from '../../base/index.ts'
import { requestSchema, SchemaError } from './dynamic-tool-schema.ts'

describe('the schema of a tool, as a request tells it', () => {
  it('is reduced to what 0.133.0 sends of it', () => {
    const text = { type: 'string' }
    const observed: [Json, Json][] = [
      [true, text],
      [{}, {}],
      [{ type: 'array' }, { type: 'array', items: text }],
      [
        {
          type: 'weird',
          title: 'T',
          oneOf: [],
          properties: {
            f: { type: 'number', minimum: 3 },
            a: { const: 'x' },
            b: { enum: [1, 2] },
            c: { type: ['string', 'null'] },
            d: { items: { type: 'integer' } },
            e: true,
            g: {},
          },
        },
        {
          type: 'object',
          properties: {
            a: { type: 'string', enum: ['x'] },
            b: { type: 'string', enum: [1, 2] },
            c: { type: ['string', 'null'] },
            d: { type: 'array', items: { type: 'integer' } },
            e: text,
            f: { type: 'number' },
            g: {},
          },
        },
      ],
      [
        {
          type: 5,
          $defs: { x: text },
          properties: {
            a: { $ref: '#/$defs/x' },
            b: { anyOf: [text, { type: 'null' }] },
            c: { type: 'object', additionalProperties: { type: 'integer' } },
            e: { type: 'string', description: 'x', format: 'date', default: 'q' },
          },
        },
        {
          type: 'object',
          properties: {
            a: {},
            b: { anyOf: [text, { type: 'null' }] },
            c: { type: 'object', properties: {}, additionalProperties: { type: 'integer' } },
            e: { type: 'string', description: 'x' },
          },
        },
      ],
    ]
    for (const [schema, sent] of observed) {
      assert.equal(JSON.stringify(requestSchema(schema)), JSON.stringify(sent))
    }
  })

  it('is refused when it is none, in the words of 0.133.0', () => {
    let deep: Json = {}
    for (let level = 0; level < 101; level += 1) deep = { default: deep }
    const observed: [Json, string][] = [
      [null, 'invalid type: null, expected struct JsonSchema'],
      ['x', 'invalid type: string "x", expected struct JsonSchema'],
      [5, 'invalid type: integer `5`, expected struct JsonSchema'],
      [[], 'invalid length 0, expected struct JsonSchema with 8 elements'],
      [{ type: 'null' }, 'tool input schema must not be a singleton null type'],
      [{ properties: 5 }, 'invalid type: integer `5`, expected a map'],
      [{ properties: { a: 5 } }, 'invalid type: integer `5`, expected struct JsonSchema'],
      [{ required: 'x' }, 'invalid type: string "x", expected a sequence'],
      [{ enum: 5 }, 'invalid type: integer `5`, expected a sequence'],
      [{ description: 5 }, 'invalid type: integer `5`, expected a string'],
      [
        { additionalProperties: 5 },
        'data did not match any variant of untagged enum AdditionalProperties',
      ],
      [deep, 'nested too deeply'],
    ]
    for (const [schema, message] of observed) {
      assert.throws(() => requestSchema(schema), new SchemaError(message))
    }
  })
})
