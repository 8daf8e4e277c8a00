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

/** Whether a text holds all words of a query, each as the beginning of one, and its phrases. */
export function holdsQuery(text: string, query: string): boolean {
  const parts = (query.match(/"[^"]*"|[^\s"]+/g) ?? [])
    .map((part) => ({ words: wordsOf(part), isPhrase: part.startsWith('"') }))
    .filter(({ words }) => words.length > 0)
  const all = wordsOf(text)
  return parts.length > 0 && parts.every((part) => holds(all, part.words, part.isPhrase))
}

function holds(all: readonly string[], words: readonly string[], isPhrase: boolean): boolean {
  const last = words.length - 1
  const isAt = (start: number) =>
    words.every((word, index) => {
      const found = all[start + index] ?? ''
      return index === last && !isPhrase ? found.startsWith(word) : found === word
    })
  return all.some((_, start) => isAt(start))
}

function queryWords(query: string): string[] {
  return plain(query).match(/[\p{L}\p{N}]+/gu) ?? []
}

/** In scripts without spaces each character is a word. */
function wordsOf(text: string): string[] {
  return (
    plain(text)
      .replaceAll(UNSPACED, ' $& ')
      .match(/[\p{L}\p{N}]+/gu) ?? []
  )
}

/** Small letters without their marks, as the full-text index compares them. */
function plain(text: string): string {
  return text
    .normalize('NFD')
    .replaceAll(/[\u0300-\u036F]/g, '')
    .normalize('NFC')
    .toLowerCase()
}

/** Where the first of some plain words begins in a text; undefined without one. */
function firstWord(text: string, words: readonly string[]): number | undefined {
  for (const { index, 0: word } of text.matchAll(WORD)) {
    const found = plain(word)
    if (words.some((each) => found.startsWith(each))) return index
    const isUnspaced = found.search(UNSPACED) !== -1
    if (isUnspaced && words.some((each) => found.includes(each))) return index
  }
  return undefined
}

const WORD = /[\p{L}\p{N}\p{M}]+/gu
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}]/gu

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
