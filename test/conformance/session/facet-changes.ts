/** Small changes of a facet, of which differences are made. */
import {
  isObject,
  type Json,
  type JsonObject,
  objectAt,
  stringAt,
} from '../../../src/base/index.ts'

export type Change = (values: readonly Json[]) => Json[]

function payloadOf(value: Json): JsonObject {
  return (isObject(value) && objectAt(value, 'payload')) || {}
}

/** Without the lines whose payload is of this type. */
export function withoutLines(type: string): Change {
  return (values) => values.filter((value) => stringAt(payloadOf(value), 'type') !== type)
}

/** Without the settings that were kept for the next turn. */
export const withoutWaitingSettings: Change = (values) => {
  return values.filter((value) => {
    const isSettings = isObject(value) && value.type === 'turn_context'
    return !isSettings || payloadOf(value).turn_id !== undefined
  })
}

/** Without counts of tokens that say what the one before them said, or nothing at all. */
export const withoutRepeatedCounts: Change = (values) => {
  let last = 'null'
  return values.filter((value) => {
    const counted = countOf(value)
    if (counted === undefined) return true
    const isNews = counted !== last
    last = counted
    return isNews
  })
}

function countOf(value: Json): string | undefined {
  const payload = payloadOf(value)
  if (payload.type === 'token_count') return JSON.stringify(payload.info ?? null)
  if (!isObject(value) || value.method !== 'thread/tokenUsage/updated') return undefined
  return JSON.stringify(objectAt(value, 'params')?.tokenUsage ?? null)
}

/** Changes the payloads of the lines of one type: `token_count`, `turn_context`. */
export function mapLines(type: string, change: (payload: JsonObject) => JsonObject): Change {
  return (values) =>
    values.map((value) => {
      const payload = payloadOf(value)
      if (!isObject(value) || (value.type !== type && payload.type !== type)) return value
      return { ...value, payload: change(payload) }
    })
}

export function withoutEvents(
  method: string,
  isMatch: (params: JsonObject) => boolean = () => true,
): Change {
  return (values) => values.filter((value) => !isEvent(value, method, isMatch))
}

function isEvent(value: Json, method: string, isMatch: (params: JsonObject) => boolean): boolean {
  return isObject(value) && value.method === method && isMatch(objectAt(value, 'params') ?? {})
}

/** Changes the params of the notifications of one method. */
export function mapEvents(method: string, change: (params: JsonObject) => JsonObject): Change {
  return (values) =>
    values.map((value) => {
      if (!isObject(value) || value.method !== method) return value
      return { ...value, params: change(objectAt(value, 'params') ?? {}) }
    })
}

/** Changes the items of some types where they are started and completed. */
export function mapItems(
  types: readonly string[],
  change: (item: JsonObject, method: string) => JsonObject,
): Change {
  return (values) =>
    values.map((value) => {
      const params = isObject(value) ? objectAt(value, 'params') : undefined
      const item = params && objectAt(params, 'item')
      if (!isObject(value) || !item || !types.includes(String(item.type))) return value
      return { ...value, params: { ...params, item: change(item, String(value.method)) } }
    })
}

/** Without what requests of this method were answered. */
export function withoutAnswers(method: string): Change {
  return (values) => values.filter((value) => !isObject(value) || value.method !== method)
}

/** Without the items of one type in the turns that an answer shows. */
export function withoutShownItems(type: string): Change {
  const change = (value: Json): Json => {
    if (Array.isArray(value)) {
      return value.map(change).filter((each) => !isObject(each) || each.type !== type)
    }
    if (!isObject(value)) return value
    return Object.fromEntries(
      Object.entries(value).map(([key, each]) => [key, change(each ?? null)]),
    ) as Json
  }
  return (values) => values.map(change)
}

/** Events of one kind behind all others, in an order of their own. */
export function atTheEnd(isMoved: (params: JsonObject, method: string) => boolean): Change {
  return (values) => {
    const isLate = (value: Json) =>
      isObject(value) && isMoved(objectAt(value, 'params') ?? {}, String(value.method))
    const late = values.filter(isLate)
    const inOrder = late.toSorted((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)))
    return [...values.filter((value) => !isLate(value)), ...inOrder]
  }
}

/** Changes the input items of every request. */
export function mapInput(change: (items: readonly JsonObject[]) => JsonObject[]): Change {
  return (values) =>
    values.map((value) => {
      const body = isObject(value) ? objectAt(value, 'body') : undefined
      if (!isObject(value) || !Array.isArray(body?.input)) return value
      return { ...value, body: { ...body, input: change(body.input.filter(isObject)) } }
    })
}

/** Replaces what a pattern finds in any text. */
export function replaced(pattern: RegExp, to: string): Change {
  const change = (value: Json): Json => {
    if (typeof value === 'string') return value.replaceAll(pattern, to)
    if (Array.isArray(value)) return value.map(change)
    if (!isObject(value)) return value
    const entries = Object.entries(value).map(([key, item]) => [key, change(item ?? null)])
    return Object.fromEntries(entries) as Json
  }
  return (values) => values.map(change)
}

export function without(members: readonly string[]): (object: JsonObject) => JsonObject {
  return (object) =>
    Object.fromEntries(Object.entries(object).filter(([key]) => !members.includes(key)))
}
