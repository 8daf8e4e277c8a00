/**
 * Brings the programs the suite compares with: real Codex in two versions and the real SDK, from
 * npm, into the git-ignored `.conformance/`. Nothing is done when all three are there already.
 */
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'

import { isObject, type JsonObject, stringAt } from '../../src/base/index.ts'
import { runChild } from './child.ts'

export interface Programs {
  /** Native binary of 0.133.0. */
  readonly codex133: string
  /** Native binary of 0.169.0. */
  readonly codex169: string
  /** Module file of the TypeScript SDK. */
  readonly sdk: string
}

/** A failure to tell in one line: no stack helps. */
export class InstallError extends Error {}

const DEPENDENCIES = {
  '@openai/codex': '0.133.0',
  'codex-next': 'npm:@openai/codex@0.169.0',
  '@openai/codex-sdk': '0.163.0',
}
const INSTALL_LIMIT_MS = 600_000

export const conformanceFolder = join(import.meta.dirname, '..', '..', '.conformance')

/** The paths of the programs, installing them first when needed. */
export async function installPrograms(folder = conformanceFolder): Promise<Programs> {
  const present = await findPrograms(folder)
  if (present) return present
  await installPackages(folder, DEPENDENCIES)
  const installed = await findPrograms(folder)
  if (installed) return installed
  const platform = `${process.platform}-${process.arch}`
  throw new InstallError(`conformance: npm installed no Codex binary for ${platform} in ${folder}`)
}

/**
 * Has npm fill the folder with these packages; `overrides` are versions of what they need in turn.
 * Throws `InstallError`.
 */
export async function installPackages(
  folder: string,
  dependencies: { readonly [name: string]: string },
  overrides: { readonly [name: string]: string } = {},
): Promise<void> {
  await mkdir(folder, { recursive: true })
  const manifest = { name: basename(folder).replace('.', ''), private: true }
  const wanted = { ...manifest, dependencies, overrides }
  await writeFile(join(folder, 'package.json'), `${JSON.stringify(wanted, null, 2)}\n`)
  await runNpmInstall(folder)
}

/** Whether the folder was filled with just these packages. */
export async function hasPackages(
  folder: string,
  dependencies: { readonly [name: string]: string },
): Promise<boolean> {
  const manifest = await readJson(join(folder, 'package.json'))
  if (JSON.stringify(manifest?.dependencies) !== JSON.stringify(dependencies)) return false
  return Object.keys(dependencies).every((name) => existsSync(join(folder, 'node_modules', name)))
}

async function runNpmInstall(folder: string): Promise<void> {
  const flags = [
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    '--fetch-retries=1',
    '--fetch-retry-mintimeout=1000',
  ]
  const options = { cwd: folder, env: inheritedEnv(), limitMs: INSTALL_LIMIT_MS }
  const result = await runChild('npm', ['install', ...flags], options).catch((error: unknown) => {
    throw new InstallError(`npm install did not run: ${firstLine(String(error))}`)
  })
  if (result.code === 0) return
  const said = result.stderr.split('\n').filter((line) => /^npm (error|ERR!)/.test(line))
  const reason = said.find((line) => !/ code | errno | syscall /.test(line)) ?? result.stderr
  const failure = 'could not install packages from the npm registry; is it reachable?'
  throw new InstallError(`${basename(folder)}: ${failure} ${firstLine(reason)}`)
}

/** npm needs the user's own settings: registry, proxy, cache. */
function inheritedEnv(): { [name: string]: string } {
  const known = Object.entries(process.env).filter((entry) => entry[1] !== undefined)
  return Object.fromEntries(known) as { [name: string]: string }
}

function firstLine(text: string): string {
  return text.trim().split('\n', 1)[0] ?? ''
}

async function findPrograms(folder: string): Promise<Programs | undefined> {
  if (!(await hasPackages(folder, DEPENDENCIES))) return undefined
  const modules = join(folder, 'node_modules')
  const codex133 = await findBinary(join(modules, '@openai', 'codex'), '0.133.0')
  const codex169 = await findBinary(join(modules, 'codex-next'), '0.169.0')
  const sdk = join(modules, '@openai', 'codex-sdk', 'dist', 'index.js')
  if (!codex133 || !codex169 || !existsSync(sdk)) return undefined
  return { codex133, codex169, sdk }
}

/**
 * The native program behind a Codex package: `vendor/<target>/bin/codex` of the platform package
 * that this package resolves to. The package itself holds a Node wrapper only.
 */
async function findBinary(codexPackage: string, version: string): Promise<string | undefined> {
  const platform = `@openai/codex-${process.platform}-${process.arch}`
  const require = createRequire(join(codexPackage, 'package.json'))
  const folders = require.resolve.paths(platform) ?? []
  const manifestPath = folders
    .map((folder) => join(folder, platform, 'package.json'))
    .find((path) => existsSync(path))
  if (manifestPath === undefined) return undefined
  const manifest = await readJson(manifestPath)
  if (!manifest || !stringAt(manifest, 'version')?.startsWith(`${version}-`)) return undefined
  const vendor = join(dirname(manifestPath), 'vendor')
  const program = process.platform === 'win32' ? 'codex.exe' : 'codex'
  const targets = await readdir(vendor).catch(() => [])
  return targets
    .flatMap((target) => ['bin', 'codex'].map((folder) => join(vendor, target, folder, program)))
    .find((path) => existsSync(path))
}

async function readJson(path: string): Promise<JsonObject | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'))
    return isObject(value) ? value : undefined
  } catch {
    return undefined // Missing or broken: the install is not complete.
  }
}
