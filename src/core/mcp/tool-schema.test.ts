import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { JsonObject } from '../../base/index.ts'
import { modelSchema } from './tool-schema.ts'

describe('the schema that the model sees', () => {
  it('is what real Codex makes of such a schema', () => {
    const schema = {
      $schema: 'http://json-schema.org/draft-07/schema#',
      type: 'object',
      description: 'D',
      title: 'T',
      required: ['p'],
      properties: {
        p: { type: 'string', description: 'pd', minLength: 3, default: 'x', enum: ['a', 'b'] },
        num: { minimum: 3 },
        fmt: { format: 'date' },
        props: { properties: { x: { type: 'integer' } } },
        addl: { additionalProperties: false },
        all: { allOf: [{ type: 'string' }], description: 'x' },
        any: { anyOf: [{ type: 'null' }, true, { type: 'object' }] },
        ref: { $ref: '#/$defs/Q', description: 'r' },
        ap: { type: 'object', additionalProperties: true },
        tt: { type: ['string', 'array'] },
        nested: { type: 'array', items: { type: 'object', properties: { deep: { oneOf: [] } } } },
        c: { const: 'k' },
      },
      $defs: { Q: { type: 'string' } },
      additionalProperties: { type: 'string' },
      minProperties: 1,
    }
    assert.deepEqual(modelSchema(schema), {
      type: 'object',
      description: 'D',
      required: ['p'],
      properties: {
        p: { type: 'string', description: 'pd', enum: ['a', 'b'] },
        num: { type: 'number' },
        fmt: { type: 'string' },
        props: { type: 'object', properties: { x: { type: 'integer' } } },
        addl: { type: 'object', properties: {}, additionalProperties: false },
        all: {},
        any: { anyOf: [{ type: 'null' }, { type: 'string' }, { type: 'object', properties: {} }] },
        ref: {},
        ap: { type: 'object', properties: {}, additionalProperties: true },
        tt: { type: ['string', 'array'], items: { type: 'string' } },
        nested: { type: 'array', items: { type: 'object', properties: { deep: {} } } },
        c: { type: 'string', enum: ['k'] },
      },
      additionalProperties: { type: 'string' },
    })
  })

  it('has properties, even where there are none', () => {
    assert.deepEqual(modelSchema({}), { type: 'object', properties: {} })
    assert.deepEqual(modelSchema({ type: 'object' }), { type: 'object', properties: {} })
  })

  it('ends where a schema is too deep or too large', () => {
    let deep: JsonObject = { type: 'string' }
    for (let depth = 0; depth < 1000; depth += 1) {
      deep = { type: 'object', properties: { a: deep } }
    }
    assert.ok(JSON.stringify(modelSchema(deep)).length < 2000)
    const properties = { a: { type: 'string', description: 'x'.repeat(300_000) } }
    const large = modelSchema({ type: 'object', properties })
    assert.deepEqual(large, { type: 'object', properties: {} })
  })
})
