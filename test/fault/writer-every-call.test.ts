/**
 * A fault at every single file system call of a script of appends, flushes and a close, and at
 * pairs and rows of calls: once there is room again and all was flushed, the file holds every item
 * exactly once, in order, and every line of it can be read.
 */
import assert from 'node:assert/strict'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { nodeFileSystem, systemClock } from '../../src/base/index.ts'
import { messageText, type RolloutItem, userText } from '../../src/protocol/index.ts'
import { type Durability, loadRollout, RolloutWriter } from '../../src/rollout/index.ts'
import { type Call, type Fault, FaultyFileSystem } from '../support/faulty-file-system.ts'
import { TempFolder } from '../support/temp-folder.ts'
import { header, item, textOf, threadIdOf } from '../support/thread-log.ts'

type Step = 'append' | 'append two' | 'flush' | 'close'

const SCRIPT: readonly Step[] = ['append', 'append two', 'flush', 'append', 'append', 'close']
const START = header(threadIdOf(1))

/** Runs the script as a session does: what fails is tried again by the next step, or at the end. */
class Run {
  readonly files: FaultyFileSystem
  readonly expected: string[] = []
  readonly #path: string
  readonly #level: Durability
  readonly #isOld: boolean

  constructor(path: string, level: Durability, isOld: boolean, plan: FaultyFileSystem['plan']) {
    this.#path = path
    this.#level = level
    this.#isOld = isOld
    this.files = new FaultyFileSystem(plan)
  }

  async perform(): Promise<void> {
    const writer = await this.#open()
    let isClosed = false
    for (const step of SCRIPT) {
      try {
        await this.#do(writer, step)
        isClosed = step === 'close'
      } catch {
        // The next step tries again.
      }
    }
    this.files.plan = () => undefined
    // A failure in the background is told once, to whoever comes next.
    if (!isClosed) await writer.flush().catch(() => writer.flush())
    await writer.close()
    assert.equal(this.files.openCount, 0, 'a descriptor was left open')
    await this.#check()
  }

  async #open(): Promise<RolloutWriter> {
    const { files } = this
    const options = {
      path: this.#path,
      files,
      clock: systemClock,
      durability: this.#level,
      onNotice: (notice: { kind: string }) => {
        assert.equal(notice.kind, 'torn_tail', 'nobody else writes here')
      },
    }
    if (!this.#isOld) return RolloutWriter.create(options, async () => START)
    await mkdir(dirname(this.#path), { recursive: true })
    this.expected.push('old')
    await writeFile(this.#path, `${textOf([START, item(userText('old'))])}{"torn`)
    return RolloutWriter.resume(options).catch(() => RolloutWriter.resume(options))
  }

  async #do(writer: RolloutWriter, step: Step): Promise<void> {
    if (step === 'flush') return writer.flush()
    if (step === 'close') return writer.close()
    const names = step === 'append' ? [this.#name(0)] : [this.#name(0), this.#name(1)]
    this.expected.push(...names)
    return writer.append(names.map((name): RolloutItem => item(userText(name))))
  }

  #name(more: number): string {
    return `item ${this.expected.length + more}`
  }

  async #check(): Promise<void> {
    const { items, damage } = await loadRollout(nodeFileSystem, this.#path)
    const [first, ...rest] = items
    assert.deepEqual(first, START)
    const texts = rest.map((each) =>
      each.type === 'response_item' && each.payload.type === 'message'
        ? messageText(each.payload)
        : each.type,
    )
    assert.deepEqual(texts, this.expected)
    const reasons = damage.map(({ lineNumber, reason }) => `${lineNumber} ${reason}`)
    assert.deepEqual(reasons, this.#isOld ? ['3 is not JSON'] : [])
  }
}

/** Every way in which this call can go wrong. */
function faultsOf({ method, sizeBytes = 0 }: Call): Fault[] {
  const faults: Fault[] = [
    { kind: 'fail', code: 'ENOSPC' },
    { kind: 'late', code: 'EIO' },
  ]
  if (method !== 'file.write') return faults
  const cuts = [0, 1, 2, Math.floor(sizeBytes / 2), sizeBytes - 1]
  return faults.concat(
    cuts.map((bytes) => ({ kind: 'cut', bytes, code: 'ENOSPC' })),
    cuts.slice(1).map((bytes) => ({ kind: 'cut', bytes })),
  )
}

for (const isOld of [false, true]) {
  for (const level of ['turn', 'power'] as const) {
    describe(`writing ${isOld ? 'on after a torn line' : 'a new file'}, level ${level}`, () => {
      /** The calls of a run in which nothing fails. */
      async function plainCalls(path: string): Promise<readonly Call[]> {
        const run = new Run(path, level, isOld, () => undefined)
        await run.perform()
        return run.files.calls
      }

      it('loses and doubles nothing, whichever call fails, and however', async () => {
        await using folder = await TempFolder.create()
        const calls = await plainCalls(folder.at('plain', 'a', 'b', 'c', 'rollout'))
        for (const call of calls) {
          for (const [n, fault] of faultsOf(call).entries()) {
            const home = folder.at(`${call.index}-${n}`)
            const path = folder.at(`${call.index}-${n}`, 'a', 'b', 'c', 'rollout')
            const plan = ({ index }: Call) => (index === call.index ? fault : undefined)
            try {
              await new Run(path, level, isOld, plan).perform()
            } catch (error) {
              const where = `${call.method} at call ${call.index}: ${JSON.stringify(fault)}`
              throw new Error(where, { cause: error })
            }
            await rm(home, { recursive: true })
          }
        }
      })

      it('loses and doubles nothing when the disk is full from some call on', async () => {
        await using folder = await TempFolder.create()
        const calls = await plainCalls(folder.at('plain', 'a', 'b', 'c', 'rollout'))
        // Opening an old file is no part of this: a thread that cannot be opened is not live.
        const first = isOld ? 4 : 0
        for (const { index: from } of calls.slice(first)) {
          const path = folder.at(`${from}`, 'a', 'b', 'c', 'rollout')
          const plan = ({ index, method, sizeBytes = 0 }: Call): Fault | undefined => {
            const takesRoom = /write|makeDirectory|openForAppend|sync/.test(method)
            if (index < from || !takesRoom) return undefined
            return {
              kind: 'cut',
              bytes: sizeBytes > 0 ? (index * 7) % sizeBytes : 0,
              code: 'ENOSPC',
            }
          }
          await new Run(path, level, isOld, plan).perform()
        }
      })
    })
  }
}

describe('any number of faults', () => {
  const anyFault = fc.oneof(
    fc.constantFrom<Fault>({ kind: 'fail', code: 'EIO' }, { kind: 'late', code: 'EIO' }),
    fc.nat(400).map((bytes): Fault => ({ kind: 'cut', bytes, code: 'ENOSPC' })),
    fc.integer({ min: 1, max: 400 }).map((bytes): Fault => ({ kind: 'cut', bytes })),
  )

  it('lose and double nothing', async () => {
    await using folder = await TempFolder.create()
    let count = 0
    const faults = fc.array(fc.option(anyFault, { freq: 3, nil: undefined }), { maxLength: 60 })
    await fc.assert(
      fc.asyncProperty(faults, fc.constantFrom('turn', 'power'), async (plan, level) => {
        count += 1
        const path = folder.at(`${count}`, 'a', 'b', 'c', 'rollout')
        await new Run(path, level, false, ({ index }) => plan[index]).perform()
      }),
      { numRuns: 300 },
    )
  })
})
