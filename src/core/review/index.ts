export { parseReviewOutput } from './parse-review.ts'
export { ReviewError, type ReviewFailure } from './review-error.ts'
export { REVIEW_INSTRUCTIONS } from './review-instructions.ts'
export { reviewPrompt } from './review-prompt.ts'
export {
  type ReviewEnd,
  type ReviewResult,
  renderReview,
  reviewResultMessage,
} from './review-result.ts'
export { reviewHint, trimReviewTarget } from './review-target.ts'
