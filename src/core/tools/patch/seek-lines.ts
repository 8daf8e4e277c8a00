import { trimSpace, trimSpaceEnd } from './trim-space.ts'

// The characters Codex 0.133.0 was seen to take for their plain counterpart, and no more.
const DASHES = /[\u2010-\u2015\u2212]/g
const SINGLE_QUOTES = /[\u2018-\u201b]/g
const DOUBLE_QUOTES = /[\u201c-\u201f]/g
const SPACES = /[\u00a0\u2002-\u200a\u202f\u205f\u3000]/g

function plainLine(line: string): string {
  return trimSpace(line)
    .replace(DASHES, '-')
    .replace(SINGLE_QUOTES, "'")
    .replace(DOUBLE_QUOTES, '"')
    .replace(SPACES, ' ')
}

const READINGS: readonly ((line: string) => string)[] = [
  (line) => line,
  trimSpaceEnd,
  trimSpace,
  plainLine,
]

export interface SeekPlace {
  /** The first line that may match. */
  readonly from: number
  /** Only the very end of the file may match. */
  readonly isEndOfFile: boolean
}

/**
 * Index of the first place where `pattern` stands in `lines`, or undefined. The whole file is
 * searched for an exact match before it is searched again more leniently: without trailing space,
 * without outer space, with typographic dashes, quotes and spaces taken as plain ones.
 */
export function seekLines(
  lines: readonly string[],
  pattern: readonly string[],
  place: SeekPlace,
): number | undefined {
  const last = lines.length - pattern.length
  const first = place.isEndOfFile ? Math.max(place.from, last) : place.from
  if (first > last) return undefined
  for (const read of READINGS) {
    const hay = lines.map(read)
    const needle = pattern.map(read)
    for (let at = first; at <= last; at += 1) {
      if (needle.every((line, index) => line === hay[at + index])) return at
    }
  }
  return undefined
}
