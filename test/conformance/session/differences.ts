/**
 * Where Bobbin differs from real Codex 0.133.0, and why it may. A difference is taken out of both
 * traces only for scripts that name it, and a named one that does not occur fails the test.
 */
import { isObject, type Json, type JsonObject, objectAt, stringAt } from '../../../src/base/index.ts'
import type { Facets } from './normalise.ts'

export interface Difference {
  readonly where: 'requests' | 'rollout' | 'events' | 'refusals'
  /** What real Codex does, and what Bobbin does. */
  readonly what: string
  readonly reason: string
  /** Whether somebody gains by it. */
  readonly isBetter: boolean
  readonly codex?: (values: readonly Json[]) => Json[]
  readonly bobbin?: (values: readonly Json[]) => Json[]
}

function isLine(value: Json, kind: string): boolean {
  return isObject(value) && stringAt(objectAt(value, 'payload') ?? {}, 'type') === kind
}

function withoutLines(kind: string) {
  return (values: readonly Json[]) => values.filter((value) => !isLine(value, kind))
}

function isEvent(value: Json, method: string): boolean {
  return isObject(value) && value.method === method
}

/** Changes the params of the notifications of some methods. */
function mapEvents(methods: readonly string[], change: (params: JsonObject) => JsonObject) {
  return (values: readonly Json[]) =>
    values.map((value) => {
      if (!isObject(value) || !methods.includes(String(value.method))) return value
      return { ...value, params: change(objectAt(value, 'params') ?? {}) }
    })
}

function mapItems(type: string, change: (item: JsonObject, method: string) => JsonObject) {
  return (values: readonly Json[]) =>
    values.map((value) => {
      const params = isObject(value) ? objectAt(value, 'params') : undefined
      const item = params && objectAt(params, 'item')
      if (!isObject(value) || item?.type !== type) return value
      return { ...value, params: { ...params, item: change(item, String(value.method)) } }
    })
}

export const DIFFERENCES = {
  'command-kept': {
    where: 'rollout',
    what: 'Bobbin keeps an `exec_command_end` of each command',
    reason: 'a thread read back shows its commands; Codex passes over the line',
    isBetter: true,
    bobbin: withoutLines('exec_command_end'),
  },
} as const satisfies { readonly [id: string]: Difference }

export type DifferenceId = keyof typeof DIFFERENCES

export function differenceOf(id: DifferenceId): Difference {
  return DIFFERENCES[id]
}
