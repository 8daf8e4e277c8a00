/** Whether what a server sends is what its own schemas say. */
import type { z } from 'zod'
import {
  NOTIFICATIONS,
  RESULTS,
  SERVER_REQUESTS,
} from '../../src/app-server/protocol/told/index.ts'
import { isObject, type Json } from '../../src/base/index.ts'

type Schemas = { readonly [method: string]: z.ZodType | undefined }

/** What is wrong with the params of a notification or a request; undefined when nothing is. */
export function toldFault(
  kind: 'told' | 'asked',
  method: string,
  params: Json,
): string | undefined {
  const schemas: Schemas = kind === 'told' ? NOTIFICATIONS : SERVER_REQUESTS
  const schema = schemas[method]
  // For clients that have asked for it.
  const { eventCursor: _, ...plain } = isObject(params) ? params : {}
  return schema ? faultOf(schema, method, plain) : `${method}: there is no schema of it`
}

/** What is wrong with a result; undefined when nothing is. */
export function resultFault(method: string, result: Json): string | undefined {
  const schema = (RESULTS as Schemas)[method]
  const what = `result of ${method}`
  return schema ? faultOf(schema, what, result) : `${what}: there is no schema of it`
}

function faultOf(schema: z.ZodType, what: string, value: Json): string | undefined {
  const { success, error } = schema.safeParse(value)
  if (success) return undefined
  const issues = error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
  return `${what}: ${issues.join('; ')} in ${JSON.stringify(value).slice(0, 500)}`
}
