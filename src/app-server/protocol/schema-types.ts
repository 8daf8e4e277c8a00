import { isObject, type Json, type JsonObject, objectAt, stringAt } from '../../base/index.ts'

/**
 * A schema as TypeScript: a type for each of its definitions, and one for the whole, which its
 * title names.
 */
export function schemaTypes(schema: JsonObject): string {
  const definitions = Object.entries(objectAt(schema, 'definitions') ?? {})
  const types = definitions.map(([name, each]) => `export type ${name} = ${typeOf(each, '')}\n`)
  return `${types.join('\n')}\nexport type ${stringAt(schema, 'title')} =${wholeOf(schema)}`
}

function wholeOf(schema: JsonObject): string {
  const branches = [...listAt(schema, 'oneOf'), ...listAt(schema, 'anyOf')]
  if (branches.length === 0) return ` ${typeOf(schema, '')}\n`
  return `\n${branches.map((branch) => `  | ${typeOf(branch, '    ')}\n`).join('')}`
}

/** `indent` is that of the line on which the type begins. */
function typeOf(schema: Json | undefined, indent: string): string {
  if (!isObject(schema)) return 'unknown'
  const ref = stringAt(schema, '$ref')
  if (ref !== undefined) return ref.slice(ref.lastIndexOf('/') + 1)
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  const { type } = schema
  const values = listAt(schema, 'enum')
  if (values.length > 0) return values.map((value) => JSON.stringify(value)).join(' | ')
  const options = [...listAt(schema, 'anyOf'), ...listAt(schema, 'oneOf')]
  if (options.length > 0) return unionOf(options.map((option) => typeOf(option, indent)))
  if (Array.isArray(type))
    return unionOf(type.map((each) => typeOf({ ...schema, type: each }, indent)))
  if (type === 'array') return `Array<${typeOf(schema.items, indent)}>`
  if (type === 'object') return objectType(schema, indent)
  if (type === 'integer') return 'number'
  return typeof type === 'string' ? type : 'unknown'
}

function objectType(schema: JsonObject, indent: string): string {
  const members = Object.entries(objectAt(schema, 'properties') ?? {})
  const required = listAt(schema, 'required')
  const inner = `${indent}  `
  const lines = members.map(([name, member]) => {
    const mark = required.includes(name) ? '' : '?'
    const key = /^[\w$]+$/.test(name) ? name : JSON.stringify(name)
    return `${inner}${key}${mark}: ${typeOf(member, inner)}\n`
  })
  const rest = schema.additionalProperties
  if (members.length === 0 && isObject(rest)) return `Record<string, ${typeOf(rest, indent)}>`
  return members.length === 0 ? 'Record<string, never>' : `{\n${lines.join('')}${indent}}`
}

function unionOf(types: readonly string[]): string {
  return [...new Set(types)].join(' | ')
}

function listAt(schema: JsonObject, key: string): readonly Json[] {
  const value = schema[key]
  return Array.isArray(value) ? value : []
}
