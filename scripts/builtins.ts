import { isBuiltin } from 'node:module'
import type { Plugin } from 'rolldown'

const PREFIX = '\0builtin:'

/** They take milliseconds to load: their functions do so when they are called. */
const SLOW: readonly string[] = [
  'node:child_process',
  'node:crypto',
  'node:fs/promises',
  'node:timers/promises',
  'node:zlib',
]

/**
 * What is imported of Node's own modules, and nothing else: `import` of one reads everything that
 * it exports, and what `node:http` exports besides is the whole of `fetch`.
 */
export const builtins: Plugin = {
  name: 'builtins',
  resolveId(source, _importer, { kind }) {
    if (kind !== 'import-statement' || !isBuiltin(source)) return null
    return { id: PREFIX + source, moduleSideEffects: false }
  },
  load(id) {
    return id.startsWith(PREFIX) ? { code: membersOf(id.slice(PREFIX.length)) } : null
  },
}

function membersOf(name: string): string {
  const found: unknown = process.getBuiltinModule(name)
  if (found === null || found === undefined) throw new Error(`Node has no module ${name}`)
  const members = Object.entries(found).filter(([member]) => /^[A-Za-z_]\w*$/.test(member))
  const isSlow = SLOW.includes(name)
  const exported = members.map(([member, value]) => {
    const isLate = isSlow && typeof value === 'function' && !/^[A-Z]/.test(member)
    return `const _${member} = /* @__PURE__ */ ${isLate ? 'late' : 'member'}('${member}')`
  })
  return [
    `const load = () => process.getBuiltinModule(${JSON.stringify(name)})`,
    'const member = (name) => load()[name]',
    LATE,
    'const lateModule = () => new Proxy({}, { get: (_, name) => load()[name] })',
    `export default /* @__PURE__ */ ${isSlow ? 'lateModule' : 'load'}()`,
    ...exported,
    `export { ${members.map(([member]) => `_${member} as ${member}`).join(', ')} }`,
  ].join('\n')
}

/** Some have a second form, for `promisify`. */
const LATE = `const late = (name) => {
  const custom = Symbol.for('nodejs.util.promisify.custom')
  const call = (...given) => load()[name](...given)
  return Object.defineProperty(call, custom, { get: () => load()[name][custom] })
}`
