/**
 * How well a few characters fit a path: they stand in it in their order, best beside each other
 * and at the beginnings of words. The scores are those that 0.133.0 gives.
 */

export interface FuzzyMatch {
  readonly score: number
  /** Where the characters stand, ascending. */
  readonly indices: readonly number[]
}

const MATCH = 16
const GAP_START = 3
const GAP_MORE = 1
const BOUNDARY = 8
const AFTER_SLASH = 9
const CAMEL = 5
const CONSECUTIVE = 4

/** Longer queries are cut off. */
const MOST_QUERY_CHARS = 128
const NONE = -1e9

/** Undefined when a word of the query is not in it. Case does not count. */
export function fuzzyMatch(query: string, path: string): FuzzyMatch | undefined {
  const words = query.slice(0, MOST_QUERY_CHARS).toLowerCase().split(/\s+/)
  const chars = path.toLowerCase()
  let score = 0
  const indices = new Set<number>()
  for (const word of words) {
    if (word === '') continue
    if (!isWithin(word, chars)) return undefined
    const match = matchWord(word, chars, path)
    score += match.score
    for (const index of match.indices) indices.add(index)
  }
  return { score, indices: [...indices].sort((a, b) => a - b) }
}

function isWithin(word: string, chars: string): boolean {
  let at = -1
  for (const char of word) {
    at = chars.indexOf(char, at + 1)
    if (at === -1) return false
  }
  return true
}

interface Row {
  /** Best score with the row's character at that place. */
  readonly hit: Float64Array
  /** What characters that follow without a gap get at least. */
  readonly run: Float64Array
  /** Where the character before it stands then. */
  readonly from: Int32Array
}

function matchWord(word: string, chars: string, path: string): FuzzyMatch {
  const rows: Row[] = []
  for (let at = 0; at < word.length; at += 1) {
    rows.push(nextRow(rows.at(-1), word[at] ?? '', chars, path))
  }
  const last = rows.at(-1)
  let place = -1
  for (let at = 0; at < chars.length; at += 1) {
    if (last && (last.hit[at] ?? NONE) > (last.hit[place] ?? NONE)) place = at
  }
  const score = last?.hit[place] ?? 0
  const indices: number[] = []
  for (const row of rows.toReversed()) {
    indices.unshift(place)
    place = row.from[place] ?? -1
  }
  return { score, indices }
}

function nextRow(before: Row | undefined, char: string, chars: string, path: string): Row {
  const size = chars.length
  const hit = new Float64Array(size).fill(NONE)
  const run = new Float64Array(size)
  const from = new Int32Array(size).fill(-1)
  let gap = NONE
  let gapFrom = -1
  for (let at = 0; at < size; at += 1) {
    const beside = before?.hit[at - 1] ?? NONE
    if (chars[at] === char) {
      const bonus = bonusAt(path, at)
      if (!before) {
        hit[at] = MATCH + 2 * bonus
        run[at] = bonus
      } else {
        let least = Math.max(before.run[at - 1] ?? 0, CONSECUTIVE)
        if (bonus >= BOUNDARY && bonus > least) least = bonus
        const joined = beside + Math.max(least, bonus)
        const apart = gap + bonus
        const isJoined = joined > apart
        if (Math.max(joined, apart) > NONE / 2) {
          hit[at] = MATCH + Math.max(joined, apart)
          run[at] = isJoined ? least : bonus
          from[at] = isJoined ? at - 1 : gapFrom
        }
      }
    }
    // From here on the character before this one stands at least one place off.
    if (beside - GAP_START >= gap - GAP_MORE) {
      gap = beside - GAP_START
      gapFrom = at - 1
    } else gap -= GAP_MORE
  }
  return { hit, run, from }
}

type Kind = 'space' | 'slash' | 'sign' | 'lower' | 'upper' | 'digit'

function bonusAt(path: string, at: number): number {
  const kind = kindOf(path[at] ?? '')
  // A path begins as if behind a slash.
  const before = at === 0 ? 'slash' : kindOf(path[at - 1] ?? '')
  if (kind !== 'space' && kind !== 'sign') {
    if (before === 'space' || before === 'sign') return BOUNDARY
    if (before === 'slash') return AFTER_SLASH
  }
  if (before === 'lower' && kind === 'upper') return CAMEL
  if (before !== 'digit' && kind === 'digit') return CAMEL
  return kind === 'space' || kind === 'sign' ? BOUNDARY : 0
}

function kindOf(char: string): Kind {
  if (char === '/') return 'slash'
  if (/\s/.test(char)) return 'space'
  if (/\d/.test(char)) return 'digit'
  if (/\p{Lu}/u.test(char)) return 'upper'
  return /\p{L}|[\ud800-\udfff]/u.test(char) ? 'lower' : 'sign'
}
