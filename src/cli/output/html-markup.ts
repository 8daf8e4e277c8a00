/** Text that a browser may read as markup. Made by `html` alone, so that nothing goes unescaped. */
export class Html {
  readonly #markup: string

  constructor(markup: string) {
    this.#markup = markup
  }

  toString(): string {
    return this.#markup
  }
}

export type HtmlPart = string | number | Html | readonly Html[]

/** Markup as written, in which every text that is put in is escaped, in attributes too. */
export function html(strings: TemplateStringsArray, ...parts: readonly HtmlPart[]): Html {
  return new Html(String.raw({ raw: strings }, ...parts.map(markupOf)))
}

export const NOTHING = html``

function markupOf(part: HtmlPart): string {
  if (typeof part === 'string') return escaped(part)
  return Array.isArray(part) ? part.join('') : String(part)
}

const ENTITIES: { readonly [character: string]: string } = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the point
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g

/** They would show text in another order than it is in, also the text around it. */
const BIDI_CONTROL = /[\u202a-\u202e\u2066-\u2069]/g

function escaped(text: string): string {
  return text
    .toWellFormed()
    .replace(/\r\n?/g, '\n')
    .replace(CONTROL, '\uFFFD')
    .replace(BIDI_CONTROL, (control) => `[U+${control.charCodeAt(0).toString(16).toUpperCase()}]`)
    .replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
}
