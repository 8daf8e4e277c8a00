/** A word of a command, as the program would get it. */
export interface ShellWord {
  readonly text: string
  /** The same, but with the backslashes that quote something. */
  readonly raw: string
  /** Unquoted glob or brace characters: what the shell passes on can be other words. */
  readonly isExpanding: boolean
  /** Without any quoting. */
  readonly isPlain: boolean
}

const RESERVED = new Set(
  '! { } [[ ]] if then elif else fi for while until do done case esac select function in'.split(
    ' ',
  ),
)
const EXPANDING = new Set('*?[]{}')
const REFUSED = new Set('$`()<>')
const ESCAPED_IN_DOUBLE_QUOTES = new Set('$`"\\')
// What a shell does with other control characters differs; tab and newline are separators.
const CONTROL = /(?![\t\n])\p{Cc}/u
const ASSIGNMENT = /^[A-Za-z_]\w*\+?=/

/**
 * The simple commands of `a && b | c ; d || e`, newlines included. Undefined for anything that is
 * not plain words between these operators: redirections, substitutions, variables, groups, jobs,
 * comments, keywords, assignments, a quoted command name.
 */
export function splitShellWords(script: string): ShellWord[][] | undefined {
  return CONTROL.test(script) ? undefined : new ShellSplitter(script).split()
}

class ShellSplitter {
  readonly #script: string
  readonly #segments: ShellWord[][] = []
  #at = 0
  #words: ShellWord[] = []
  #text = ''
  #raw = ''
  #isInWord = false
  #isExpanding = false
  #isPlain = true
  /** An operator was read whose right side is still missing. */
  #isOpen = false

  constructor(script: string) {
    this.#script = script
  }

  split(): ShellWord[][] | undefined {
    while (this.#at < this.#script.length) {
      if (!this.#step()) return undefined
    }
    if (!this.#endSegment('newline')) return undefined
    return this.#isOpen || this.#segments.length === 0 ? undefined : this.#segments
  }

  #step(): boolean {
    const char = this.#script[this.#at] ?? ''
    this.#at += 1
    if (char === ' ' || char === '\t') return this.#endWord()
    if (char === '\n') return this.#endSegment('newline')
    if (char === ';') return this.#endSegment('semicolon')
    if (char === '&' || char === '|') return this.#readOperator(char)
    if (char === "'") return this.#readSingleQuoted()
    if (char === '"') return this.#readDoubleQuoted()
    if (char === '\\') return this.#readEscaped()
    if (REFUSED.has(char) || (char === '#' && !this.#isInWord)) return false
    if (EXPANDING.has(char)) this.#isExpanding = true
    this.#append(char)
    return true
  }

  #readOperator(char: string): boolean {
    const isDouble = this.#script[this.#at] === char
    if (isDouble) this.#at += 1
    if (char === '&' && !isDouble) return false
    return this.#endSegment('operator')
  }

  #readSingleQuoted(): boolean {
    const end = this.#script.indexOf("'", this.#at)
    if (end === -1) return false
    this.#append(this.#script.slice(this.#at, end))
    this.#isPlain = false
    this.#at = end + 1
    return true
  }

  #readDoubleQuoted(): boolean {
    this.#isPlain = false
    this.#isInWord = true
    while (this.#at < this.#script.length) {
      const char = this.#script[this.#at] ?? ''
      this.#at += 1
      if (char === '"') return true
      if (char === '$' || char === '`') return false
      if (char === '\\') this.#readEscapedInDoubleQuotes()
      else this.#append(char)
    }
    return false
  }

  #readEscapedInDoubleQuotes(): void {
    const next = this.#script[this.#at] ?? ''
    if (next === '\n') this.#at += 1
    else if (ESCAPED_IN_DOUBLE_QUOTES.has(next)) {
      this.#append(next, `\\${next}`)
      this.#at += 1
    } else this.#append('\\')
  }

  #readEscaped(): boolean {
    const next = this.#script[this.#at]
    if (next === undefined) return false
    this.#at += 1
    if (next === '\n') return true
    this.#append(next, `\\${next}`)
    this.#isPlain = false
    return true
  }

  #append(text: string, raw = text): void {
    this.#text += text
    this.#raw += raw
    this.#isInWord = true
  }

  /** False when the word may not stand where it stands. */
  #endWord(): boolean {
    if (!this.#isInWord) return true
    const [text, raw] = [this.#text, this.#raw]
    const word = { text, raw, isExpanding: this.#isExpanding, isPlain: this.#isPlain }
    this.#text = ''
    this.#raw = ''
    this.#isInWord = false
    this.#isExpanding = false
    this.#isPlain = true
    if (this.#words.length === 0 && !isCommandName(word)) return false
    this.#words.push(word)
    return true
  }

  #endSegment(separator: 'newline' | 'semicolon' | 'operator'): boolean {
    if (!this.#endWord()) return false
    if (this.#words.length === 0) return separator === 'newline'
    this.#segments.push(this.#words)
    this.#words = []
    this.#isOpen = separator === 'operator'
    return true
  }
}

function isCommandName(word: ShellWord): boolean {
  if (!word.isPlain || word.isExpanding) return false
  return !RESERVED.has(word.text) && !ASSIGNMENT.test(word.text)
}
