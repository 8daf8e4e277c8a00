import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { markFound } from './found-words.ts'

function marked(text: string, query: string): string {
  const parts = markFound(text, query)
  assert.equal(parts.map((part) => part.text).join(''), text)
  return parts.map((part) => (part.isFound ? `[${part.text}]` : part.text)).join('')
}

describe('markFound', () => {
  it('marks beginnings of words, whatever their case and accents', () => {
    assert.equal(marked('The quick, quiet fox', 'QUI fox'), 'The [qui]ck, [qui]et [fox]')
    assert.equal(marked('Café cafeteria', 'cafe'), '[Café] [cafe]teria')
    assert.equal(marked('Cafe\u0301 au lait', 'café'), '[Cafe\u0301] au lait')
    assert.equal(marked('unquick', 'quick'), 'unquick')
  })

  it('marks the words of a phrase, and nothing for no words', () => {
    assert.equal(marked('a "big dog" ran', '"big dog" AND'), 'a "[big] [dog]" ran')
    assert.equal(marked('nothing', '***'), 'nothing')
    assert.equal(marked('', 'x'), '')
  })
})
