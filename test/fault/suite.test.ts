/**
 * The short form of `npm run faults`: every class tries some faults and loses nothing. Then the
 * suite itself: broken on purpose, Bobbin is told to lose. `BOBBIN_SEED` chooses the faults.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { CLASSES } from '../../faults/classes.ts'
import { Lab, type LabOptions } from '../../faults/lab.ts'
import { table, troubleText } from '../../faults/report.ts'
import { type FaultClass, runSuite, type Verdict } from '../../faults/suite.ts'
import type { FileSystem } from '../../src/base/index.ts'
import { type Call, FaultyFileSystem } from '../support/faulty-file-system.ts'

const SEED = Number(process.env.BOBBIN_SEED ?? Math.floor(Math.random() * 2 ** 31))
const LAZY_WRITES = join(import.meta.dirname, 'lazy-writes.ts')

async function verdictOf(faultClass: FaultClass, options: LabOptions = {}): Promise<Verdict> {
  const suite = { seed: SEED, isShort: true, jobs: 2, lab: new Lab(options) }
  for await (const verdict of runSuite([faultClass], suite)) return verdict
  assert.fail('no verdict')
}

describe('no class of faults loses anything', () => {
  for (const each of CLASSES) {
    it(`${each.name} (${each.goals})`, async (t) => {
      const verdict = await verdictOf(each)
      t.diagnostic(
        `seed ${SEED}: ${verdict.survived} of ${verdict.tried}, ${verdict.checked} checks`,
      )
      if (verdict.skipped !== undefined) t.diagnostic(verdict.skipped)
      const troubles = verdict.troubles.map((trouble) => troubleText(trouble, SEED)).join('')
      assert.equal(troubles, '')
      assert.equal(verdict.survived, verdict.tried)
    })
  }
})

/** A disk that does nothing, and says that it has, where `isLie` says so. */
const lyingDisk = (isLie: (call: Call, writes: number) => boolean) => (inner: FileSystem) => {
  let writes = 0
  return new FaultyFileSystem((call) => {
    if (call.method === 'file.write') writes += 1
    return isLie(call, writes) ? { kind: 'lie' } : undefined
  }, inner)
}

const honest = lyingDisk(() => false)
const syncsNothing = lyingDisk(({ method }) => method === 'file.sync')
const forgetsWrites = lyingDisk(({ method }, n) => method === 'file.write' && n % 10 === 0)

describe('the suite bites', () => {
  const named = (name: string) =>
    CLASSES.find((each) => each.name === name) ?? assert.fail(`no class ${name}`)

  /** A server that writes a little later than it says. */
  const lazy = { environment: { NODE_OPTIONS: `--import=${LAZY_WRITES}` } }
  const variants: [name: string, options: LabOptions][] = [
    ['kill: in a turn', lazy],
    ['kill: at an answer', lazy],
    ['power: a cut at level turn', { disk: syncsNothing }],
    ['storage: each call of a writer', { disk: forgetsWrites }],
  ]
  for (const [name, options] of variants) {
    it(`when ${name} meets a Bobbin that loses`, async () => {
      const { lost, survived, tried } = await verdictOf(named(name), options)
      assert.ok(lost > 0, 'nothing was counted as lost')
      assert.ok(survived < tried)
    })
  }

  it('and not by the way in which a disk is put below', async () => {
    for (const name of ['power: a cut at level turn', 'storage: each call of a writer']) {
      const { troubles } = await verdictOf(named(name), { disk: honest })
      assert.deepEqual(troubles, [])
    }
  })

  const trialOf = (run: FaultClass['run']): FaultClass => {
    return { name: 'a class', goals: '', steps: { short: 2, long: 2 }, run }
  }

  it('counts what was lost and what failed, with the step to see it again', async () => {
    const verdict = await verdictOf(
      trialOf(async (trial) => {
        await trial.fault('one that is fine', async (checks) => checks.add())
        await trial.fault('one that loses', async () => assert.fail('gone'))
        if (trial.number === 1) throw new Error('crash')
      }),
    )
    const { tried, survived, lost, failed } = verdict
    assert.deepEqual([tried, survived, lost, failed], [4, 1, 2, 1])
    assert.match(table([verdict]), /^\| total \| {2}\| 4 \| 1 \| 2 \| 1 \| 2 \|/m)
    const [trouble = assert.fail()] = verdict.troubles
    assert.match(troubleText(trouble, 5), /^lost: a class, step 0, one that loses: gone/)
    assert.match(troubleText(trouble, 5), /--seed 5 --only 'a class' --step 0\n$/)
  })

  it('fails a class that looked for nothing', async () => {
    const verdict = await verdictOf(trialOf((trial) => trial.fault('x', async () => {}).then()))
    assert.deepEqual([verdict.lost, verdict.failed], [0, 1])
  })

  it('draws the same for the same seed, class and step', async () => {
    const drawn: number[] = []
    const each = trialOf(async (trial) => {
      drawn.push(trial.random(1e9))
      await trial.fault('x', async (checks) => checks.add())
    })
    await verdictOf(each)
    await verdictOf(each)
    assert.deepEqual(drawn.slice(0, 2), drawn.slice(2))
    assert.notEqual(drawn[0], drawn[1])
  })
})
