/**
 * `npm run conformance`: installs what the suite compares with, then runs it. Arguments name test
 * files (or any part of their names) to run instead of all. The exit code is that of the tests.
 * What the tests have compared, method by method, has to be what `methods/compared-methods.json`
 * and so `docs/parity.md` say of these files; `--write-parity` writes both behind a run that
 * passes.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'

import { InstallError, installPrograms, type Programs } from './install.ts'
import { type Records, readRecords, recordInto } from './methods/record.ts'
import { committedRecords, RECORDS_FILE } from './methods/table.ts'
import { PARITY_FILE, renderParity } from './session/parity.ts'

/** A test that hangs fails by this; a file whose tests left something open is ended by force. */
const TEST_LIMIT_MS = 180_000
const PARITY_TEST = 'parity.test.ts'
const WRITE_PARITY = '--write-parity'

async function main(args: readonly string[]): Promise<number> {
  const parts = args.filter((arg) => arg !== WRITE_PARITY)
  const programs = await installPrograms()
  const found = await readdir(import.meta.dirname, { recursive: true })
  const names = found.filter((name) => name.endsWith('.test.ts')).sort()
  const isWriting = parts.length < args.length
  // It would read what is to be written.
  const tested = names.filter((name) => !isWriting || !name.endsWith(PARITY_TEST))
  const chosen = tested.filter(
    (name) => parts.length === 0 || parts.some((part) => name.includes(part)),
  )
  const folder = await mkdtemp(join(tmpdir(), 'bobbin-compared-'))
  try {
    const code = await runTests(chosen, { ...programs, folder })
    if (code !== 0) return code
    return await checkRecords(chosen, readRecords(folder), isWriting)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function runTests(
  chosen: readonly string[],
  programs: Programs & { readonly folder: string },
): Promise<number> {
  const files = chosen.map((name) => join(import.meta.dirname, name))
  const limits = [`--test-timeout=${TEST_LIMIT_MS}`, '--test-force-exit']
  const flags = ['--test', '--test-concurrency=2', ...limits]
  const child = spawn(process.execPath, [...flags, ...files], {
    stdio: 'inherit',
    env: {
      ...process.env,
      ...recordInto(programs.folder),
      BOBBIN_CODEX_133: programs.codex133,
      BOBBIN_CODEX_169: programs.codex169,
      BOBBIN_CODEX_SDK: programs.sdk,
    },
  })
  const [code] = (await once(child, 'close')) as [number | null]
  return code ?? 1
}

/** Of the files that have run; what others have noted stays. */
async function checkRecords(
  chosen: readonly string[],
  noted: Records,
  isWriting: boolean,
): Promise<number> {
  const former = committedRecords()
  const names = chosen.map((name) => name.replaceAll('\\', '/'))
  const others = Object.entries(former).filter(([file]) => !names.includes(file))
  const all = [...others, ...Object.entries(noted)].sort(([a], [b]) => (a < b ? -1 : 1))
  const records: Records = Object.fromEntries(all)
  if (isWriting) {
    await writeFile(RECORDS_FILE, `${JSON.stringify(records, null, 2)}\n`)
    await writeFile(PARITY_FILE, renderParity(records))
    return 0
  }
  if (isDeepStrictEqual(records, former)) return 0
  const stale = names.filter((file) => !isDeepStrictEqual(former[file], noted[file]))
  const what = `${RECORDS_FILE} is not what ${stale.join(', ')} compared`
  process.stderr.write(`${what}; --write-parity writes it\n`)
  return 1
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof InstallError)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
}
