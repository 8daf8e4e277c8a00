/** A stretch of a text, and whether it is one of the words that were looked for. */
export interface TextPart {
  readonly text: string
  readonly isFound: boolean
}

const WORD = /[\p{L}\p{N}\p{M}]+/gu

/**
 * Cuts a text at the words of a query, each of which may be the beginning of one; case and accents
 * do not count, as in the index.
 */
export function markFound(text: string, query: string): TextPart[] {
  const wanted = (query.match(WORD) ?? []).map(folded)
  const parts: TextPart[] = []
  let from = 0
  for (const { 0: word, index } of text.matchAll(WORD)) {
    const length = foundLength(word, wanted)
    if (length === 0) continue
    if (index > from) parts.push({ text: text.slice(from, index), isFound: false })
    parts.push({ text: word.slice(0, length), isFound: true })
    from = index + length
  }
  if (from < text.length) parts.push({ text: text.slice(from), isFound: false })
  return parts
}

function folded(text: string): string {
  return text.normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase()
}

/** Characters of the word that the longest of the wanted ones covers; 0: none begins it. */
function foundLength(word: string, wanted: readonly string[]): number {
  const plain = folded(word)
  const matches = wanted.filter((each) => each !== '' && plain.startsWith(each))
  const longest = Math.max(0, ...matches.map(({ length }) => length))
  if (longest === 0) return 0
  let length = 0
  for (const character of word) {
    const isEnough = folded(word.slice(0, length)).length >= longest
    // An accent may be a character of its own.
    if (isEnough && folded(character) !== '') break
    length += character.length
  }
  return length
}
