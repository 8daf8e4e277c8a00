/**
 * `npm run conformance`: installs what the suite compares with, then runs it. Arguments name test
 * files (or any part of their names) to run instead of all. The exit code is that of the tests.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'

import { InstallError, installPrograms } from './install.ts'

/** A test that hangs fails by this; a file whose tests left something open is ended by force. */
const TEST_LIMIT_MS = 180_000

async function main(parts: readonly string[]): Promise<number> {
  const programs = await installPrograms()
  const names = (await readdir(import.meta.dirname)).filter((name) => name.endsWith('.test.ts'))
  const chosen = names.filter(
    (name) => parts.length === 0 || parts.some((part) => name.includes(part)),
  )
  const files = chosen.map((name) => join(import.meta.dirname, name))
  const limits = [`--test-timeout=${TEST_LIMIT_MS}`, '--test-force-exit']
  const flags = ['--test', '--test-concurrency=2', ...limits]
  const child = spawn(process.execPath, [...flags, ...files], {
    stdio: 'inherit',
    env: {
      ...process.env,
      BOBBIN_CODEX_133: programs.codex133,
      BOBBIN_CODEX_169: programs.codex169,
      BOBBIN_CODEX_SDK: programs.sdk,
    },
  })
  const [code] = (await once(child, 'close')) as [number | null]
  return code ?? 1
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof InstallError)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
}
