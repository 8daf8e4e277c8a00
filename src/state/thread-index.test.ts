import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { IndexPlace, rowOf } from '../../test/support/index-place.ts'

describe('the index', () => {
  it('gives back the rows that were put in, also to the next who opens it', async () => {
    await using place = await IndexPlace.create()
    using index = place.open()
    index.threads.upsert([rowOf(1), rowOf(2)])
    const changed = rowOf(1, { file: { sizeBytes: 9, modifiedAtMs: 9, inode: 9 } })
    index.threads.upsert([changed])
    assert.deepEqual(index.threads.read('/sessions/1'), changed)
    using again = place.open()
    assert.deepEqual(
      [again.threads.read('/sessions/2'), again.threads.read('/none')],
      [rowOf(2), undefined],
    )
  })

  it('takes a row that is not whole, or of another thread, for missing', async () => {
    await using place = await IndexPlace.create()
    using index = place.open()
    for (const summary of ['', '{', 'null', '[]', '{}', JSON.stringify(rowOf(2).summary)]) {
      index.threads.upsert([rowOf(1)])
      place.change((database) => database.prepare('UPDATE threads SET summary = ?').run(summary))
      assert.equal(index.threads.read('/sessions/1'), undefined)
    }
    index.threads.upsert([rowOf(1)])
    assert.deepEqual(index.threads.read('/sessions/1'), rowOf(1))
  })
})
