/**
 * Where Bobbin differs from real Codex without a good reason: to be mended. A fault is passed over
 * wherever it occurs, but has a witness: a script in which it must occur, and which fails once the
 * fault is mended, until it is taken off this list.
 */
import type { Changes } from './differences.ts'

export interface Fault {
  readonly id: string
  readonly what: string
  /** Name of a script. */
  readonly witness: string
  readonly codex?: Changes
  readonly bobbin?: Changes
}

export const ALL_FAULTS: readonly Fault[] = []
