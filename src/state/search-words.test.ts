import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { anyText } from '../../test/support/arbitrary-items.ts'
import { Sqlite } from '../../test/support/sqlite.ts'
import { searchable, toMatch } from './search-words.ts'

const RUNS = Number(process.env.BOBBIN_RUNS ?? 500)

function wordTable(): Sqlite {
  const database = new Sqlite(':memory:')
  database.exec(
    `CREATE VIRTUAL TABLE turn_words USING fts5
     (words, content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 2')`,
  )
  return database
}

describe('a query as the full-text index takes it', () => {
  it('is words, beginnings of words and phrases', () => {
    const cases = {
      one: '"one" *',
      'one two': '"one" * AND "two" *',
      '"one two" three': '"one two" AND "three" *',
      'a"b c"d': '"a" * AND "b c" AND "d" *',
      'open "phrase': '"open" * AND "phrase" *',
      'one OR NOT': '"one" * AND "OR" * AND "NOT" *',
      'a\0b': '"a" * AND "b" *',
      日本: '"日  本" *',
      '* "" " " 🎉 -': '',
    }
    const found = Object.keys(cases).map((query) => [query, toMatch(query)])
    assert.deepEqual(Object.fromEntries(found), cases)
  })

  it('is never an error, whatever it is', () => {
    using database = wordTable()
    const find = database.prepare('SELECT rowid FROM turn_words WHERE turn_words MATCH ?')
    const property = fc.property(fc.array(anyText, { maxLength: 4 }), (parts) => {
      const match = toMatch(parts.join(' '))
      if (match !== '') find.all(match)
    })
    fc.assert(property, { numRuns: RUNS })
  })

  it('finds each word of a text, whole and begun', () => {
    using database = wordTable()
    const words = fc.array(fc.stringMatching(/^[a-zäöß0-9日本かなéก]{1,8}$/u), { minLength: 1 })
    const put = database.prepare('INSERT INTO turn_words (rowid, words) VALUES (?, ?)')
    const find = `SELECT rowid FROM turn_words
      WHERE turn_words MATCH ? AND rowid = CAST(? AS INTEGER)`
    let row = 0
    const property = fc.property(words, fc.nat(), fc.nat(), (all, pick, end) => {
      row += 1
      put.run(row, searchable(all.join(' ')))
      const word = all[pick % all.length] ?? ''
      const begun = [...word].slice(0, 1 + (end % [...word].length)).join('')
      for (const query of [word, begun, `"${word}"`, `"${all.join(' ')}"`]) {
        assert.equal(database.value(find, toMatch(query), row), row, query)
      }
    })
    fc.assert(property, { numRuns: RUNS })
  })
})
