// Written as type aliases: what they name is part of events, which are JSON.

/** What a review looks at, as `entered_review_mode` holds it. Source: observed in 0.133.0. */
export type ReviewTarget =
  | { type: 'uncommittedChanges' }
  | { type: 'baseBranch'; branch: string }
  | { type: 'commit'; sha: string; title: string | null }
  | { type: 'custom'; instructions: string }

/** One thing that a reviewer found. Every field has to be there for real Codex to read the line. */
export type ReviewFinding = {
  title: string
  body: string
  /** From 0 to 1. */
  confidence_score: number
  /** 0 stops a release, 3 is nice to have. A whole number. */
  priority: number
  /** Lines count from 1, the last one included; whole numbers that are not negative. */
  code_location: {
    absolute_file_path: string
    line_range: { start: number; end: number }
  }
}

/** What a review says, as `exited_review_mode` holds it. */
export type ReviewOutput = {
  findings: ReviewFinding[]
  /** `patch is correct`, `patch is incorrect`; empty when the reviewer did not say. */
  overall_correctness: string
  overall_explanation: string
  overall_confidence_score: number
}
