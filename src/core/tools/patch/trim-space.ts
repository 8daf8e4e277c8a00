const SPACE = /\p{White_Space}/u

function isSpaceAt(text: string, index: number): boolean {
  return SPACE.test(text.charAt(index))
}

/** Unicode white space, not JavaScript's: U+0085 counts, the byte order mark does not. */
export function trimSpace(text: string): string {
  const end = trimSpaceEnd(text)
  let start = 0
  while (start < end.length && isSpaceAt(end, start)) start += 1
  return end.slice(start)
}

/** As `trimSpace`, at the end only. */
export function trimSpaceEnd(text: string): string {
  let end = text.length
  while (end > 0 && isSpaceAt(text, end - 1)) end -= 1
  return text.slice(0, end)
}
