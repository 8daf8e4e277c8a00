import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { snippetOf } from './snippet.ts'

const FILLER = 'filler '.repeat(60)

describe('a snippet', () => {
  it('is the text around the first word of a query that is in it, on one line', () => {
    const cases: [query: string, text: string, shown: RegExp][] = [
      ['word', `${FILLER}before\n\tword  after ${FILLER}`, /^….*before word after.*…$/],
      ['art', `starting ${FILLER} an artful end`, /an artful end$/],
      ['elan', `${FILLER} vital Élan here`, /vital Élan here$/],
      ['日本', `${FILLER} 東京は日本です`, /東京は日本です$/],
      ['"two words"', `${FILLER} some two words`, /some two words$/],
      ['src/walrus.ts', `${FILLER} file src/walrus.ts`, /file src\/walrus\.ts$/],
      ['absent', 'whatever', /^whatever$/],
    ]
    for (const [query, text, shown] of cases) assert.match(snippetOf([text], query), shown)
  })

  it('is of the first text that has a word, else of the first', () => {
    assert.equal(snippetOf(['none here', 'the word'], 'word'), 'the word')
    assert.equal(snippetOf(['none here', 'nor here'], 'word'), 'none here')
    assert.equal(snippetOf([], 'word'), '')
  })

  it('is short, and cuts no character in two', () => {
    const anyText = fc.array(fc.constantFrom('🎉', 'a', ' ', 'word', 'é', '𝒳'), { maxLength: 400 })
    const property = fc.property(anyText, (parts) => {
      const snippet = snippetOf([parts.join('')], 'word')
      assert.ok(snippet.isWellFormed() && snippet.length <= 210)
    })
    fc.assert(property)
  })
})
