import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { countTokens, truncateOutput } from './truncate-output.ts'

const alphabet = 'abcdefghijklmnopqrstuvwxyz0123456789'

// What codex 0.133.0 answered with max_output_tokens: text, limit, lines, head, missing, tail.
const TRUNCATED: readonly (readonly [string, number, number, string, number, string])[] = [
  ['a'.repeat(40), 0, 1, '', 10, ''],
  ['a'.repeat(40), 1, 1, 'aa', 9, 'aa'],
  ['a'.repeat(40), 9, 1, 'a'.repeat(18), 1, 'a'.repeat(18)],
  [alphabet, 1, 1, 'ab', 8, '89'],
  [alphabet, 3, 1, 'abcdef', 6, '456789'],
  [alphabet, 8, 1, 'abcdefghijklmnop', 1, 'uvwxyz0123456789'],
  ['é'.repeat(20), 1, 1, 'é', 9, 'é'],
  ['é'.repeat(20), 5, 1, 'ééééé', 5, 'ééééé'],
  ['€'.repeat(12), 1, 1, '', 8, ''],
  ['€'.repeat(12), 2, 1, '€', 7, '€'],
  ['€'.repeat(12), 5, 1, '€€€', 4, '€€€'],
  ['😀'.repeat(7), 1, 1, '', 6, ''],
  ['😀'.repeat(7), 3, 1, '😀', 4, '😀'],
  ['a\nb\nc\nd\ne\nf\n', 0, 6, '', 3, ''],
  ['a\nb\nc\nd\ne\nf\n', 1, 6, 'a\n', 2, 'f\n'],
  ['\n\n\n\n\n\nx', 1, 7, '\n\n', 1, '\nx'],
  ['a\r\nb\rc\r\n', 1, 2, 'a\r', 1, '\r\n'],
  ['abcde', 1, 1, 'ab', 1, 'de'],
]

describe('truncateOutput', () => {
  it('answers as Codex does', () => {
    for (const [text, limit, lines, head, missing, tail] of TRUNCATED) {
      const expected = `Total output lines: ${lines}\n\n${head}…${missing} tokens truncated…${tail}`
      assert.equal(truncateOutput(text, limit), expected)
    }
  })

  it('leaves alone what fits', () => {
    assert.equal(truncateOutput('', 0), '')
    assert.equal(truncateOutput('abcd', 1), 'abcd')
    assert.equal(truncateOutput(alphabet, 9), alphabet)
  })

  it('keeps a start and an end within the limit, in whole characters', () => {
    const text = fc.string({ unit: 'binary', maxLength: 200 })
    fc.assert(
      fc.property(text, fc.nat({ max: 60 }), (output, limit) => {
        const answer = truncateOutput(output, limit)
        if (Buffer.byteLength(output) <= limit * 4) return assert.equal(answer, output)
        const missing = countTokens(output) - limit
        const cut = `…${missing} tokens truncated…`
        const body = answer.replace(/^Total output lines: \d+\n\n/, '')
        const isKept = (at: number) => {
          const [head, tail] = [body.slice(0, at), body.slice(at + cut.length)]
          const sizes = [head, tail].map((part) => Buffer.byteLength(part))
          return (
            output.startsWith(head) &&
            output.endsWith(tail) &&
            sizes.every((size) => size <= limit * 2 && size > limit * 2 - 4)
          )
        }
        assert.ok(indexesOf(body, cut).some(isKept), answer)
      }),
    )
  })
})

it('a token is four bytes, the last one perhaps less', () => {
  assert.deepEqual(['', 'a', 'abcd', 'abcde', '€€'].map(countTokens), [0, 1, 1, 2, 2])
})

function indexesOf(text: string, part: string): number[] {
  return Array.from(text.matchAll(new RegExp(part, 'g')), (match) => match.index)
}
