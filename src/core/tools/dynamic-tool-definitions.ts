import { describeJson, isObject, type Json, type JsonObject, stringAt } from '../../base/index.ts'
import type { DynamicToolDefinition } from '../../protocol/index.ts'
import { requestSchema, SchemaError } from './dynamic-tool-schema.ts'

/** Tools that a client cannot bring along; the message says why, in Codex's words. */
export class DynamicToolError extends Error {
  override readonly name = 'DynamicToolError'
}

const NAME_MAX_CHARACTERS = 128
const NAMESPACE_MAX_CHARACTERS = 64
/** All definitions are part of every request, and of one line of the log. */
const MOST_TOOLS = 1000
const MOST_CHARACTERS = 4 * 1024 * 1024

/** Names that mean something else to the Responses API. */
const RESERVED_NAMESPACES: ReadonlySet<string> = new Set([
  'api_tool',
  'browser',
  'computer',
  'container',
  'file_search',
  'functions',
  'image_gen',
  'multi_tool_use',
  'python',
  'python_user_visible',
  'submodel_delegator',
  'terminal',
  'tool_search',
  'web',
])

/**
 * The `dynamicTools` of a client, checked; null and undefined are none. Also reads the older
 * `exposeToContext: false`, which means `deferLoading: true`. Throws `DynamicToolError`.
 */
export function parseDynamicTools(value: unknown): DynamicToolDefinition[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw malformed(value as Json, 'a sequence')
  if (value.length > MOST_TOOLS) {
    throw new DynamicToolError(`too many dynamic tools: at most ${MOST_TOOLS}`)
  }
  const tools = value.map((each: Json) => parseDefinition(each))
  const seen = new Set<string>()
  for (const tool of tools) check(tool, seen)
  if (JSON.stringify(tools).length > MOST_CHARACTERS) {
    throw new DynamicToolError(`dynamic tools are too large: at most ${MOST_CHARACTERS} characters`)
  }
  return tools
}

/** As a thread's header keeps them. */
export function storedDynamicTools(tools: readonly DynamicToolDefinition[]): JsonObject[] {
  return tools.map(({ namespace, name, description, inputSchema, deferLoading }) => ({
    ...(namespace === undefined ? {} : { namespace }),
    name,
    description,
    inputSchema,
    deferLoading,
  }))
}

/**
 * What a thread's header keeps. One that is damaged, or that no request could carry, is left out:
 * the thread is more than its tools.
 */
export function restoredDynamicTools(stored: readonly Json[] | undefined): DynamicToolDefinition[] {
  const seen = new Set<string>()
  return (stored ?? []).slice(0, MOST_TOOLS).flatMap((each) => {
    try {
      const tool = parseDefinition(each)
      check(tool, seen)
      return [tool]
    } catch (error) {
      if (error instanceof DynamicToolError) return []
      throw error
    }
  })
}

function parseDefinition(value: Json): DynamicToolDefinition {
  if (!isObject(value)) throw malformed(value, 'struct DynamicToolSpecDe')
  for (const [field, given] of Object.entries(value)) {
    const kind = KINDS.get(field)
    if (!kind || (kind.isOptional && given === null)) continue
    if (typeof given !== kind.type) throw malformed(given ?? null, `a ${kind.type}`)
  }
  for (const field of ['name', 'description', 'inputSchema']) {
    if (value[field] === undefined) {
      throw new DynamicToolError(`Invalid request: missing field \`${field}\``)
    }
  }
  const namespace = stringAt(value, 'namespace')
  const { deferLoading, exposeToContext } = value
  return {
    ...(namespace === undefined ? {} : { namespace }),
    name: stringAt(value, 'name') ?? '',
    description: stringAt(value, 'description') ?? '',
    inputSchema: value.inputSchema ?? null,
    deferLoading: (deferLoading ?? exposeToContext === false) === true,
  }
}

const KINDS = new Map([
  ['namespace', { type: 'string', isOptional: true }],
  ['name', { type: 'string', isOptional: false }],
  ['description', { type: 'string', isOptional: false }],
  ['deferLoading', { type: 'boolean', isOptional: true }],
  ['exposeToContext', { type: 'boolean', isOptional: true }],
])

function malformed(value: Json, expected: string): DynamicToolError {
  const given = describeJson(value)
  return new DynamicToolError(`Invalid request: invalid type: ${given}, expected ${expected}`)
}

/** `seen` holds the tools before it. */
function check(tool: DynamicToolDefinition, seen: Set<string>): void {
  const { namespace, name } = tool
  checkName(name)
  if (namespace !== undefined) checkNamespace(namespace, name)
  const key = JSON.stringify([namespace ?? null, name])
  if (seen.has(key)) {
    const where = namespace === undefined ? '' : ` in namespace ${namespace}`
    throw new DynamicToolError(`duplicate dynamic tool name${where}: ${name}`)
  }
  if (tool.deferLoading && namespace === undefined) {
    throw new DynamicToolError(`deferred dynamic tool must include a namespace: ${name}`)
  }
  checkSchema(tool)
  seen.add(key)
}

const RESPONSES_NAME = /^[a-zA-Z0-9_-]+$/
const TO_MATCH = 'to match Responses API'

function checkName(name: string): void {
  const what = 'dynamic tool name'
  if (name.trim() === '') throw new DynamicToolError(`${what} must not be empty`)
  if (name.trim() !== name) {
    throw new DynamicToolError(`${what} has leading/trailing whitespace: ${name}`)
  }
  checkCharacters(what, name, NAME_MAX_CHARACTERS)
  if (isMcpName(name)) throw new DynamicToolError(`${what} is reserved: ${name}`)
}

function checkNamespace(namespace: string, name: string): void {
  const what = 'dynamic tool namespace'
  const trimmed = namespace.trim()
  if (trimmed === '') throw new DynamicToolError(`${what} must not be empty for ${name}`)
  if (trimmed !== namespace) {
    const reason = `has leading/trailing whitespace for ${name}`
    throw new DynamicToolError(`${what} ${reason}: ${trimmed}`)
  }
  checkCharacters(what, namespace, NAMESPACE_MAX_CHARACTERS)
  if (isMcpName(namespace)) {
    throw new DynamicToolError(`${what} is reserved for ${name}: ${namespace}`)
  }
  if (RESERVED_NAMESPACES.has(namespace)) {
    const reason = `collides with a reserved Responses API namespace for ${name}`
    throw new DynamicToolError(`${what} ${reason}: ${namespace}`)
  }
}

function checkCharacters(what: string, name: string, most: number): void {
  if (!RESPONSES_NAME.test(name)) {
    const shown = escaped(name)
    throw new DynamicToolError(`${what} must match ${RESPONSES_NAME.source} ${TO_MATCH}: ${shown}`)
  }
  if (name.length > most) {
    throw new DynamicToolError(`${what} must be at most ${most} characters ${TO_MATCH}: ${name}`)
  }
}

/** What is not plain ASCII, as Rust escapes it. */
function escaped(name: string): string {
  return name.replace(/[^ -~]/gu, (char) => `\\u{${char.codePointAt(0)?.toString(16)}}`)
}

function isMcpName(name: string): boolean {
  return name === 'mcp' || name.startsWith('mcp__')
}

function checkSchema({ name, inputSchema }: DynamicToolDefinition): void {
  try {
    requestSchema(inputSchema)
  } catch (error) {
    if (!(error instanceof SchemaError)) throw error
    const what = 'dynamic tool input schema is not supported'
    throw new DynamicToolError(`${what} for ${name}: ${error.message}`)
  }
}
