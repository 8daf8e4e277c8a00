// The hunks Codex shows for an update come from Myers' linear-space diff, whose runs are then
// slid along equal lines. Sliding keeps the positions a run had before it changed places with
// another, so that a hunk header may be off; clients compare this text, so we are off alike.
// Written from what is known of the `similar` crate, checked against hunks of Codex 0.133.0.

/** A stretch of lines: the length counts old lines for a deletion, new lines for an insertion. */
interface Run {
  kind: 'equal' | 'delete' | 'insert'
  oldAt: number
  newAt: number
  length: number
}

interface Span {
  oldFrom: number
  oldTo: number
  newFrom: number
  newTo: number
}

interface Edit {
  readonly isEqual: boolean
  oldAt: number
  oldLength: number
  newAt: number
  newLength: number
}

interface Texts {
  readonly old: readonly string[]
  readonly new: readonly string[]
}

/** Edits from either side that are looked for: the time grows with their square. */
const MOST_EDITS = 3000

/**
 * Hunks without a file header; empty when the texts are equal. Where the texts have next to
 * nothing in common, the one is shown as replaced by the other.
 */
export function unifiedDiff(before: string, after: string, contextLines = 1): string {
  const texts = { old: splitKeepingEnds(before), new: splitKeepingEnds(after) }
  const edits = joinEdits(slideRuns(diffLines(texts), texts))
  return groupEdits(edits, contextLines)
    .map((hunk) => renderHunk(hunk, texts))
    .join('')
}

/** A line may end in LF, CRLF or a lone CR, as in Codex. */
function splitKeepingEnds(text: string): string[] {
  return text.match(/[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+$/g) ?? []
}

function commonPrefix(texts: Texts, span: Span): number {
  const { oldFrom, newFrom } = span
  const limit = Math.min(span.oldTo - oldFrom, span.newTo - newFrom)
  let length = 0
  while (length < limit && texts.old[oldFrom + length] === texts.new[newFrom + length]) length += 1
  return length
}

function commonSuffix(texts: Texts, span: Span): number {
  const oldLast = span.oldTo - 1
  const newLast = span.newTo - 1
  const limit = Math.min(span.oldTo - span.oldFrom, span.newTo - span.newFrom)
  let length = 0
  while (length < limit && texts.old[oldLast - length] === texts.new[newLast - length]) length += 1
  return length
}

function diffLines(texts: Texts): Run[] {
  const runs: Run[] = []
  const push = (kind: Run['kind'], oldAt: number, newAt: number, length: number): void => {
    if (length > 0) runs.push({ kind, oldAt, newAt, length })
  }
  const conquer = (span: Span): void => {
    const prefix = commonPrefix(texts, span)
    const oldFrom = span.oldFrom + prefix
    const newFrom = span.newFrom + prefix
    const suffix = commonSuffix(texts, { ...span, oldFrom, newFrom })
    const oldTo = span.oldTo - suffix
    const newTo = span.newTo - suffix
    push('equal', span.oldFrom, span.newFrom, prefix)
    const isMixed = oldFrom < oldTo && newFrom < newTo
    const middle = isMixed && findMiddle(texts, { oldFrom, oldTo, newFrom, newTo })
    if (middle) {
      conquer({ oldFrom, oldTo: middle.old, newFrom, newTo: middle.new })
      conquer({ oldFrom: middle.old, oldTo, newFrom: middle.new, newTo })
    } else {
      push('delete', oldFrom, newFrom, oldTo - oldFrom)
      push('insert', oldFrom, newFrom, newTo - newFrom)
    }
    push('equal', oldTo, newTo, suffix)
  }
  conquer({ oldFrom: 0, oldTo: texts.old.length, newFrom: 0, newTo: texts.new.length })
  return runs
}

/**
 * Where a shortest edit path through `span` crosses its middle: two searches, one from each
 * corner, keep the furthest old line reached on each diagonal k until they meet. Undefined when
 * that would take too long.
 */
function findMiddle(texts: Texts, span: Span): { old: number; new: number } | undefined {
  const oldLength = span.oldTo - span.oldFrom
  const newLength = span.newTo - span.newFrom
  const delta = oldLength - newLength
  const isOdd = delta % 2 !== 0
  const limit = Math.ceil((oldLength + newLength) / 2) + 1
  const forward = new Int32Array(2 * limit + 2)
  const backward = new Int32Array(2 * limit + 2)
  const firstReach = (reach: Int32Array, d: number, k: number): number => {
    const down = reach[limit + k + 1] ?? 0
    const right = reach[limit + k - 1] ?? 0
    return k === -d || (k !== d && right < down) ? down : right + 1
  }
  for (let d = 0; d < Math.min(limit, MOST_EDITS); d += 1) {
    for (let k = d; k >= -d; k -= 2) {
      const x = firstReach(forward, d, k)
      const at = { ...span, oldFrom: span.oldFrom + x, newFrom: span.newFrom + x - k }
      const reach = x + commonPrefix(texts, at)
      forward[limit + k] = reach
      const isCrossing = isOdd && Math.abs(k - delta) < d
      if (isCrossing && reach + (backward[limit + delta - k] ?? 0) >= oldLength) {
        return { old: at.oldFrom, new: at.newFrom }
      }
    }
    for (let k = d; k >= -d; k -= 2) {
      const x = firstReach(backward, d, k)
      const at = { ...span, oldTo: span.oldTo - x, newTo: span.newTo - x + k }
      const length = commonSuffix(texts, at)
      const reach = x + length
      backward[limit + k] = reach
      const isCrossing = !isOdd && Math.abs(k - delta) <= d
      if (isCrossing && reach + (forward[limit + delta - k] ?? 0) >= oldLength) {
        return { old: at.oldTo - length, new: at.newTo - length }
      }
    }
  }
  return undefined
}

/** Moves first the deletions, then the insertions, as far up and then as far down as they go. */
function slideRuns(runs: Run[], texts: Texts): Run[] {
  for (const kind of ['delete', 'insert'] as const) {
    for (let at = 0; at < runs.length; at += 1) {
      if (runs[at]?.kind !== kind) continue
      at = slideUp(runs, at, texts)
      at = slideDown(runs, at, texts)
    }
  }
  return runs
}

function shift(run: Run, by: number): void {
  run.oldAt += by
  run.newAt += by
}

/** What an insertion and the equal run next to it have, to be compared; a deletion stays put. */
function slideSpan(run: Run, equal: Run): Span {
  return {
    oldFrom: equal.oldAt,
    oldTo: equal.oldAt + equal.length,
    newFrom: run.newAt,
    newTo: run.newAt + (run.kind === 'insert' ? run.length : 0),
  }
}

function slideUp(runs: Run[], from: number, texts: Texts): number {
  let at = from
  for (;;) {
    const run = runs[at]
    const above = runs[at - 1]
    if (!run || !above) return at
    if (above.kind === run.kind) {
      above.length += run.length
      runs.splice(at, 1)
      at -= 1
    } else if (above.kind !== 'equal') {
      runs.splice(at - 1, 2, run, above)
      at -= 1
    } else {
      const moved = commonSuffix(texts, slideSpan(run, above))
      if (moved === 0) return at
      const below = runs[at + 1]
      if (below?.kind === 'equal') {
        shift(below, -moved)
        below.length += moved
      } else {
        const oldAt = above.oldAt + above.length - moved
        const newAt = run.newAt + run.length - moved
        runs.splice(at + 1, 0, { kind: 'equal', oldAt, newAt, length: moved })
      }
      shift(run, -moved)
      above.length -= moved
      if (above.length > 0) continue
      runs.splice(at - 1, 1)
      at -= 1
    }
  }
}

function slideDown(runs: Run[], from: number, texts: Texts): number {
  let at = from
  for (;;) {
    const run = runs[at]
    const below = runs[at + 1]
    if (!run || !below) return at
    if (below.kind === run.kind) {
      run.length += below.length
      runs.splice(at + 1, 1)
    } else if (below.kind !== 'equal') {
      runs.splice(at, 2, below, run)
      at += 1
    } else {
      const moved = commonPrefix(texts, slideSpan(run, below))
      if (moved === 0) return at
      const above = runs[at - 1]
      if (above?.kind === 'equal') {
        above.length += moved
      } else {
        runs.splice(at, 0, { kind: 'equal', oldAt: below.oldAt, newAt: run.newAt, length: moved })
        at += 1
      }
      shift(run, moved)
      shift(below, moved)
      below.length -= moved
      if (below.length === 0) runs.splice(at + 1, 1)
    }
  }
}

/** Adjoining deletions and insertions become one edit, which shows its old lines first. */
function joinEdits(runs: readonly Run[]): Edit[] {
  const edits: Edit[] = []
  for (const { kind, oldAt, newAt, length } of runs) {
    const isEqual = kind === 'equal'
    const oldLength = kind === 'insert' ? 0 : length
    const newLength = kind === 'delete' ? 0 : length
    const last = edits.at(-1)
    if (last?.isEqual !== isEqual) {
      edits.push({ isEqual, oldAt, oldLength, newAt, newLength })
      continue
    }
    if (last.oldLength === 0) last.oldAt = oldAt
    if (last.newLength === 0) last.newAt = newAt
    last.oldLength += oldLength
    last.newLength += newLength
  }
  return edits
}

/** Cuts the edits into hunks: equal lines further than the context from a change are left out. */
function groupEdits(edits: readonly Edit[], contextLines: number): Edit[][] {
  const groups: Edit[][] = []
  let group: Edit[] = []
  for (const [index, edit] of edits.entries()) {
    const head = index === 0 ? 0 : contextLines
    const tail = index === edits.length - 1 ? 0 : contextLines
    if (!edit.isEqual || edit.oldLength <= head + tail) {
      group.push(edit)
      continue
    }
    if (head > 0) groups.push([...group, cutEqual(edit, 0, head)])
    group = tail > 0 ? [cutEqual(edit, edit.oldLength - tail, tail)] : []
  }
  return [...groups, group].filter((hunk) => hunk.some((edit) => !edit.isEqual))
}

function cutEqual(edit: Edit, skip: number, length: number): Edit {
  const { oldAt, newAt } = edit
  return {
    isEqual: true,
    oldAt: oldAt + skip,
    oldLength: length,
    newAt: newAt + skip,
    newLength: length,
  }
}

function renderHunk(hunk: readonly Edit[], texts: Texts): string {
  const first = hunk[0]
  const last = hunk.at(-1)
  if (!first || !last) return ''
  const oldRange = renderRange(first.oldAt, last.oldAt + last.oldLength)
  const newRange = renderRange(first.newAt, last.newAt + last.newLength)
  const lines = hunk.flatMap((edit) => {
    const removed = texts.old.slice(edit.oldAt, edit.oldAt + edit.oldLength)
    if (edit.isEqual) return removed.map((line) => renderLine(' ', line))
    const added = texts.new.slice(edit.newAt, edit.newAt + edit.newLength)
    return [
      ...removed.map((line) => renderLine('-', line)),
      ...added.map((line) => renderLine('+', line)),
    ]
  })
  return `@@ -${oldRange} +${newRange} @@\n${lines.join('')}`
}

function renderRange(from: number, to: number): string {
  const length = Math.max(0, to - from)
  if (length === 1) return `${from + 1}`
  return `${length === 0 ? from : from + 1},${length}`
}

function renderLine(sign: string, line: string): string {
  const hasEnd = line.endsWith('\n') || line.endsWith('\r')
  return hasEnd ? sign + line : `${sign}${line}\n\\ No newline at end of file\n`
}
