import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { fuzzyMatch } from './fuzzy-score.ts'

describe('a fuzzy match', () => {
  it('scores as observed in 0.133.0', () => {
    const observed = [
      ['alpha', 'src/alpha.ts', 134, [4, 5, 6, 7, 8]],
      ['alpha', '.hidden-alpha', 128, [8, 9, 10, 11, 12]],
      ['alp', 'src/a-l-p.txt', 76, [4, 6, 8]],
      ['alpha', '.git/hooks/pre-applypatch.sample', 80, [15, 18, 20, 24, 27]],
      ['deep/be', 'src/deep/alphabet.md', 163, [4, 5, 6, 7, 8, 14, 15]],
      ['src alpha', 'src/alpha.ts', 218, [0, 1, 2, 4, 5, 6, 7, 8]],
      ['upper', 'UPPER.TS', 134, [0, 1, 2, 3, 4]],
    ] as const
    for (const [query, path, score, indices] of observed) {
      assert.deepEqual(fuzzyMatch(query, path), { score, indices }, `${query} in ${path}`)
    }
  })

  it('is none when a word is not in it', () => {
    assert.equal(fuzzyMatch('alphx', 'src/alpha.ts'), undefined)
    assert.equal(fuzzyMatch('src nope', 'src/alpha.ts'), undefined)
  })

  it('names places that hold the characters, in their order', () => {
    const chars = fc.string({ unit: fc.constantFrom('a', 'b', 'C', '/', '-', '1'), maxLength: 30 })
    fc.assert(
      fc.property(chars, fc.infiniteStream(fc.boolean()), (path, picks) => {
        const query = [...path].filter(() => picks.next().value).join('')
        const match = fuzzyMatch(query, path) ?? assert.fail('a part of a path is in it')
        const found = match.indices.map((index) => path[index]).join('')
        assert.equal(found.toLowerCase(), query.toLowerCase())
      }),
    )
  })
})
