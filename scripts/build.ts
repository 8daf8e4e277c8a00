/**
 * Builds `dist/`, or the folder named: plain `tsc`, and the SQL that the state layer reads beside
 * its modules.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'

const root = join(import.meta.dirname, '..')
const target = resolve(process.argv[2] ?? join(root, 'dist'))
const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
const project = join(root, 'tsconfig.build.json')

rmSync(target, { recursive: true, force: true })
execFileSync(process.execPath, [tsc, '-p', project, '--outDir', target], { stdio: 'inherit' })
const migrations = join('state', 'migrations')
cpSync(join(root, 'src', migrations), join(target, migrations), { recursive: true })
