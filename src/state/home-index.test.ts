import assert from 'node:assert/strict'
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { IndexPlace, rowOf } from '../../test/support/index-place.ts'
import { HomeIndex } from './home-index.ts'

describe('the index of a home', () => {
  it('is for its owner only, with all its files', async () => {
    await using place = await IndexPlace.create()
    using index = place.open()
    index.threads.upsert([rowOf(1)])
    for (const suffix of ['', '-wal', '-shm']) {
      assert.equal((await stat(place.path + suffix)).mode & 0o777, 0o600)
    }
  })

  it('can be used by two at once', async () => {
    await using place = await IndexPlace.create()
    using one = place.open()
    using two = place.open()
    one.threads.upsert([rowOf(1)])
    two.threads.upsert([rowOf(2)])
    assert.deepEqual(
      [one.threads.read('/sessions/2'), two.threads.read('/sessions/1')],
      [rowOf(2), rowOf(1)],
    )
  })
})

describe('an index that is locked', () => {
  it('is not used, and not set aside', async () => {
    await using place = await IndexPlace.create()
    place.change((other) => {
      other.pragma('locking_mode = EXCLUSIVE')
      other.exec('BEGIN EXCLUSIVE; CREATE TABLE x (y)')
      assert.equal(HomeIndex.open(place.path, 1), undefined)
      other.exec('COMMIT')
    })
    assert.deepEqual(await place.setAside(), [])
  })

  it('is read while another writes, and what cannot be written now is written later', async () => {
    await using place = await IndexPlace.create()
    using index = place.open()
    index.threads.upsert([rowOf(1)])
    place.change((other) => {
      other.exec('BEGIN IMMEDIATE')
      assert.deepEqual(index.threads.read('/sessions/1'), rowOf(1))
      index.threads.upsert([rowOf(2)])
      other.exec('COMMIT')
    })
    assert.equal(index.threads.read('/sessions/2'), undefined)
    index.threads.upsert([rowOf(2)])
    assert.deepEqual([index.threads.read('/sessions/2'), index.isUsable], [rowOf(2), true])
  })
})

describe('an index that cannot be opened', () => {
  it('is none: in no folder, or a folder itself', async () => {
    await using place = await IndexPlace.create()
    assert.equal(HomeIndex.open(`${place.path}/none/index.sqlite`, 1), undefined)
    await mkdir(place.path)
    assert.equal(HomeIndex.open(place.path, 1), undefined)
  })
})

describe('an index of a newer version', () => {
  it('is not used, and left as it is', async () => {
    await using place = await IndexPlace.create()
    place.open().threads.upsert([rowOf(1)])
    place.change((other) => {
      other.pragma('wal_checkpoint(TRUNCATE)')
      other.exec('ALTER TABLE threads ADD COLUMN of_tomorrow TEXT; PRAGMA user_version = 99')
    })
    const before = await readFile(place.path)
    assert.equal(HomeIndex.open(place.path, 1), undefined)
    assert.deepEqual([await readFile(place.path), await place.setAside()], [before, []])
  })

  it('is left to the newer one also when that took it over while we had it open', async () => {
    await using place = await IndexPlace.create()
    using index = place.open()
    index.threads.upsert([rowOf(1)])
    place.change((other) =>
      other.exec('ALTER TABLE threads DROP COLUMN summary; PRAGMA user_version = 99'),
    )
    assert.deepEqual([index.threads.read('/sessions/1'), index.isUsable], [undefined, false])
    assert.deepEqual(await place.setAside(), [])
    place.change((other) => assert.equal(other.value('PRAGMA user_version'), 99))
  })
})

describe('rows of files that are gone', () => {
  const pathsOf = (index: HomeIndex, ...numbers: readonly number[]) =>
    numbers.filter((n) => index.threads.read(`/sessions/${n}`) !== undefined)

  it('are removed by name', async () => {
    await using place = await IndexPlace.create()
    using index = place.open()
    index.threads.upsert([1, 2, 3].map((n) => rowOf(n)))
    index.remove(['/sessions/1', '/sessions/3', '/none'])
    assert.deepEqual(pathsOf(index, 1, 2, 3), [2])
  })

  it('are pruned in their folder, once it has more rows than files', async () => {
    await using place = await IndexPlace.create()
    using index = place.open()
    const elsewhere = ['/sessions-of-others/1', '/sessions', '/archive/2']
    index.threads.upsert([
      ...[1, 2, 3].map((n) => rowOf(n)),
      ...elsewhere.map((rolloutPath) => rowOf(4, { rolloutPath })),
    ])
    const present = (...numbers: readonly number[]) => numbers.map((n) => `/sessions/${n}`)
    index.prune('/sessions', present(1, 4, 5))
    assert.deepEqual(pathsOf(index, 1, 2, 3), [1, 2, 3])
    index.prune('/sessions', present(1, 4))
    assert.deepEqual(pathsOf(index, 1, 2, 3), [1])
    index.prune('/sessions', [])
    assert.deepEqual(pathsOf(index, 1, 2, 3), [])
    for (const path of elsewhere) assert.ok(index.threads.read(path), path)
  })
})

describe('an index that is damaged', () => {
  const damaged: { readonly [name: string]: (place: IndexPlace) => void | Promise<void> } = {
    'no database at all': (place) => writeFile(place.path, 'rubbish '.repeat(1000)),
    'with tables of somebody else': (place) =>
      place.change((other) => other.exec('CREATE TABLE threads (id TEXT)')),
  }
  for (const [name, damage] of Object.entries(damaged)) {
    it(`is set aside and begun anew: ${name}`, async () => {
      await using place = await IndexPlace.create()
      await damage(place)
      using index = place.open()
      index.threads.upsert([rowOf(1)])
      assert.deepEqual(index.threads.read('/sessions/1'), rowOf(1))
      assert.ok((await place.setAside()).includes('index.sqlite.set-aside-1'))
    })
  }

  it('is set aside as it is', async () => {
    await using place = await IndexPlace.create()
    const rubbish = 'rubbish '.repeat(1000)
    await writeFile(place.path, rubbish)
    using index = place.open()
    assert.equal(index.isUsable, true)
    assert.equal(await readFile(`${place.path}.set-aside-1`, 'utf8'), rubbish)
  })

  const laterDamage: { readonly [name: string]: (place: IndexPlace) => void | Promise<void> } = {
    'a table is missing': (place) => place.change((other) => other.exec('DROP TABLE threads')),
    'a column is missing': (place) =>
      place.change((other) => other.exec('ALTER TABLE threads DROP COLUMN summary')),
    'a page is rubbish': async (place) => {
      const bytes = await readFile(place.path)
      bytes.fill('rubbish', 4096)
      await writeFile(place.path, bytes)
    },
  }
  for (const [name, damage] of Object.entries(laterDamage)) {
    it(`met later is given up, and begun anew by the next: ${name}`, async () => {
      await using place = await IndexPlace.create()
      const rows = Array.from({ length: 100 }, (_, n) => rowOf(n))
      place.open().threads.upsert(rows)
      place.change((other) => other.pragma('wal_checkpoint(TRUNCATE)'))
      await damage(place)
      using index = place.open()
      assert.deepEqual([index.threads.read('/sessions/1'), index.isUsable], [undefined, false])
      index.threads.upsert([rowOf(1)])
      assert.equal(index.threads.read('/sessions/1'), undefined)
      using next = place.open()
      next.threads.upsert([rowOf(1)])
      assert.deepEqual([next.threads.read('/sessions/1'), next.isUsable], [rowOf(1), true])
      assert.ok((await place.setAside()).includes('index.sqlite.set-aside-1'))
    })
  }
})
