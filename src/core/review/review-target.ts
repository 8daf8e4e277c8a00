import type { ReviewTarget } from '../../protocol/index.ts'
import { ReviewError, type ReviewFailure } from './review-error.ts'

/** Characters of a target's text: as many as a turn's input may have. */
const MOST_CHARS = 1 << 20
const SHORT_SHA_CHARS = 7

type Field = Extract<ReviewFailure, { field: unknown }>['field']

/**
 * The target as it is kept: no blanks around its texts, no title instead of a blank one. Throws
 * `ReviewError` when a text that is needed is blank, or one is too long.
 */
export function trimReviewTarget(target: ReviewTarget): ReviewTarget {
  switch (target.type) {
    case 'uncommittedChanges':
      return { type: 'uncommittedChanges' }
    case 'baseBranch':
      return { type: 'baseBranch', branch: needed('branch', target.branch) }
    case 'commit': {
      const title = trimmed('title', target.title ?? '')
      return { type: 'commit', sha: needed('sha', target.sha), title: title === '' ? null : title }
    }
    case 'custom':
      return { type: 'custom', instructions: needed('instructions', target.instructions) }
  }
}

function needed(field: Field, text: string): string {
  const value = trimmed(field, text)
  if (value === '') throw new ReviewError({ code: 'empty', field })
  return value
}

function trimmed(field: Field, text: string): string {
  if (text.length > MOST_CHARS) throw new ReviewError({ code: 'too_long', field })
  return text.trim()
}

/** What people read of a trimmed target. Source: observed in 0.133.0. */
export function reviewHint(target: ReviewTarget): string {
  switch (target.type) {
    case 'uncommittedChanges':
      return 'current changes'
    case 'baseBranch':
      return `changes against '${target.branch}'`
    case 'commit': {
      const commit = `commit ${target.sha.slice(0, SHORT_SHA_CHARS)}`
      return target.title === null ? commit : `${commit}: ${target.title}`
    }
    case 'custom':
      return target.instructions
  }
}
