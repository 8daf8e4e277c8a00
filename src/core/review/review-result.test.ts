import assert from 'node:assert/strict'
import { it } from 'node:test'
import { parseReviewOutput, renderReview, reviewResultMessage } from './index.ts'

it('a reviewer that did not finish has said nothing, whatever it wrote', () => {
  const output = parseReviewOutput('Fine.')
  const nothing = {
    shown: 'Reviewer failed to output a response.',
    user: [
      '<user_action>',
      '  <context>User initiated a review task, but was interrupted. If user asks about this, ' +
        'tell them to re-initiate a review with `/review` and wait for it to complete.</context>',
      '  <action>review</action>',
      '  <results>',
      '  None.',
      '  </results>',
      '</user_action>\n\n',
    ].join('\n'),
    assistant: 'Review was interrupted. Please re-run /review and wait for it to complete.',
  }
  assert.deepEqual(
    [
      reviewResultMessage(output, 'failed'),
      reviewResultMessage(output, 'interrupted'),
      reviewResultMessage(undefined, 'finished'),
      reviewResultMessage(undefined, 'failed'),
    ],
    [nothing, nothing, nothing, nothing],
  )
  assert.equal(reviewResultMessage(output, 'finished').assistant, 'Fine.')
  assert.equal(renderReview(undefined), nothing.shown)
})
