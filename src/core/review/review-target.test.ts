import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ReviewTarget } from '../../protocol/index.ts'
import { ReviewError, reviewHint, trimReviewTarget } from './index.ts'

const SHA = '0a4380ee0bbf7b0b9ffec05f1dc17bda9996570d'

/** What Codex 0.133.0 kept of a target, and its hint. */
const OBSERVED: readonly (readonly [given: ReviewTarget, kept: ReviewTarget, hint: string])[] = [
  [{ type: 'uncommittedChanges' }, { type: 'uncommittedChanges' }, 'current changes'],
  [
    { type: 'baseBranch', branch: ' main ' },
    { type: 'baseBranch', branch: 'main' },
    "changes against 'main'",
  ],
  [
    { type: 'commit', sha: SHA, title: 'Work: x' },
    { type: 'commit', sha: SHA, title: 'Work: x' },
    'commit 0a4380e: Work: x',
  ],
  [
    { type: 'commit', sha: ' 0a4380e ', title: ' T ' },
    { type: 'commit', sha: '0a4380e', title: 'T' },
    'commit 0a4380e: T',
  ],
  [
    { type: 'commit', sha: SHA, title: '  ' },
    { type: 'commit', sha: SHA, title: null },
    'commit 0a4380e',
  ],
  [
    { type: 'commit', sha: 'abc', title: null },
    { type: 'commit', sha: 'abc', title: null },
    'commit abc',
  ],
  [
    { type: 'custom', instructions: '  do this\nand that  ' },
    { type: 'custom', instructions: 'do this\nand that' },
    'do this\nand that',
  ],
]

describe('the target of a review', () => {
  for (const [given, kept, hint] of OBSERVED) {
    it(`is kept and hinted at as ${JSON.stringify(hint)}`, () => {
      const target = trimReviewTarget(given)
      assert.deepEqual([target, reviewHint(target)], [kept, hint])
    })
  }

  it('needs its texts', () => {
    const blank: ReviewTarget[] = [
      { type: 'baseBranch', branch: '' },
      { type: 'commit', sha: '  ', title: 'x' },
      { type: 'custom', instructions: ' \n' },
    ]
    assert.deepEqual(blank.map(refusalOf), [
      'branch must not be empty',
      'sha must not be empty',
      'instructions must not be empty',
    ])
  })

  it('has a limit', () => {
    const long = 'x'.repeat((1 << 20) + 1)
    const targets: ReviewTarget[] = [
      { type: 'custom', instructions: long },
      { type: 'commit', sha: 'abc', title: long },
    ]
    assert.deepEqual(targets.map(refusalOf), ['instructions is too long', 'title is too long'])
  })
})

function refusalOf(target: ReviewTarget): string | undefined {
  try {
    trimReviewTarget(target)
    return undefined
  } catch (error) {
    assert.ok(error instanceof ReviewError)
    return error.message
  }
}
