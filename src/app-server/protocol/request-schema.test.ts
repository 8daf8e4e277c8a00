import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as z from 'zod/mini'
import { method, plainMethod } from './method.ts'
import { requestSchema } from './request-schema.ts'
import { jsonObject, optional, taggedUnion, texts } from './schema.ts'
import { schemaTypes } from './schema-types.ts'

const METHODS = [
  method('thread/start_it', () =>
    z.object({
      cwd: optional(z.string()),
      mode: z.enum(['a', 'b']),
      words: texts,
      config: optional(jsonObject),
      any: z.custom<string>(),
      target: taggedUnion([
        z.object({ type: z.literal('x') }),
        z.object({ type: z.literal('y'), n: z.int() }),
      ]),
    }),
  ),
  plainMethod('memory/reset'),
].map((each) => each as unknown as ReturnType<typeof method>)

describe('what clients may send', () => {
  it('is told as JSON Schema: what is checked by code alone is left open', () => {
    const { definitions, oneOf } = requestSchema(METHODS)
    const text = { type: 'string' }
    assert.deepEqual(definitions, {
      MemoryResetParams: { type: 'object', properties: {} },
      ThreadStartItParams: {
        type: 'object',
        properties: {
          cwd: { type: ['string', 'null'] },
          mode: { type: 'string', enum: ['a', 'b'] },
          words: { type: 'array', items: text },
          config: {
            anyOf: [
              { type: 'object', propertyNames: text, additionalProperties: {} },
              { type: 'null' },
            ],
          },
          any: {},
          target: {
            oneOf: [
              { type: 'object', properties: { type: { ...text, const: 'x' } }, required: ['type'] },
              {
                type: 'object',
                properties: {
                  type: { ...text, const: 'y' },
                  n: {
                    type: 'integer',
                    minimum: Number.MIN_SAFE_INTEGER,
                    maximum: Number.MAX_SAFE_INTEGER,
                  },
                },
                required: ['type', 'n'],
              },
            ],
          },
        },
        required: ['mode', 'words', 'any', 'target'],
      },
    })
    const required = (oneOf as { required: string[] }[]).map((branch) => branch.required)
    assert.deepEqual(required, [
      ['id', 'method'],
      ['id', 'method', 'params'],
    ])
  })

  it('is told as TypeScript', () => {
    assert.equal(
      schemaTypes(requestSchema(METHODS)),
      `export type MemoryResetParams = Record<string, never>

export type ThreadStartItParams = {
  cwd?: string | null
  mode: "a" | "b"
  words: Array<string>
  config?: Record<string, unknown> | null
  any: unknown
  target: {
    type: "x"
  } | {
    type: "y"
    n: number
  }
}

export type ClientRequest =
  | {
      id: string | number
      method: "memory/reset"
      params?: MemoryResetParams
    }
  | {
      id: string | number
      method: "thread/start_it"
      params: ThreadStartItParams
    }
`,
    )
  })
})
