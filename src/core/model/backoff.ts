const FIRST_MS = 200

/** Wait before the n-th retry (1, 2, …): 200 ms doubled each time, give or take a tenth. */
export function backoffMs(retry: number, random: () => number = Math.random): number {
  return FIRST_MS * 2 ** (retry - 1) * (0.9 + random() * 0.2)
}
