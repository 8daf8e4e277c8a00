// Every line of observed-reviews.jsonl is what Codex 0.133.0 made of a reviewer's last message:
// what it stored, what it showed, and what it left for the model and in the assistant's name.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { ReviewFinding, ReviewOutput } from '../../protocol/index.ts'
import { parseReviewOutput, renderReview, reviewResultMessage } from './index.ts'

interface Observed {
  readonly name: string
  readonly text: string
  readonly output: ReviewOutput | null
  readonly review: string
  readonly user: string
  readonly assistant: string
}

const path = join(import.meta.dirname, 'observed-reviews.jsonl')
const OBSERVED = readFileSync(path, 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line) as Observed)

const FINDING: ReviewFinding = {
  title: '[P1] Bug',
  body: 'Explain.',
  confidence_score: 0.9,
  priority: 1,
  code_location: { absolute_file_path: '/x/a.txt', line_range: { start: 3, end: 5 } },
}
const OUTPUT: ReviewOutput = {
  findings: [],
  overall_correctness: 'patch is correct',
  overall_explanation: 'Because.',
  overall_confidence_score: 0.8,
}
const found = (finding: Partial<ReviewFinding>): ReviewOutput => ({
  ...OUTPUT,
  findings: [{ ...FINDING, ...finding }],
})
const at = (path: string, start: number, end: number) =>
  found({ code_location: { absolute_file_path: path, line_range: { start, end } } })

/** Where one slip makes Codex show the JSON itself; we keep what is there. */
const OURS: { readonly [name: string]: ReviewOutput } = {
  noCorr: { ...OUTPUT, overall_correctness: '' },
  corrNull: { ...OUTPUT, overall_correctness: '' },
  noFind: OUTPUT,
  findingsNull: OUTPUT,
  noOcs: { ...OUTPUT, overall_confidence_score: 0 },
  fNoTitle: found({ title: '' }),
  fNoPriority: found({}),
  fNullPriority: found({}),
  fPriorityString: found({}),
  fPriorityFloat: found({}),
  fNoLoc: at('', 0, 0),
  fNoScore: found({ confidence_score: 0 }),
  fScoreString: found({}),
  fLineString: at('/x', 3, 5),
  fLineNeg: at('/x', 0, 5),
  fLineFloat: at('/x', 3, 5),
  dupKey: {
    findings: [],
    overall_correctness: 'a',
    overall_explanation: 'b',
    overall_confidence_score: 1,
  },
}

/** Codex keeps 32 bits of a score. */
function rounded(output: ReviewOutput | null): ReviewOutput | null {
  if (!output) return null
  const round = (score: number) => Number(score.toFixed(6))
  return {
    ...output,
    findings: output.findings.map((finding) => ({
      ...finding,
      confidence_score: round(finding.confidence_score),
    })),
    overall_confidence_score: round(output.overall_confidence_score),
  }
}

describe('a review says what Codex makes of it', () => {
  for (const { name, text, output, review, user, assistant } of OBSERVED) {
    it(name, () => {
      const ours = OURS[name]
      const read = parseReviewOutput(text)
      assert.deepEqual(rounded(read ?? null), ours ?? rounded(output))
      if (ours) return
      assert.equal(renderReview(read), review)
      assert.deepEqual(reviewResultMessage(read, 'finished'), { shown: review, user, assistant })
    })
  }

  it('and the list of where we differ names nothing else', () => {
    const names = new Set(OBSERVED.map(({ name }) => name))
    assert.deepEqual(
      Object.keys(OURS).filter((name) => !names.has(name)),
      [],
    )
  })
})
