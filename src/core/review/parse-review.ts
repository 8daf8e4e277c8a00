import {
  arrayAt,
  isObject,
  type Json,
  type JsonObject,
  numberAt,
  objectAt,
  stringAt,
} from '../../base/index.ts'
import type { ReviewFinding, ReviewOutput } from '../../protocol/index.ts'

/** Characters of a reviewer's answer; what is longer is cut, and then is text, not JSON. */
const MOST_CHARS = 200_000
const MOST_FINDINGS = 1000
const MOST_LINE = 2 ** 32 - 1
/** Of a finding whose reviewer gave it none: to be fixed some day. */
const DEFAULT_PRIORITY = 2

/**
 * What the reviewer's last message says; undefined when it is blank. The whole text is taken as
 * JSON, else what is between its outermost braces, else it explains itself. Fields that are missing
 * or wrong get a value that real Codex can read back, so that one slip does not cost the findings.
 */
export function parseReviewOutput(text: string): ReviewOutput | undefined {
  if (text.trim() === '') return undefined
  const cut = text.length > MOST_CHARS ? `${text.slice(0, MOST_CHARS)}…` : text
  const kept = cut.toWellFormed()
  const inner = kept.slice(kept.indexOf('{'), kept.lastIndexOf('}') + 1)
  return readOutput(kept) ?? readOutput(inner) ?? textOutput(kept)
}

function textOutput(text: string): ReviewOutput {
  return {
    findings: [],
    overall_correctness: '',
    overall_explanation: text,
    overall_confidence_score: 0,
  }
}

function readOutput(text: string): ReviewOutput | undefined {
  const value = parseObject(text)
  if (!value) return undefined
  const listed = arrayAt(value, 'findings')
  const findings = (listed ?? []).slice(0, MOST_FINDINGS).flatMap(readFinding)
  const explanation = textAt(value, 'overall_explanation')
  const hasForm = listed !== undefined && explanation !== undefined
  const hasContent = findings.length > 0 || (explanation ?? '').trim() !== ''
  if (!hasContent && !(hasForm && listed.length === 0)) return undefined
  return {
    findings,
    overall_correctness: textAt(value, 'overall_correctness') ?? '',
    overall_explanation: explanation ?? '',
    overall_confidence_score: scoreAt(value, 'overall_confidence_score'),
  }
}

function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined // Reviewers also write plain text.
  }
}

function readFinding(value: Json): ReviewFinding[] {
  if (!isObject(value)) return []
  const title = textAt(value, 'title') ?? ''
  const body = textAt(value, 'body') ?? ''
  if (title.trim() === '' && body.trim() === '') return []
  const location = objectAt(value, 'code_location') ?? {}
  const lines = objectAt(location, 'line_range') ?? {}
  const start = lineAt(lines, 'start')
  return [
    {
      title,
      body,
      confidence_score: scoreAt(value, 'confidence_score'),
      priority: priorityOf(value, title),
      code_location: {
        absolute_file_path: textAt(location, 'absolute_file_path') ?? '',
        line_range: { start: start ?? 0, end: lineAt(lines, 'end') ?? start ?? 0 },
      },
    },
  ]
}

/** The number, else that of a tag (`[P1]`) in the field or in the title. */
function priorityOf(finding: JsonObject, title: string): number {
  const priority = numberAt(finding, 'priority')
  if (priority !== undefined && Math.abs(priority) < 2 ** 31) return Math.trunc(priority)
  const tag = /\bP([0-3])\b/.exec(`${stringAt(finding, 'priority') ?? ''} ${title}`)?.[1]
  return tag === undefined ? DEFAULT_PRIORITY : Number(tag)
}

/** A half of a character would make the line unreadable for real Codex. */
function textAt(object: JsonObject, key: string): string | undefined {
  return stringAt(object, key)?.toWellFormed()
}

function scoreAt(object: JsonObject, key: string): number {
  const value = object[key]
  const score = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  // Real Codex reads 32 bits.
  return typeof score === 'number' && Math.abs(score) < 1e38 ? score : 0
}

function lineAt(range: JsonObject, key: string): number | undefined {
  const value = range[key]
  const line = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  if (typeof line !== 'number' || !(line >= 0 && line <= MOST_LINE)) return undefined
  return Math.trunc(line)
}
