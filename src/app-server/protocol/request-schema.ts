import * as z from 'zod/mini'
import type { JsonObject } from '../../base/index.ts'
import type { Method } from './method.ts'

/** `thread/start` takes `ThreadStartParams`. */
export function paramsName(method: string): string {
  const words = method.split(/[/_]/)
  return `${words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')}Params`
}

/** What clients may send, as JSON Schema (draft 7): one branch a method, by name. */
export function requestSchema(methods: readonly Method[]): JsonObject {
  const sorted = methods.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const definitions = sorted.map(({ name, params }) => [paramsName(name), schemaOf(params)])
  const requests = sorted.map(({ name, hasNoParams }) => ({
    type: 'object',
    properties: {
      id: { anyOf: [{ type: 'string' }, { type: 'integer' }] },
      method: { const: name },
      params: { $ref: `#/definitions/${paramsName(name)}` },
    },
    required: hasNoParams ? ['id', 'method'] : ['id', 'method', 'params'],
  }))
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'ClientRequest',
    definitions: Object.fromEntries(definitions),
    oneOf: requests,
  }
}

/** What is checked by code is left open. */
function schemaOf(params: z.ZodMiniType): JsonObject {
  const made = z.toJSONSchema(params, { io: 'input', unrepresentable: 'any', target: 'draft-7' })
  const { $schema: _, '~standard': __, ...schema } = made as unknown as JsonObject
  return schema
}
