/**
 * Builds `dist/`, or the folder named: plain `tsc` for those who import, and in `bin` the command
 * as few files, with the packages that it needs, which start in a third of the time. The SQL that
 * the state layer reads lies beside both. Why: `docs/decisions/0016-what-a-start-loads.md`.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { rolldown } from 'rolldown'
import { builtins } from './builtins.ts'
import { doors } from './doors.ts'
import { Stages } from './stages.ts'

const root = join(import.meta.dirname, '..')
const source = join(root, 'src')
const target = resolve(process.argv[2] ?? join(root, 'dist'))
const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
const project = join(root, 'tsconfig.build.json')

/** Native, optional or needed by few: loaded from `node_modules` when they are asked for. */
const NOT_BUNDLED = /^(koffi|@lydell\/node-pty|@modelcontextprotocol\/client)(\/|$)/

/** What an app server loads before it answers its handshake, and what behind it. */
const STAGES = [
  { name: 'start', files: ['cli/main.ts', 'cli/commands/app-server.ts'] },
  { name: 'serve', files: ['app-server/thread-server.ts', 'cli/compose.ts', 'state/index.ts'] },
]

/** The licences of what was taken in, as they ask for. */
function licences(inputs: readonly string[]): string {
  const found = inputs.map((path) => /^.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path))
  const folders = new Map(found.flatMap((match) => (match ? [[match[1], match[0]]] : [])))
  return [...folders]
    .sort()
    .map(([name, folder]) => {
      const path = ['LICENSE', 'LICENSE.md', 'license'].map((file) => resolve(root, folder, file))
      const text = path.find((each) => existsSync(each))
      if (!text) throw new Error(`${name} has no licence that could be passed on`)
      return `# ${name}\n\n${readFileSync(text, 'utf8')}`
    })
    .join('\n\n')
}

async function bundle(): Promise<string[]> {
  const stages = new Stages(
    STAGES.map(({ name, files }) => ({ name, entries: files.map((file) => join(source, file)) })),
  )
  await using bundler = await rolldown({
    input: { main: join(source, 'cli', 'main.ts') },
    cwd: root,
    platform: 'node',
    external: NOT_BUNDLED,
    plugins: [builtins, doors(source), stages.plugin()],
    preserveEntrySignatures: 'allow-extension',
    logLevel: 'warn',
    checks: { ineffectiveDynamicImport: false },
  })
  const { output } = await bundler.write({
    dir: join(target, 'bin'),
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
    codeSplitting: {
      includeDependenciesRecursively: false,
      groups: [{ name: stages.nameOf, debugName: 'stages' }],
    },
    banner: "const require = process.getBuiltinModule('module').createRequire(import.meta.url)",
  })
  return output.flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []))
}

rmSync(target, { recursive: true, force: true })
execFileSync(process.execPath, [tsc, '-p', project, '--outDir', target], { stdio: 'inherit' })
writeFileSync(join(target, 'bin', 'LICENSES'), licences(await bundle()))
for (const beside of ['state', 'bin']) {
  const migrations = join(target, beside, 'migrations')
  cpSync(join(source, 'state', 'migrations'), migrations, { recursive: true })
}
