const FIRST_MS = 200
const LONGEST_MS = 60_000

/**
 * Wait before the n-th retry (1, 2, …): 200 ms doubled each time up to a minute, give or take a
 * tenth.
 */
export function backoffMs(retry: number, random: () => number = Math.random): number {
  return Math.min(FIRST_MS * 2 ** (retry - 1), LONGEST_MS) * (0.9 + random() * 0.2)
}
