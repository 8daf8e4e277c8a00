/**
 * `npm run bench [-- --quick] [-- --only <part of a row's name>] [-- --picture <file.svg>]`: Bobbin
 * and real Codex side by side. A JSON line for each row as soon as it is measured, then the table.
 */
import { writeFileSync } from 'node:fs'
import { cpus, platform } from 'node:os'
import { parseArgs } from 'node:util'
import { appendSection } from './appends.ts'
import { coldStartSection } from './cold-start.ts'
import { firstListSection } from './first-list.ts'
import { machineSection } from './machine.ts'
import { manyTurnsSection } from './many-turns.ts'
import type { Result, Section } from './measure.ts'
import { picture } from './picture.ts'
import { jsonLine, table } from './report.ts'
import { rivalSection } from './rivals/index.ts'
import { threadChangeSection } from './thread-changes.ts'
import { threadReadSection } from './thread-reads.ts'
import { threadUpdateSection } from './thread-updates.ts'
import { turnSection } from './turn-rows.ts'
import { warmListSection } from './warm-lists.ts'

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    picture: { type: 'string' },
  },
})
const sections = sectionsOf(values.quick)
const names = sections.flatMap((section) => section.rowNames)
const isWanted = (name: string) => name.includes(values.only)
if (names.some(isWanted)) {
  const results = await measureAll()
  process.stdout.write(table(results))
  if (values.picture) writeFileSync(values.picture, picture(results, titleOf(new Date())))
} else {
  process.stderr.write(`no row is named like that; there are:\n${names.join('\n')}\n`)
  process.exitCode = 2
}

function titleOf(date: Date): string {
  const [cpu] = cpus()
  const machine = `${cpus().length} cores of ${cpu?.model}, ${platform()}, Node ${process.version}`
  return `Bobbin's share of what Codex takes (${date.toISOString().slice(0, 10)}; ${machine})`
}

function sectionsOf(isQuick: boolean): Section[] {
  const bigHome = { threads: isQuick ? 500 : 10_000, turns: 20 }
  const manyTurns = isQuick
    ? { turns: 2, crowds: 1, single: 2, idleThreads: 20, idleWarmUp: 10, idleSamples: 1 }
    : { turns: 20, crowds: 3, single: 12, idleThreads: 300, idleWarmUp: 50, idleSamples: 3 }
  const sizes = isQuick ? [2, 10] : [2, 20, 200]
  const count = isQuick ? 4 : 20
  const homeSizes = isQuick ? [0, 500] : [0, 1_000, 10_000]
  const coldStarts = homeSizes.map((threads) => {
    return coldStartSection({ threads, turns: 20 }, isQuick ? 5 : 20)
  })
  const threadSections = sizes.flatMap((megabytes) => {
    return [
      threadReadSection({ megabytes, isCompacted: false }, count),
      threadReadSection({ megabytes, isCompacted: true }, count),
      threadChangeSection({ megabytes, isCompacted: false }, count),
    ]
  })
  return [
    turnSection(isQuick ? 40 : 200),
    manyTurnsSection(manyTurns),
    firstListSection(bigHome, 1),
    warmListSection(bigHome, isQuick ? 10 : 50),
    threadUpdateSection(bigHome, isQuick ? 5 : 20),
    ...coldStarts,
    ...threadSections,
    appendSection(isQuick ? 50 : 300),
    machineSection(isQuick ? 20 : 100),
    rivalSection(isQuick ? 1_000 : 10_000, isQuick ? 5 : 20),
  ]
}

async function measureAll(): Promise<Result[]> {
  const results: Result[] = []
  for (const section of sections) {
    for await (const result of section.measure(isWanted)) {
      results.push(result)
      process.stdout.write(jsonLine(result))
    }
  }
  return results
}
