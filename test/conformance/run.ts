/**
 * `npm run conformance`: installs what the suite compares with, then runs it. Arguments name test
 * files (or any part of their names) to run instead of all. The exit code is that of the tests.
 * `--write-parity` writes `docs/parity.md` first, from the scripts that the run then proves.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { InstallError, installPrograms } from './install.ts'
import { PARITY_FILE, renderParity } from './session/parity.ts'

/** A test that hangs fails by this; a file whose tests left something open is ended by force. */
const TEST_LIMIT_MS = 180_000
const WRITE_PARITY = '--write-parity'

async function main(args: readonly string[]): Promise<number> {
  const parts = args.filter((arg) => arg !== WRITE_PARITY)
  if (parts.length < args.length) await writeFile(PARITY_FILE, renderParity())
  const programs = await installPrograms()
  const found = await readdir(import.meta.dirname, { recursive: true })
  const names = found.filter((name) => name.endsWith('.test.ts')).sort()
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
