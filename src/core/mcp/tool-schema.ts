import { isObject, type Json, type JsonObject } from '../../base/index.ts'

/** Deeper than that, and in larger schemas, a value may be anything. */
const MOST_DEPTH = 32
const MOST_CHARACTERS = 256 * 1024

const TYPES = new Set(['object', 'array', 'string', 'number', 'integer', 'boolean', 'null'])

const IMPLIED_TYPES: readonly (readonly [type: string, keys: readonly string[]])[] = [
  ['object', ['properties', 'required', 'additionalProperties']],
  ['array', ['items', 'prefixItems']],
  ['string', ['enum', 'const', 'format']],
  ['number', ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf']],
]

/**
 * The part of a tool's input schema that the Responses API takes; what it does not know is left
 * out, and a missing type told by what else is there. Observed: codex 0.133.0.
 */
export function modelSchema(schema: JsonObject): JsonObject {
  const known = part(schema, 0)
  const kept = isTooLarge(known) ? {} : known
  return { ...kept, type: 'object', properties: kept.properties ?? {} }
}

function isTooLarge(schema: JsonObject): boolean {
  try {
    return JSON.stringify(schema).length > MOST_CHARACTERS
  } catch (error) {
    // The values of an `enum` may be nested deeper than can be written.
    if (error instanceof RangeError) return true
    throw error
  }
}

function part(schema: Json | undefined, depth: number): JsonObject {
  if (typeof schema === 'boolean') return { type: 'string' }
  if (!isObject(schema) || depth > MOST_DEPTH) return {}
  const types = typesOf(schema)
  const anyOf = Array.isArray(schema.anyOf) ? schema.anyOf : undefined
  if (types.length === 0) {
    return anyOf ? { anyOf: anyOf.map((each) => part(each, depth + 1)) } : {}
  }
  const values = schema.const === undefined ? schema.enum : [schema.const]
  return {
    type: types.length === 1 ? types[0] : types,
    ...(typeof schema.description === 'string' ? { description: schema.description } : {}),
    ...(Array.isArray(values) ? { enum: values } : {}),
    ...(types.includes('array') ? { items: itemsOf(schema, depth) } : {}),
    ...(types.includes('object') ? objectPart(schema, depth) : {}),
    ...(anyOf ? { anyOf: anyOf.map((each) => part(each, depth + 1)) } : {}),
  }
}

function typesOf(schema: JsonObject): string[] {
  const told = Array.isArray(schema.type) ? schema.type : [schema.type]
  const known = told.filter((type) => typeof type === 'string' && TYPES.has(type)) as string[]
  if (known.length > 0 || schema.anyOf !== undefined) return known
  const implied = IMPLIED_TYPES.find(([, keys]) => keys.some((key) => schema[key] !== undefined))
  return implied ? [implied[0]] : []
}

function itemsOf(schema: JsonObject, depth: number): JsonObject {
  return schema.items === undefined ? { type: 'string' } : part(schema.items, depth + 1)
}

function objectPart(schema: JsonObject, depth: number): JsonObject {
  const properties = isObject(schema.properties) ? Object.entries(schema.properties) : []
  const { additionalProperties: more, required } = schema
  return {
    properties: Object.fromEntries(properties.map(([name, each]) => [name, part(each, depth + 1)])),
    ...(Array.isArray(required) ? { required } : {}),
    ...(typeof more === 'boolean' ? { additionalProperties: more } : {}),
    ...(isObject(more) ? { additionalProperties: part(more, depth + 1) } : {}),
  }
}
