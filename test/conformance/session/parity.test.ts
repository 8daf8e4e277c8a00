/** Rule: `docs/parity.md` is what the scripts say, and no list holds what nothing uses. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { METHOD_DIFFERENCES } from '../methods/differences.ts'
import { committedRecords, methodRows, servedMethods } from '../methods/table.ts'
import { UNSUPPORTED } from '../methods/unsupported.ts'
import { DIFFERENCES, type DifferenceId } from './differences.ts'
import { ALL_FAULTS } from './faults.ts'
import { PARITY_FILE, renderParity } from './parity.ts'
import { PENDING } from './pending.ts'
import { SUBJECTS } from './subjects.ts'

const scripts = SUBJECTS.flatMap((subject) => subject.scripts)
const names = scripts.map((script) => script.name)
const played = scripts.filter((script) => PENDING[script.name] === undefined)

describe('the document of parity', () => {
  it('is what the scripts say', async () => {
    assert.equal(await readFile(PARITY_FILE, 'utf8'), renderParity())
  })

  it('is about scripts with names of their own, at least forty of which are played', () => {
    assert.equal(new Set(names).size, names.length)
    assert.ok(played.length >= 40, `${played.length} are played`)
  })

  it('lists no difference that no script has', () => {
    const used = new Set(scripts.flatMap((script) => script.differences ?? []))
    assert.deepEqual(
      Object.keys(DIFFERENCES).filter((id) => !used.has(id as DifferenceId)),
      [],
    )
  })

  it('lists nothing as pending that is no script', () => {
    assert.deepEqual(
      Object.keys(PENDING).filter((name) => !names.includes(name)),
      [],
    )
  })

  it('has a result for every method: compared, or not supported for a reason', () => {
    const open = methodRows(committedRecords()).filter(({ result }) => {
      return result === 'not compared' || result === 'not supported'
    })
    assert.deepEqual(open, [])
    const served = servedMethods()
    assert.deepEqual(
      Object.keys(UNSUPPORTED).filter((method) => served.includes(method)),
      [],
    )
  })

  it('lists no difference of methods that no run has seen, and names all that were', () => {
    const seen = Object.values(committedRecords()).flatMap((methods) =>
      Object.values(methods).flatMap(({ differences }) => differences),
    )
    const named = Object.keys(METHOD_DIFFERENCES)
    assert.deepEqual(
      named.filter((id) => !seen.includes(id)),
      [],
    )
    assert.deepEqual(
      seen.filter((id) => !named.includes(id) && !(id in DIFFERENCES)),
      [],
    )
  })

  it('has a witness for every fault', () => {
    const witnesses = played.map((script) => script.name)
    assert.deepEqual(
      ALL_FAULTS.filter(({ witness }) => !witnesses.includes(witness)).map(({ id }) => id),
      [],
    )
  })
})
