const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** Why a text is no base64, in the words of 0.133.0's decoder. */
export class Base64Error extends Error {
  override readonly name = 'Base64Error'
}

/** Canonical, padded base64 and nothing else: Node alone would pass over what is wrong. */
export function decodeBase64(text: string): Buffer {
  const content = text.replace(/={1,2}$/, '')
  const at = [...content].findIndex((char) => !ALPHABET.includes(char))
  if (at !== -1) {
    const code = Buffer.from([...content][at] ?? '')[0]
    throw new Base64Error(`Invalid symbol ${code}, offset ${at}.`)
  }
  const rest = content.length % 4
  if (rest === 1) throw new Base64Error(`Invalid input length: ${text.length}`)
  const padding = text.length - content.length
  const expected = rest === 0 ? 0 : 4 - rest
  if (padding > expected) {
    throw new Base64Error(`Invalid symbol 61, offset ${content.length}.`)
  }
  if (padding < expected) throw new Base64Error('Invalid padding')
  refuseLooseBits(content, rest)
  return Buffer.from(content, 'base64')
}

/** The last character may carry nothing beyond the last byte. */
function refuseLooseBits(content: string, rest: number): void {
  const last = content.at(-1)
  if (last === undefined || rest === 0) return
  const mask = rest === 2 ? 0b1111 : 0b11
  if ((ALPHABET.indexOf(last) & mask) === 0) return
  const code = last.charCodeAt(0)
  throw new Base64Error(`Invalid last symbol ${code}, offset ${content.length - 1}.`)
}
