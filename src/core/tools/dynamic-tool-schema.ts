import {
  describeJson,
  isDeeperThan,
  isObject,
  type Json,
  type JsonObject,
} from '../../base/index.ts'

/** A schema that no request could carry; the message is the reason alone, in Codex's words. */
export class SchemaError extends Error {
  override readonly name = 'SchemaError'
}

/** A log line that is nested deeper than 128 levels cannot be read again. */
const MOST_LEVELS = 100

const TYPES = ['string', 'number', 'boolean', 'integer', 'object', 'array', 'null']

/**
 * The part of a JSON Schema that a request tells the model, in the form in which Codex sends it:
 * types are made out where they are missing, and what a tool's schema has no place for is left out.
 * Throws `SchemaError`.
 */
export function requestSchema(schema: Json): JsonObject {
  if (isDeeperThan(MOST_LEVELS, schema)) throw new SchemaError('nested too deeply')
  const sent = reduced(schema)
  if (sent.type === 'null') {
    throw new SchemaError('tool input schema must not be a singleton null type')
  }
  return sent
}

function reduced(schema: Json | undefined): JsonObject {
  if (typeof schema === 'boolean') return { type: 'string' }
  if (Array.isArray(schema)) {
    const length = `invalid length ${schema.length}`
    throw new SchemaError(`${length}, expected struct JsonSchema with 8 elements`)
  }
  if (!isObject(schema)) throw invalidType(schema, 'struct JsonSchema')
  const type = typeOf(schema)
  const { description, items, properties, required, additionalProperties, anyOf } = schema
  const choices = schema.enum ?? (schema.const === undefined ? undefined : [schema.const])
  const hasType = (name: string) => (Array.isArray(type) ? type.includes(name) : type === name)
  const sent: JsonObject = {
    type,
    description: isGiven(description) ? textOf(description) : undefined,
    enum: isGiven(choices) ? listOf(choices) : undefined,
    items: isGiven(items) ? reduced(items) : hasType('array') ? { type: 'string' } : undefined,
    properties: isGiven(properties) ? eachProperty(properties) : hasType('object') ? {} : undefined,
    required: isGiven(required) ? listOf(required).map(textOf) : undefined,
    additionalProperties: isGiven(additionalProperties)
      ? additional(additionalProperties)
      : undefined,
    anyOf: isGiven(anyOf) ? listOf(anyOf).map(reduced) : undefined,
  }
  return Object.fromEntries(Object.entries(sent).filter(([, value]) => value !== undefined))
}

/** The types that are named, or else what the rest of the schema speaks of. */
function typeOf(schema: JsonObject): Json | undefined {
  const { type } = schema
  if (typeof type === 'string' && TYPES.includes(type)) return type
  if (Array.isArray(type)) {
    const known = type.filter((each) => typeof each === 'string' && TYPES.includes(each))
    if (known.length > 0) return known.length === 1 ? known[0] : known
  }
  const has = (...names: string[]) => names.some((name) => schema[name] !== undefined)
  if (has('properties', 'required', 'additionalProperties')) return 'object'
  if (has('items', 'prefixItems')) return 'array'
  if (has('enum', 'const', 'format')) return 'string'
  if (has('minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf')) {
    return 'number'
  }
  return undefined
}

function eachProperty(value: Json): JsonObject {
  if (!isObject(value)) throw invalidType(value, 'a map')
  const names = Object.keys(value).sort()
  return Object.fromEntries(names.map((name) => [name, reduced(value[name])]))
}

function additional(value: Json): Json {
  if (typeof value === 'boolean') return value
  if (isObject(value)) return reduced(value)
  throw new SchemaError('data did not match any variant of untagged enum AdditionalProperties')
}

function listOf(value: Json): Json[] {
  if (Array.isArray(value)) return value
  throw invalidType(value, 'a sequence')
}

function textOf(value: Json): string {
  if (typeof value === 'string') return value
  throw invalidType(value, 'a string')
}

function isGiven(value: Json | undefined): value is Json {
  return value !== undefined && value !== null
}

function invalidType(value: Json | undefined, expected: string): SchemaError {
  return new SchemaError(`invalid type: ${describeJson(value ?? null)}, expected ${expected}`)
}
