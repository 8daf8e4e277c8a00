/**
 * The child of `kill-writer.test.ts`: appends numbered items to a rollout until it is killed, and
 * prints each number once its append has returned. Arguments: path, first number, level.
 */
import { writeSync } from 'node:fs'
import { nodeFileSystem, systemClock } from '../../src/base/index.ts'
import { userText } from '../../src/protocol/index.ts'
import { DURABILITY_LEVELS, RolloutWriter } from '../../src/rollout/index.ts'
import { header, item, threadIdOf } from '../support/thread-log.ts'

const [path = '', first = '0', level] = process.argv.slice(2)
const options = {
  path,
  files: nodeFileSystem,
  clock: systemClock,
  durability: DURABILITY_LEVELS.find((each) => each === level) ?? 'turn',
  onNotice: () => undefined,
}
const writer =
  first === '0'
    ? RolloutWriter.create(options, async () => header(threadIdOf(1)))
    : await RolloutWriter.resume(options)
// Long enough that a kill can come in the middle of a write.
const filler = '€'.repeat(30_000)
for (let n = Number(first); ; n += 2) {
  await Promise.all([
    writer.append([item(userText(`${n} ${filler}`))]).then(() => print(n)),
    writer.append([item(userText(`${n + 1}`))]).then(() => print(n + 1)),
  ])
}

function print(n: number): void {
  writeSync(1, `${n}\n`)
}
