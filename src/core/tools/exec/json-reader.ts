import { formatRustFloat, quoteRustString } from '../../../base/index.ts'

/** Arguments that a tool cannot take; the message is the tool's output text. */
export class ArgumentsError extends Error {
  constructor(reason: string) {
    super(`failed to parse function arguments: ${reason}`)
    this.name = 'ArgumentsError'
  }
}

export type JsonNumber = { kind: 'integer'; value: bigint } | { kind: 'float'; value: number }

/** What serde says when the text ends where a value should start. */
export const END_OF_VALUE = 'EOF while parsing a value'
const INTEGER_MIN = -(2n ** 63n)
const INTEGER_MAX = 2n ** 64n - 1n
const SPACES = new Set(Buffer.from(' \t\n\r'))
const SIMPLE_ESCAPES = new Set(Buffer.from('"\\/bfnrt'))
const code = (char: string) => char.charCodeAt(0)
const isDigit = (byte: number | undefined) =>
  byte !== undefined && byte >= code('0') && byte <= code('9')

/**
 * Reads JSON text from left to right and fails where serde_json fails, with its words: a column
 * counts bytes, and is either behind what was consumed (`fail`) or on the next byte (`failAhead`).
 */
export class JsonReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(text: string) {
    this.#bytes = Buffer.from(text)
  }

  fail(reason: string): never {
    this.#failAt(reason, this.#at)
  }

  failAhead(reason: string): never {
    this.#failAt(reason, Math.min(this.#bytes.length, this.#at + 1))
  }

  /** Fails with `atEnd` when the text is over, else with `otherwise`. */
  failExpecting(atEnd: string, otherwise: string): never {
    this.failAhead(this.#at < this.#bytes.length ? otherwise : atEnd)
  }

  /** The next byte behind white space, as a character; '' at the end. Consumes only the space. */
  peek(): string {
    while (SPACES.has(this.#bytes[this.#at] ?? -1)) this.#at += 1
    const byte = this.#bytes[this.#at]
    return byte === undefined ? '' : String.fromCharCode(byte)
  }

  /** Consumes `char` behind white space, or leaves it and answers false. */
  accept(char: string): boolean {
    if (this.peek() !== char) return false
    this.#at += 1
    return true
  }

  expectEnd(): void {
    if (this.peek() !== '') this.failAhead('trailing characters')
  }

  readWord(word: 'null' | 'true' | 'false'): void {
    this.peek()
    for (const char of word) {
      const byte = this.#bytes[this.#at]
      if (byte === undefined) this.fail(END_OF_VALUE)
      this.#at += 1
      if (byte !== code(char)) this.fail('expected ident')
    }
  }

  readString(): string {
    this.peek()
    const start = this.#at
    this.#scanString('decode')
    return JSON.parse(this.#bytes.toString('utf8', start, this.#at)) as string
  }

  readNumber(): JsonNumber {
    this.peek()
    const start = this.#at
    this.#scanNumber(END_OF_VALUE)
    const token = this.#bytes.toString('latin1', start, this.#at)
    if (/^-?\d+$/.test(token) && token !== '-0') {
      const value = BigInt(token)
      if (value >= INTEGER_MIN && value <= INTEGER_MAX) return { kind: 'integer', value }
    }
    const value = Number(token)
    if (!Number.isFinite(value)) this.fail('number out of range')
    return { kind: 'float', value }
  }

  /** Fails because the next value is not what was expected; a scalar is read to be named. */
  failType(expected: string): never {
    this.fail(`invalid type: ${this.#describeValue()}, expected ${expected}`)
  }

  /** Consumes a value of any kind, however deep, checking its form only. */
  skipValue(): void {
    const open: ('[' | '{')[] = []
    for (;;) {
      const opened = this.#skipScalarOrOpen()
      if (opened !== undefined) open.push(opened)
      if (opened === undefined || this.accept(opened === '[' ? ']' : '}')) {
        if (opened !== undefined) open.pop()
        if (!this.#hasNextMember(open)) return
      } else if (this.peek() === '') {
        this.failAhead(endOf(opened))
      }
      if (open.at(-1) === '{') this.#skipKey()
    }
  }

  readColon(): void {
    if (!this.accept(':')) this.failExpecting(endOf('{'), 'expected `:`')
  }

  #hasNextMember(open: ('[' | '{')[]): boolean {
    for (;;) {
      const inside = open.at(-1)
      if (inside === undefined) return false
      if (this.accept(',')) return true
      const close = inside === '[' ? ']' : '}'
      if (!this.accept(close)) this.failExpecting(endOf(inside), `expected \`,\` or \`${close}\``)
      open.pop()
    }
  }

  #skipKey(): void {
    if (this.peek() !== '"') this.failExpecting(endOf('{'), 'key must be a string')
    this.#scanString('skip')
    this.readColon()
  }

  #skipScalarOrOpen(): '[' | '{' | undefined {
    const next = this.peek()
    if (next === '[' || next === '{') {
      this.#at += 1
      return next
    }
    const word = wordFor(next)
    if (word) this.readWord(word)
    else if (next === '"') this.#scanString('skip')
    else if (/[-\d]/.test(next)) this.#scanNumber('invalid number')
    else this.failExpecting(END_OF_VALUE, 'expected value')
    return undefined
  }

  #describeValue(): string {
    const next = this.peek()
    if (next === '[') return 'sequence'
    if (next === '{') return 'map'
    if (next === '"') return `string ${quoteRustString(this.readString())}`
    const word = wordFor(next)
    if (word) {
      this.readWord(word)
      return word === 'null' ? word : `boolean \`${word}\``
    }
    if (!/[-\d]/.test(next)) this.failExpecting(END_OF_VALUE, 'expected value')
    return describeNumber(this.readNumber())
  }

  #scanString(mode: 'decode' | 'skip'): void {
    this.#at += 1
    for (;;) {
      const byte = this.#bytes[this.#at]
      if (byte === undefined) this.fail('EOF while parsing a string')
      if (byte < 0x20) {
        if (mode === 'decode') this.#at += 1
        this.fail('control character (\\u0000-\\u001F) found while parsing a string')
      }
      this.#at += 1
      if (byte === code('"')) return
      if (byte === code('\\')) this.#scanEscape(mode)
    }
  }

  #scanEscape(mode: 'decode' | 'skip'): void {
    const kind = this.#takeStringByte()
    if (SIMPLE_ESCAPES.has(kind)) return
    if (kind !== code('u')) this.fail('invalid escape')
    const unit = this.#takeHex()
    if (mode === 'skip' || unit < 0xd800 || unit > 0xdfff) return
    if (unit >= 0xdc00) this.fail('lone leading surrogate in hex escape')
    for (const char of '\\u') {
      if (this.#takeStringByte() !== code(char)) this.fail('unexpected end of hex escape')
    }
    const low = this.#takeHex()
    if (low < 0xdc00 || low > 0xdfff) this.fail('lone leading surrogate in hex escape')
  }

  #takeHex(): number {
    const end = Math.min(this.#at + 4, this.#bytes.length)
    const digits = this.#bytes.toString('latin1', this.#at, end)
    this.#at = end
    if (digits.length < 4) this.fail('EOF while parsing a string')
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) this.fail('invalid escape')
    return Number.parseInt(digits, 16)
  }

  #takeStringByte(): number {
    const byte = this.#bytes[this.#at]
    if (byte === undefined) this.fail('EOF while parsing a string')
    this.#at += 1
    return byte
  }

  #scanNumber(atEnd: string): void {
    this.#acceptByte('-')
    if (this.#acceptByte('0')) {
      if (isDigit(this.#bytes[this.#at])) this.failAhead('invalid number')
    } else this.#scanDigits(atEnd)
    if (this.#acceptByte('.')) this.#scanDigits(atEnd)
    if (this.#acceptByte('e') || this.#acceptByte('E')) {
      if (!this.#acceptByte('+')) this.#acceptByte('-')
      this.#scanDigits(atEnd)
    }
  }

  #scanDigits(atEnd: string): void {
    if (!isDigit(this.#bytes[this.#at])) this.failExpecting(atEnd, 'invalid number')
    while (isDigit(this.#bytes[this.#at])) this.#at += 1
  }

  #acceptByte(char: string): boolean {
    if (this.#bytes[this.#at] !== code(char)) return false
    this.#at += 1
    return true
  }

  #failAt(reason: string, index: number): never {
    const before = this.#bytes.toString('latin1', 0, index)
    const line = before.split('\n').length
    const column = index - (before.lastIndexOf('\n') + 1)
    throw new ArgumentsError(`${reason} at line ${line} column ${column}`)
  }
}

export function describeNumber(number: JsonNumber): string {
  if (number.kind === 'integer') return `integer \`${number.value}\``
  return `floating point \`${formatRustFloat(number.value)}\``
}

/** What serde says when the text ends inside a list or an object. */
export function endOf(bracket: '[' | '{'): string {
  return `EOF while parsing ${bracket === '[' ? 'a list' : 'an object'}`
}

function wordFor(first: string): 'null' | 'true' | 'false' | undefined {
  if (first === 'n') return 'null'
  if (first === 't') return 'true'
  return first === 'f' ? 'false' : undefined
}
