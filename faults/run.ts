/**
 * `npm run faults [-- --short] [--seed N] [--only PART] [--step N] [--json] [--built] [--times X]
 * [--jobs N]`: tries all classes of faults, says of each how many were tried, survived and lost
 * something, and exits with 1 when any did.
 */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { errorText } from '../src/base/index.ts'
import { buildPackage } from '../test/package/built-package.ts'
import { CLASSES } from './classes.ts'
import { Lab } from './lab.ts'
import { table, troubleText } from './report.ts'
import { runSuite, type Verdict } from './suite.ts'

/** Troubles of a class that are told in words. */
const SHOWN = 3

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    only: { type: 'string', default: '' },
    step: { type: 'string' },
    times: { type: 'string', default: '1' },
    jobs: { type: 'string', default: '2' },
    short: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    built: { type: 'boolean', default: false },
  },
})
const wanted = CLASSES.filter(({ name }) => name.includes(values.only))
if (wanted.length > 0) {
  process.exitCode = values.built ? await runBuilt() : await run(new Lab())
} else {
  const names = CLASSES.map(({ name }) => name).join('\n')
  process.stderr.write(`no class is named like that; there are:\n${names}\n`)
  process.exitCode = 2
}

/** On the package as it is published, built for this run. */
async function runBuilt(): Promise<number> {
  const folder = await buildPackage()
  try {
    return await run(new Lab({ bin: join(folder, 'bin', 'bobbin.cjs') }))
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** The exit code. */
async function run(lab: Lab): Promise<number> {
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31))
  process.stderr.write(`seed ${seed}\n`)
  const verdicts: Verdict[] = []
  const options = {
    seed,
    isShort: values.short,
    times: Number(values.times),
    jobs: Number(values.jobs),
    lab,
    ...(values.step === undefined ? {} : { step: Number(values.step) }),
  }
  for await (const verdict of runSuite(wanted, options)) {
    verdicts.push(verdict)
    if (values.json) process.stdout.write(`${JSON.stringify({ seed, ...verdict })}\n`)
    else process.stderr.write(`${verdict.name}: ${verdict.survived} of ${verdict.tried}\n`)
    if (verdict.skipped !== undefined) process.stderr.write(`skipped: ${verdict.skipped}\n`)
    const { troubles } = verdict
    for (const trouble of troubles.slice(0, SHOWN)) process.stderr.write(troubleText(trouble, seed))
    if (troubles.length > SHOWN) process.stderr.write(`and ${troubles.length - SHOWN} more\n`)
  }
  if (!values.json) process.stdout.write(table(verdicts))
  return verdicts.some(({ troubles }) => troubles.length > 0) ? 1 : 0
}

// What a fault leaves behind that nobody waits for is no reason to end, but is told.
process.on('unhandledRejection', (error) => {
  process.stderr.write(`nobody waited for this: ${errorText(error)}\n`)
})
