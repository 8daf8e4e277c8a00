/** A number from 0 to below the one given, all alike. */
export type Random = (below: number) => number

/** A small generator with a seed (mulberry32), so that a failure can be repeated. */
export function seededRandom(seed: number): Random {
  let state = seed | 0
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

/** Another seed for each text, so that what it stands for can be repeated alone. */
export function seedOf(seed: number, text: string): number {
  let hash = 0x811c9dc5 ^ seed
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}

/** Throws for an empty list. */
export function oneOf<T>(random: Random, list: readonly T[]): T {
  const picked = list[random(list.length)]
  if (picked === undefined) throw new Error('one of nothing')
  return picked
}
