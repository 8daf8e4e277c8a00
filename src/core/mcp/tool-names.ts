import { createHash } from 'node:crypto'

/** Most characters that the Responses API takes for a namespace and a name together. */
const MOST_CHARACTERS = 64
const HASH_CHARACTERS = 12
const SUFFIX_CHARACTERS = HASH_CHARACTERS + 1

/** Names that the model uses for a tool. */
export interface CallableName {
  readonly namespace: string
  readonly name: string
}

/** A tool by the names that its server and the configuration give it. */
export interface RawName {
  readonly server: string
  readonly tool: string
}

/**
 * Callable names, in the order of `tools`, no two of which are the same. What a name may not hold
 * becomes `_`; where that makes two names one, and where a name is too long, a hash of the raw
 * names tells them apart. The same tools get the same names in every session. Observed: codex
 * 0.133.0.
 */
export function callableNames(tools: readonly RawName[]): CallableName[] {
  const namespaces = callableNamespaces(new Set(tools.map(({ server }) => server)))
  const plain = tools.map(({ server, tool }) => ({
    namespace: namespaces.get(server) ?? '',
    name: sanitized(tool),
  }))
  const uses = new Map<string, number>()
  for (const each of plain) uses.set(keyOf(each), (uses.get(keyOf(each)) ?? 0) + 1)
  return tools.map((raw, index) => {
    const name = plain[index] ?? { namespace: '', name: '' }
    const isTaken = (uses.get(keyOf(name)) ?? 0) > 1
    const isLong = name.namespace.length + name.name.length > MOST_CHARACTERS
    return isTaken || isLong ? hashed(name, toolHash(raw)) : name
  })
}

/** Servers whose names come out the same must not end up in one group. */
function callableNamespaces(servers: ReadonlySet<string>): Map<string, string> {
  const plain = [...servers].map((server) => `mcp__${sanitized(server)}__`)
  return new Map(
    [...servers].map((server, index): [string, string] => {
      const namespace = plain[index] ?? ''
      const isTaken = plain.indexOf(namespace) !== plain.lastIndexOf(namespace)
      const hash = sha1(`${server}\0${rawNamespace(server)}\0`)
      return [server, isTaken ? `mcp__${sanitized(server)}_${hash}__` : namespace]
    }),
  )
}

function hashed({ namespace, name }: CallableName, hash: string): CallableName {
  const group = namespace.slice(0, MOST_CHARACTERS - SUFFIX_CHARACTERS)
  const room = MOST_CHARACTERS - SUFFIX_CHARACTERS - group.length
  return { namespace: group, name: `${name.slice(0, room)}_${hash}` }
}

function toolHash({ server, tool }: RawName): string {
  return sha1([server, rawNamespace(server), '', tool, tool].join('\0'))
}

function rawNamespace(server: string): string {
  return `mcp__${server}__`
}

function sha1(text: string): string {
  return createHash('sha1').update(text).digest('hex').slice(0, HASH_CHARACTERS)
}

function sanitized(name: string): string {
  return name.replace(/[^A-Za-z0-9_]/gu, '_') || '_'
}

function keyOf({ namespace, name }: CallableName): string {
  return `${namespace}\0${name}`
}
