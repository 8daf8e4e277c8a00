/**
 * Builds `dist/`, or the folder named: plain `tsc` for those who import, and in `bin` the command
 * as few files, which start in half the time. The SQL that the state layer reads lies beside both.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { build } from 'esbuild'

const root = join(import.meta.dirname, '..')
const target = resolve(process.argv[2] ?? join(root, 'dist'))
const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
const project = join(root, 'tsconfig.build.json')

rmSync(target, { recursive: true, force: true })
execFileSync(process.execPath, [tsc, '-p', project, '--outDir', target], { stdio: 'inherit' })
await build({
  entryPoints: [join(root, 'src', 'cli', 'main.ts')],
  outdir: join(target, 'bin'),
  bundle: true,
  splitting: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  packages: 'external',
  logLevel: 'warning',
})
for (const beside of ['state', 'bin']) {
  const migrations = join(target, beside, 'migrations')
  cpSync(join(root, 'src', 'state', 'migrations'), migrations, { recursive: true })
}
