/**
 * Builds `dist/`, or the folder named: plain `tsc` for those who import, and in `bin` the command
 * as few files, with the packages that it needs, which start in a third of the time. The SQL that
 * the state layer reads lies beside both.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join, resolve } from 'node:path'
import { build, type Plugin } from 'esbuild'

const root = join(import.meta.dirname, '..')
const target = resolve(process.argv[2] ?? join(root, 'dist'))
const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
const project = join(root, 'tsconfig.build.json')

/** Native, optional or needed by few: loaded from `node_modules` when they are asked for. */
const NOT_BUNDLED = ['better-sqlite3', 'koffi', '@lydell/node-pty', '@modelcontextprotocol/client']

/**
 * What is imported of Node's own modules, and nothing else: `import` of one reads everything that
 * it exports, and what `node:http` exports besides is the whole of `fetch`.
 */
const builtins: Plugin = {
  name: 'builtins',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /./ }, ({ path, kind }) => {
      if (kind !== 'import-statement' || !isBuiltin(path)) return undefined
      return { path, namespace: 'builtin', sideEffects: false }
    })
    onLoad({ filter: /./, namespace: 'builtin' }, ({ path }) => ({ contents: membersOf(path) }))
  },
}

/** They take milliseconds to load: their functions do so when they are called. */
const SLOW = ['node:child_process', 'node:crypto', 'node:fs/promises', 'node:zlib']

function membersOf(name: string): string {
  const found: unknown = process.getBuiltinModule(name)
  if (found === null || found === undefined) throw new Error(`Node has no module ${name}`)
  const members = Object.entries(found).filter(([member]) => /^[A-Za-z_]\w*$/.test(member))
  const exported = members.map(([member, value]) => {
    const isLate = SLOW.includes(name) && isPlainFunction(member, value)
    return `const _${member} = /* @__PURE__ */ ${isLate ? 'late' : 'member'}('${member}')`
  })
  return [
    `const load = () => process.getBuiltinModule(${JSON.stringify(name)})`,
    'const member = (name) => load()[name]',
    'const late = (name) => (...given) => load()[name](...given)',
    'const lateModule = () => new Proxy({}, { get: (_, name) => load()[name] })',
    `export default /* @__PURE__ */ ${SLOW.includes(name) ? 'lateModule' : 'load'}()`,
    ...exported,
    `export { ${members.map(([member]) => `_${member} as ${member}`).join(', ')} }`,
  ].join('\n')
}

/** Nothing is asked of it but to be called: it is no class, and `promisify` knows no other form. */
function isPlainFunction(name: string, value: unknown): boolean {
  if (typeof value !== 'function' || /^[A-Z]/.test(name)) return false
  return Object.getOwnPropertySymbols(value).length === 0
}

/** The licences of what was taken in, as they ask for. */
function licences(inputs: readonly string[]): string {
  const found = inputs.map((path) => /^.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path))
  const folders = new Map(found.flatMap((match) => (match ? [[match[1], match[0]]] : [])))
  return [...folders]
    .sort()
    .map(([name, folder]) => {
      const path = ['LICENSE', 'LICENSE.md', 'license'].map((file) => join(root, folder, file))
      const text = path.find((each) => existsSync(each))
      if (!text) throw new Error(`${name} has no licence that could be passed on`)
      return `# ${name}\n\n${readFileSync(text, 'utf8')}`
    })
    .join('\n\n')
}

rmSync(target, { recursive: true, force: true })
execFileSync(process.execPath, [tsc, '-p', project, '--outDir', target], { stdio: 'inherit' })
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: [join(root, 'src', 'cli', 'main.ts')],
  outdir: join(target, 'bin'),
  bundle: true,
  splitting: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  external: NOT_BUNDLED,
  plugins: [builtins],
  banner: {
    js: "const require = process.getBuiltinModule('module').createRequire(import.meta.url)",
  },
  metafile: true,
  logLevel: 'warning',
})
writeFileSync(join(target, 'bin', 'LICENSES'), licences(Object.keys(metafile.inputs)))
for (const beside of ['state', 'bin']) {
  const migrations = join(target, beside, 'migrations')
  cpSync(join(root, 'src', 'state', 'migrations'), migrations, { recursive: true })
}
