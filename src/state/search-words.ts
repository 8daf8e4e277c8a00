/** Longer texts are mostly generated; their beginning is enough to find them. */
const MOST_CHARACTERS = 64 * 1024

/** Scripts without spaces between words: each character is a word of its own. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}]/gu

/** Text as the full-text index takes it. */
export function searchable(text: string): string {
  return spaced(text.slice(0, MOST_CHARACTERS))
}

function spaced(text: string): string {
  return text.replace(UNSPACED, ' $& ')
}

/**
 * What a person typed, as an FTS5 expression: all words have to be there, each as the beginning of
 * one, and `"…"` is a phrase. Nothing in it can be an operator. Empty when it holds no word.
 */
export function toMatch(query: string): string {
  // SQLite would take a zero for the end of the expression.
  const parts = query.replaceAll('\0', ' ').match(/"[^"]*"|[^\s"]+/g) ?? []
  const terms = parts.map((part) => {
    const isPhrase = part.startsWith('"')
    const words = spaced(part.replaceAll('"', '')).trim()
    if (!/[\p{L}\p{N}]/u.test(words)) return ''
    return isPhrase ? `"${words}"` : `"${words}" *`
  })
  return terms.filter((term) => term !== '').join(' AND ')
}
