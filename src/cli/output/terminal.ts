import { styleText } from 'node:util'

type Style = Parameters<typeof styleText>[0]

export type ColorChoice = 'auto' | 'always' | 'never'

/** Whether a stream gets colours: asked for, or a terminal that nobody told otherwise. */
function hasColor(stream: NodeJS.WriteStream, choice: ColorChoice): boolean {
  if (choice !== 'auto') return choice === 'always'
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env
  if (NO_COLOR) return false
  if (FORCE_COLOR) return FORCE_COLOR !== '0'
  return stream.isTTY === true && TERM !== 'dumb'
}

/** Writes text to a stream, styled where that is wanted. */
export class Terminal {
  readonly #stream: NodeJS.WriteStream
  readonly #hasColor: boolean

  constructor(stream: NodeJS.WriteStream, choice: ColorChoice = 'auto') {
    this.#stream = stream
    this.#hasColor = hasColor(stream, choice)
  }

  write(text: string): void {
    this.#stream.write(text)
  }

  line(text = ''): void {
    this.#stream.write(`${text}\n`)
  }

  style(style: Style, text: string): string {
    return this.#hasColor ? styleText(style, text, { validateStream: false }) : text
  }
}

// Control characters of stored text could drive the reader's terminal; tabs and newlines may stay.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the point
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g

/** Text from a model, a command or a file, made harmless for a terminal. */
export function printable(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(CONTROL, '\uFFFD')
}

/** At most `most` lines, with a word about the rest. */
export function headLines(text: string, most: number): string[] {
  const lines = printable(text).trimEnd().split('\n')
  if (lines.length <= most) return lines
  return [...lines.slice(0, most), `… ${lines.length - most} more lines`]
}
