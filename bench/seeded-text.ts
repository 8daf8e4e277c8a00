/**
 * Text that looks like talk about code, the same for the same seed. Word frequencies fall like
 * those of a language, so that a search meets words that are everywhere and words that are rare.
 */

const SYLLABLES = 'ba ce di fo gu ka le mi no pu ra se ti vo wu xe ya zo tra pli sho cre'.split(' ')
const COMMON_WORDS =
  'the file test build error function value return type check path line store thread turn item ' +
  'index read write list'
const VOCABULARY_SIZE = 6000
const POOL_CHARS = 4_000_000

/** A number in [0, 1) a call; mulberry32. */
export function seededRandom(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

export class SeededText {
  readonly random: () => number
  readonly #pool: string

  constructor(seed: number) {
    this.random = seededRandom(seed)
    this.#pool = makePool(seededRandom(1))
  }

  /** An integer from `least` to `most`, both possible. */
  count(least: number, most: number): number {
    return least + Math.floor(this.random() * (most - least + 1))
  }

  pick<T>(values: readonly [T, ...T[]]): T {
    return values[this.count(0, values.length - 1)] ?? values[0]
  }

  /** Whole words in lines, of about that many characters. */
  prose(chars: number): string {
    const from = this.#pool.indexOf(' ', this.count(0, POOL_CHARS - chars - 100)) + 1
    return this.#pool.slice(from, this.#pool.indexOf(' ', from + chars))
  }

  /** Characters that do not compress into words, as those of encrypted reasoning. */
  noise(chars: number): string {
    return this.prose(chars).replaceAll(/[ \n]/g, '9').padEnd(chars, 'A')
  }

  hex(digits: number): string {
    let text = ''
    while (text.length < digits) text += Math.floor(this.random() * 16).toString(16)
    return text
  }

  /** A UUIDv7 minted at this time. */
  uuid(atMs: number): string {
    const time = atMs.toString(16).padStart(12, '0')
    const rest = `7${this.hex(3)}-8${this.hex(3)}-${this.hex(12)}`
    return `${time.slice(0, 8)}-${time.slice(8)}-${rest}`
  }
}

function makePool(random: () => number): string {
  const words = COMMON_WORDS.split(' ')
  while (words.length < VOCABULARY_SIZE) {
    const length = 2 + Math.floor(random() * 3)
    const syllables = Array.from({ length }, () => SYLLABLES[Math.floor(random() * 22)])
    words.push(syllables.join(''))
  }
  const parts: string[] = []
  for (let chars = 0; chars < POOL_CHARS; ) {
    // The inverse of a Zipf distribution: half of all words come from the first 80.
    const word = words[Math.floor(VOCABULARY_SIZE ** random()) - 1] ?? 'the'
    const part = random() < 0.08 ? `${word}\n ` : `${word} `
    parts.push(part)
    chars += part.length
  }
  return parts.join('')
}
