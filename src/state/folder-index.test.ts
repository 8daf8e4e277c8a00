import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { IndexPlace } from '../../test/support/index-place.ts'
import type { FolderRow } from './folder-index.ts'

function folder(path: string, names: readonly string[] = ['one', 'two']): FolderRow {
  return { path, modifiedAtMs: 5.25, inode: 2 ** 53 - 1, names }
}

describe('folders in the index', () => {
  it('are there for the next who opens it, as they were listed last', async () => {
    await using place = await IndexPlace.create()
    using index = place.open()
    index.folders.update([folder('/a'), folder('/b', []), folder('/c')], [])
    index.folders.update([folder('/a', ['three'])], ['/c', '/none'])
    using again = place.open()
    assert.deepEqual(again.folders.readAll(), [folder('/a', ['three']), folder('/b', [])])
  })

  it('are missing when a byte of them has changed', async () => {
    await using place = await IndexPlace.create()
    using index = place.open()
    for (const change of [`names = 'one/tw0'`, 'modified_at_ms = 6', 'inode = 1', `path = '/c'`]) {
      index.folders.update([folder('/a'), folder('/b')], [])
      place.change((other) => other.exec(`UPDATE folders SET ${change} WHERE path = '/a'`))
      assert.deepEqual(index.folders.readAll(), [folder('/b')], change)
      index.folders.update([], ['/a', '/c'])
    }
  })
})
