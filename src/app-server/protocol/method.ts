import * as z from 'zod/mini'
import { isObject, type Json } from '../../base/index.ts'
import { invalid } from './jsonrpc.ts'
import { serdeText } from './serde-text.ts'

/** Compiling a schema takes longer than most are used. */
const UNCOMPILED = { jitless: true }

/** A method as both sides know it: its name, what it takes, and who may call it. */
export interface Method<Params extends z.ZodMiniType = z.ZodMiniType> {
  readonly name: string
  readonly params: Params
  /** Takes no params at all: absent, null and `{}` are the same. */
  readonly hasNoParams?: boolean
  /** Members that need the capability `experimentalApi`, or `true` for the whole method. */
  readonly experimental?: true | { readonly [member: string]: ExperimentalUse }
  /** Requests of one key run in the order in which they came. */
  readonly queueKey?: (params: z.output<Params>) => string | undefined
}

/** Whether a member was used in the way that needs the capability. */
export type ExperimentalUse = (value: Json) => boolean

export const whenGiven: ExperimentalUse = (value) => value !== null && value !== false
export const whenTrue: ExperimentalUse = (value) => value === true

/** Its schema is made when the method is first called: a server has many, a client uses few. */
export function method<Params extends z.ZodMiniType>(
  name: string,
  makeParams: () => Params,
  options: Omit<Method<Params>, 'name' | 'params'> = {},
): Method<Params> {
  let made: Params | undefined
  return {
    name,
    get params() {
      made ??= makeParams()
      return made
    },
    ...options,
  }
}

const NO_PARAMS = z.object({})

/** Without params. */
export function plainMethod(
  name: string,
  options: Omit<Method<z.ZodMiniObject>, 'name' | 'params' | 'hasNoParams'> = {},
): Method<z.ZodMiniObject> {
  return { name, params: NO_PARAMS, hasNoParams: true, ...options }
}

/** Throws `Invalid request: …` in the words of 0.133.0. */
export function parseParams<Params extends z.ZodMiniType>(
  { params, hasNoParams }: Method<Params>,
  sent: Json | undefined,
): z.output<Params> {
  const given = hasNoParams ? (sent ?? {}) : (sent ?? undefined)
  if (given === undefined) throw invalid('Invalid request: missing field `params`')
  const parsed = params.safeParse(given, UNCOMPILED)
  if (parsed.success) return parsed.data
  throw invalid(`Invalid request: ${serdeText(parsed.error.issues, given)}`)
}

/** What of a request needs the capability; undefined when nothing does. */
export function experimentalUse(
  { name, experimental }: Method,
  sent: Json | undefined,
): string | undefined {
  if (!experimental) return undefined
  if (experimental === true) return name
  if (!isObject(sent)) return undefined
  const used = Object.entries(experimental).find(([member, isUse]) => {
    const value = sent[member]
    return value !== undefined && isUse(value)
  })
  return used && `${name}.${used[0]}`
}
