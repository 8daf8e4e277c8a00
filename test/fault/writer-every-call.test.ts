/**
 * A fault at every single file system call of a script of appends, flushes and a close, and at
 * pairs and rows of calls: once there is room again and all was flushed, the file holds every item
 * exactly once, in order, and every line of it can be read.
 */
import { rm } from 'node:fs/promises'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Call, Fault } from '../support/faulty-file-system.ts'
import { TempFolder } from '../support/temp-folder.ts'
import { faultsOf, WriterScript } from './writer-script.ts'

for (const isOld of [false, true]) {
  for (const level of ['turn', 'power'] as const) {
    describe(`writing ${isOld ? 'on after a torn line' : 'a new file'}, level ${level}`, () => {
      /** The calls of a run in which nothing fails. */
      async function plainCalls(path: string): Promise<readonly Call[]> {
        const run = new WriterScript(path, level, isOld, () => undefined)
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
              await new WriterScript(path, level, isOld, plan).perform()
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
          await new WriterScript(path, level, isOld, plan).perform()
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
        await new WriterScript(path, level, false, ({ index }) => plan[index]).perform()
      }),
      { numRuns: 300 },
    )
  })
})
