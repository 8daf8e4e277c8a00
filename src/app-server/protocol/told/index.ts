/** Schemas of what the server sends; loaded when they are asked for. */
import * as z from 'zod'
import type { JsonObject } from '../../../base/index.ts'
import { NOTIFICATIONS, SERVER_REQUESTS } from './notifications.ts'
import { RESULTS } from './results.ts'

export { NOTIFICATIONS, RESULTS, SERVER_REQUESTS }

type Schemas = { readonly [method: string]: z.ZodType }

/**
 * As JSON Schema (draft 7), by the name of the document: notifications, requests of the server, and
 * the results of methods, each under its method.
 */
export function toldSchemas(): { readonly [title: string]: JsonObject } {
  return {
    ServerNotification: messages('ServerNotification', NOTIFICATIONS, []),
    ServerRequest: messages('ServerRequest', SERVER_REQUESTS, ['id']),
    MethodResults: document('MethodResults', z.object({ ...RESULTS })),
  }
}

function messages(title: string, schemas: Schemas, more: readonly 'id'[]): JsonObject {
  const id = more.length > 0 ? { id: z.int() } : {}
  const branches = Object.entries(schemas).map(([method, params]) => {
    return z.object({ ...id, method: z.literal(method), params })
  })
  const [first, ...rest] = branches
  return document(title, z.union(first ? [first, ...rest] : []))
}

/** Newer servers may send more members: clients are not told that there are no others. */
function document(title: string, schema: z.ZodType): JsonObject {
  const made = z.toJSONSchema(schema, {
    target: 'draft-7',
    io: 'output',
    override: ({ jsonSchema }) => {
      if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties
      delete jsonSchema.id
    },
  })
  const { $schema, '~standard': _, ...rest } = made as unknown as JsonObject
  return { $schema, title, ...rest }
}
