import type { ReviewFinding, ReviewOutput } from '../../protocol/index.ts'

/** How the reviewer's own turn ended. */
export type ReviewEnd = 'finished' | 'failed' | 'interrupted'

/** The texts that a thread keeps of a review. */
export interface ReviewResult {
  /** Of the item that ends the review. */
  readonly shown: string
  /** What the model reads of it, as a user's message. */
  readonly user: string
  /** What the thread's assistant says. */
  readonly assistant: string
}

const NO_RESPONSE = 'Reviewer failed to output a response.'

/**
 * What people read of a review: its explanation, then its findings; a sentence when it has neither.
 * Source: observed in 0.133.0.
 */
export function renderReview(output: ReviewOutput | undefined): string {
  if (!output) return NO_RESPONSE
  const sections = [output.overall_explanation.trim(), findingsText(output.findings).trim()]
  return sections.filter((section) => section !== '').join('\n\n') || NO_RESPONSE
}

/**
 * What a review leaves in its thread. Output of a reviewer that did not finish does not count.
 * Source: observed in 0.133.0, byte for byte: it has the same texts for a review that failed and
 * for one that was stopped.
 */
export function reviewResultMessage(
  output: ReviewOutput | undefined,
  end: ReviewEnd,
): ReviewResult {
  if (!output || end !== 'finished') return INTERRUPTED
  const shown = renderReview(output)
  const explanation = output.overall_explanation.trim()
  const results =
    output.findings.length === 0
      ? explanation
      : `${explanation}\n\n${findingsText(output.findings)}`
  return { shown, user: finishedText(results), assistant: shown }
}

function finishedText(results: string): string {
  return `<user_action>
  <context>User initiated a review task. Here's the full review output from reviewer model. \
User may select one or more comments to resolve.</context>
  <action>review</action>
  <results>
  ${results}
  </results>
  </user_action>
`
}

const INTERRUPTED: ReviewResult = {
  shown: NO_RESPONSE,
  user: `<user_action>
  <context>User initiated a review task, but was interrupted. If user asks about this, tell them \
to re-initiate a review with \`/review\` and wait for it to complete.</context>
  <action>review</action>
  <results>
  None.
  </results>
</user_action>

`,
  assistant: 'Review was interrupted. Please re-run /review and wait for it to complete.',
}

function findingsText(findings: readonly ReviewFinding[]): string {
  if (findings.length === 0) return ''
  const head = findings.length === 1 ? 'Review comment:' : 'Full review comments:'
  return [head, ...findings.map(findingText)].join('\n\n')
}

function findingText({ title, body, code_location }: ReviewFinding): string {
  const { absolute_file_path: path, line_range } = code_location
  const place = path === '' ? '' : ` — ${path}:${line_range.start}-${line_range.end}`
  return [`- ${title}${place}`, ...linesOf(body).map((line) => `  ${line}`)].join('\n')
}

/** Without the empty one behind the last line's end. */
function linesOf(text: string): string[] {
  const lines = text.split(/\r?\n/)
  if (lines.at(-1) === '') lines.pop()
  return lines
}
