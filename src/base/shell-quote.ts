type Style = 'bare' | 'single' | 'double'

const STYLES: readonly Style[] = ['bare', 'single', 'double']
const BARE = /[A-Za-z0-9+\-./:@_\]]/

/**
 * A command line that a POSIX shell reads back as `argv`, quoted only where needed. A word is cut
 * into the longest pieces that one style can hold; bare wins over single over double quotes.
 * Observed: codex 0.133.0, whose texts this matches byte for byte.
 */
export function shellQuote(argv: readonly string[]): string {
  if (argv.some((word) => word.includes('\0'))) return '<command included NUL byte>'
  return argv.map(quoteWord).join(' ')
}

function quoteWord(word: string): string {
  if (word === '') return "''"
  const pieces: string[] = []
  for (let rest = word; rest !== ''; ) {
    const { text, style } = takePiece(rest)
    pieces.push(quotePiece(text, style))
    rest = rest.slice(text.length)
  }
  return pieces.join('')
}

function takePiece(rest: string): { text: string; style: Style } {
  let open = STYLES
  let length = 0
  for (const char of rest) {
    const next = open.filter((style) => canHold(style, char, length === 0))
    if (next.length === 0) break
    open = next
    length += char.length
  }
  return { text: rest.slice(0, length), style: open[0] ?? 'single' }
}

function canHold(style: Style, char: string, isFirst: boolean): boolean {
  if (style === 'bare') return BARE.test(char)
  if (style === 'double') return !'$`!^'.includes(char)
  // A caret is history substitution unless the quote is right before it.
  return char === '^' ? isFirst : !"'\\".includes(char)
}

function quotePiece(text: string, style: Style): string {
  if (style === 'bare') return text
  return style === 'single' ? `'${text}'` : `"${text.replace(/["\\]/g, '\\$&')}"`
}
