/** Why a rules file cannot be taken, and where. */
export class RulesError extends Error {
  override readonly name = 'RulesError'
  readonly line: number

  constructor(line: number, message: string) {
    super(message)
    this.line = line
  }
}

export type RulesToken =
  | { readonly type: 'name' | 'string'; readonly text: string; readonly line: number }
  /** One of `()[],=+`, `end` for the end of a statement and `eof` behind all. */
  | { readonly type: 'mark'; readonly text: string; readonly line: number }

const MARKS = new Set('()[],=+')
const NAME = /[A-Za-z_]\w*/y
const ESCAPES: { readonly [char: string]: string } = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
  '\n': '',
}

/** The tokens of the part of Starlark that rules files need. Throws `RulesError`. */
export function rulesTokens(text: string): RulesToken[] {
  return new Tokenizer(text).read()
}

class Tokenizer {
  readonly #text: string
  readonly #tokens: RulesToken[] = []
  #at = 0
  #line = 1
  #depth = 0

  constructor(text: string) {
    this.#text = text.replaceAll('\r\n', '\n')
  }

  read(): RulesToken[] {
    while (this.#at < this.#text.length) this.#step(this.#text[this.#at] ?? '')
    if (this.#depth > 0) throw new RulesError(this.#line, 'a bracket is not closed')
    this.#mark('end')
    this.#mark('eof')
    return this.#tokens
  }

  #step(char: string): void {
    if (char === '\n') {
      if (this.#depth === 0) this.#mark('end')
      this.#line += 1
      this.#at += 1
    } else if (char === ' ' || char === '\t') this.#at += 1
    else if (char === ';') this.#take('end')
    else if (char === '#') this.#skipComment()
    else if (char === '\\' && this.#text[this.#at + 1] === '\n') {
      this.#line += 1
      this.#at += 2
    } else if (MARKS.has(char)) {
      this.#depth += '(['.includes(char) ? 1 : ')]'.includes(char) ? -1 : 0
      if (this.#depth < 0) throw new RulesError(this.#line, `\`${char}\` closes nothing`)
      this.#take(char)
    } else if (char === '"' || char === "'") this.#readString(false)
    else if (/r["']/y.test(this.#text.slice(this.#at, this.#at + 2))) {
      this.#at += 1
      this.#readString(true)
    } else this.#readName(char)
  }

  #mark(text: string): void {
    this.#tokens.push({ type: 'mark', text, line: this.#line })
  }

  #take(text: string): void {
    this.#mark(text)
    this.#at += 1
  }

  #skipComment(): void {
    const end = this.#text.indexOf('\n', this.#at)
    this.#at = end === -1 ? this.#text.length : end
  }

  #readName(char: string): void {
    NAME.lastIndex = this.#at
    const text = NAME.exec(this.#text)?.[0]
    if (text === undefined) throw new RulesError(this.#line, `\`${char}\` is not understood here`)
    this.#tokens.push({ type: 'name', text, line: this.#line })
    this.#at += text.length
  }

  #readString(isRaw: boolean): void {
    const line = this.#line
    const quote = this.#text[this.#at] ?? ''
    const isLong = this.#text.startsWith(quote.repeat(3), this.#at)
    const close = isLong ? quote.repeat(3) : quote
    this.#at += close.length
    let text = ''
    while (!this.#text.startsWith(close, this.#at)) {
      const char = this.#text[this.#at]
      if (char === undefined || (char === '\n' && !isLong)) {
        throw new RulesError(line, 'a string is not closed')
      }
      if (char === '\n') this.#line += 1
      this.#at += 1
      text += char === '\\' ? this.#readEscape(isRaw) : char
    }
    this.#at += close.length
    this.#tokens.push({ type: 'string', text, line })
  }

  #readEscape(isRaw: boolean): string {
    const char = this.#text[this.#at] ?? ''
    const ahead = this.#text.slice(this.#at, this.#at + 5)
    const code = /^(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4}))/.exec(ahead)
    if (isRaw) {
      this.#at += 1
      return `\\${char}`
    }
    if (code) {
      this.#at += code[0].length
      return String.fromCharCode(Number.parseInt(code[1] ?? code[2] ?? '', 16))
    }
    const plain = ESCAPES[char]
    if (plain === undefined) throw new RulesError(this.#line, `\`\\${char}\` is no escape`)
    if (char === '\n') this.#line += 1
    this.#at += 1
    return plain
  }
}
