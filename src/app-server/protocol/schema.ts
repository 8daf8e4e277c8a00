import * as z from 'zod/mini'
import { describeJson, isObject, type Json, type JsonObject } from '../../base/index.ts'
import { variantText } from './serde-text.ts'

/** Absent and null mean the same. Source: `reference/app-server.md` 1. */
export function optional<T extends z.ZodMiniType>(schema: T) {
  return z.pipe(
    z.nullish(schema),
    z.transform((value: z.output<T> | null | undefined) => value ?? undefined),
  )
}

/** An object that 0.133.0 calls by this name to whoever sends something else. */
export function struct<T extends z.core.$ZodShape>(name: string, shape: T) {
  return z.object(shape, { error: `struct ${name}` })
}

type Tagged = z.ZodMiniObject<{ type: z.ZodMiniLiteral<string> }>

/** Objects told apart by `type`; an unknown one is complained of as serde does. */
export function taggedUnion<const T extends readonly [Tagged, ...Tagged[]]>(options: T) {
  const known = options.flatMap((option) => [...option.shape.type.def.values])
  return z.discriminatedUnion('type', options, {
    error: (issue) => {
      if (issue.code !== 'invalid_union') return undefined
      const tag = isObject(issue.input) ? issue.input.type : undefined
      if (tag === undefined) return 'missing field `type`'
      return typeof tag === 'string'
        ? variantText(tag, known)
        : `invalid type: ${describeJson(tag)}, expected variant identifier`
    },
  })
}

export const json = z.custom<Json>((value) => value !== undefined)
export const jsonObject = z.record(z.string(), json) as unknown as z.ZodMiniType<JsonObject>
export const count = z.int().check(z.minimum(0), z.maximum(0xffff_ffff))
export const texts = z.array(z.string())
