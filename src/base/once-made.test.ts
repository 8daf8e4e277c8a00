import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { OnceMade } from './once-made.ts'

describe('what is made once', () => {
  it('is made when it is first asked for, for all who ask', async () => {
    let count = 0
    const made = new OnceMade(async () => ({ number: ++count }))
    assert.equal(await made.known(), undefined)
    const [first, second] = await Promise.all([made.get(), made.get()])
    assert.equal(first, second)
    assert.equal(await made.get(), first)
    assert.equal(await made.known(), first)
    assert.equal(count, 1)
  })

  it('is made again when it has failed, for whoever asks then', async () => {
    const outcomes = [Promise.withResolvers<string>(), Promise.withResolvers<string>()]
    const left = [...outcomes]
    const made = new OnceMade(() => left.shift()?.promise ?? assert.fail('made too often'))
    const [first, second] = [made.get(), made.get()]
    const known = made.known()
    outcomes[0]?.reject(new Error('not now'))
    await assert.rejects(first, /not now/)
    await assert.rejects(second, /not now/)
    assert.deepEqual([await known, await made.known()], [undefined, undefined])
    outcomes[1]?.resolve('made')
    assert.deepEqual([await made.get(), await made.known()], ['made', 'made'])
    assert.deepEqual(left, [])
  })
})
