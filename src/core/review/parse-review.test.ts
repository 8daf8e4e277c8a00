import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { parseReviewOutput, renderReview } from './index.ts'

const FINDING = {
  title: 'Bug',
  body: 'Explain.',
  confidence_score: 1,
  priority: 2,
  code_location: { absolute_file_path: '/x', line_range: { start: 3, end: 3 } },
}

function priorityOf(finding: object): number | undefined {
  return parseReviewOutput(JSON.stringify({ findings: [finding] }))?.findings[0]?.priority
}

describe('the output of a reviewer', () => {
  it('is none when it wrote nothing', () => {
    assert.deepEqual(['', ' \n'].map(parseReviewOutput), [undefined, undefined])
  })

  it('keeps the findings that say something, with what they lack filled in', () => {
    const findings = [
      3,
      null,
      {},
      { title: ' ', body: '' },
      { title: 'Bug', body: 'Explain.', confidence_score: '1', code_location: FINDING },
      { ...FINDING, code_location: { absolute_file_path: '/x', line_range: { start: 3 } } },
    ]
    assert.deepEqual(parseReviewOutput(`Result: ${JSON.stringify({ findings })}.`), {
      findings: [
        {
          ...FINDING,
          code_location: { absolute_file_path: '', line_range: { start: 0, end: 0 } },
        },
        FINDING,
      ],
      overall_correctness: '',
      overall_explanation: '',
      overall_confidence_score: 0,
    })
  })

  it('takes a priority that is no number from the tags', () => {
    const tagged = [
      { title: '[P0] a' },
      { title: '[P3] a', priority: 'P1' },
      { title: '[P3] a', priority: 1 },
      { title: '[P3] a', priority: 1e300 },
      { title: 'MP3 of P9' },
    ]
    assert.deepEqual(tagged.map(priorityOf), [0, 1, 1, 3, 2])
  })

  it('is text when no finding of a list says anything', () => {
    const text = '{"findings":[{"note":"x"}],"overall_explanation":""}'
    assert.equal(parseReviewOutput(text)?.overall_explanation, text)
  })

  it('has a limit on its length and on its findings', () => {
    assert.deepEqual(parseReviewOutput(`${'x'.repeat(199_999)}😀${'y'.repeat(50)}`), {
      findings: [],
      overall_correctness: '',
      overall_explanation: `${'x'.repeat(199_999)}\ufffd…`,
      overall_confidence_score: 0,
    })
    const findings = Array.from({ length: 1001 }, (_, index) => ({ title: `Bug ${index}` }))
    const kept = parseReviewOutput(JSON.stringify({ findings }))?.findings
    assert.deepEqual([kept?.length, kept?.at(-1)?.title], [1000, 'Bug 999'])
  })

  it('has no halves of characters, which Codex could not read back', () => {
    const half = '\ud800'
    const review = { findings: [{ title: half, body: half }], overall_explanation: half }
    const output = parseReviewOutput(JSON.stringify(review))
    assert.deepEqual(
      [output?.overall_explanation, output?.findings[0]?.title, output?.findings[0]?.body],
      ['\ufffd', '\ufffd', '\ufffd'],
    )
    assert.equal(parseReviewOutput(half)?.overall_explanation, '\ufffd')
  })

  it('can be read back, whatever was written', () => {
    const value = fc.oneof(fc.jsonValue(), fc.constant(FINDING))
    const field = fc.constantFrom(
      ...['title', 'body', 'priority', 'confidence_score', 'code_location'],
      ...['line_range', 'start', 'end', 'findings', 'overall_explanation'],
    )
    const finding = fc.dictionary(field, value)
    const review = fc.record({ findings: fc.array(finding), overall_explanation: value })
    fc.assert(
      fc.property(fc.oneof(review, finding, fc.string()), (written) => {
        const text = typeof written === 'string' ? written : JSON.stringify(written)
        const output = parseReviewOutput(text)
        if (!output) return
        assert.deepEqual(parseReviewOutput(JSON.stringify(output)), roundTrip(output))
        for (const { priority, code_location } of output.findings) {
          const { start, end } = code_location.line_range
          assert.ok([priority, start, end].every(Number.isSafeInteger) && start >= 0 && end >= 0)
        }
      }),
    )
  })
})

/** JSON has no -0. */
function roundTrip<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T
}

it('a finding without a place reads without one', () => {
  const output = parseReviewOutput('{"findings":[{"title":"[P2] Bug","body":"Explain."}]}')
  assert.equal(renderReview(output), 'Review comment:\n\n- [P2] Bug\n  Explain.')
})
