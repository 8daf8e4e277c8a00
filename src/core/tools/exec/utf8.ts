const CONTINUATION_MASK = 0b1100_0000
const CONTINUATION = 0b1000_0000

/** The last index at or before `index` where no UTF-8 character is cut. */
export function floorBoundary(bytes: Uint8Array, index: number): number {
  let at = Math.min(index, bytes.length)
  while (at > 0 && isContinuation(bytes[at])) at -= 1
  return at
}

/** The first index at or after `index` where no UTF-8 character is cut. */
export function ceilBoundary(bytes: Uint8Array, index: number): number {
  let at = Math.max(index, 0)
  while (at < bytes.length && isContinuation(bytes[at])) at += 1
  return at
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & CONTINUATION_MASK) === CONTINUATION
}
