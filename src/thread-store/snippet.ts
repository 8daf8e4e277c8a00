const BEFORE = 60
const AFTER = 140

/** The part of some texts around the first word of a query in them, on one line. */
export function snippetOf(texts: readonly string[], query: string): string {
  const words = queryWords(query)
  for (const text of texts) {
    const at = firstWord(text, words)
    if (at !== undefined) return around(text, at)
  }
  return around(texts[0] ?? '', 0)
}

/** The words of a query, as they are looked for in texts. */
export function queryWords(query: string): string[] {
  const words = plain(query).split(/[^\p{L}\p{N}]+/u)
  return words.filter((word) => word !== '')
}

/** Small letters without their marks, as the full-text index compares them. */
export function plain(text: string): string {
  return text
    .normalize('NFD')
    .replaceAll(/\p{M}+/gu, '')
    .toLowerCase()
}

/** Where the first of some plain words begins in a text; undefined without one. */
export function firstWord(text: string, words: readonly string[]): number | undefined {
  for (const { index, 0: word } of text.matchAll(WORD)) {
    const found = plain(word)
    if (words.some((each) => found.startsWith(each))) return index
    // In scripts without spaces a word may begin anywhere.
    if (UNSPACED.test(found) && words.some((each) => found.includes(each))) return index
  }
  return undefined
}

const WORD = /[\p{L}\p{N}\p{M}]+/gu
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}]/u

function around(text: string, at: number): string {
  const start = wholeAt(text, Math.max(0, at - BEFORE))
  const end = wholeAt(text, Math.min(text.length, at + AFTER))
  const part = text.slice(start, end).replaceAll(/\s+/g, ' ').trim()
  return `${start > 0 ? '…' : ''}${part}${end < text.length ? '…' : ''}`
}

/** Not between the two halves of a character. */
function wholeAt(text: string, at: number): number {
  return /[\uDC00-\uDFFF]/.test(text.charAt(at)) ? at + 1 : at
}
