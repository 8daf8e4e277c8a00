/**
 * Where Bobbin differs from real Codex without a good reason: to be mended. A fault is passed over
 * wherever it occurs, but has a witness: a script in which it must occur, and which fails once the
 * fault is mended, until it is taken off this list.
 */
import { isObject, type Json, objectAt } from '../../../src/base/index.ts'
import type { Changes } from './differences.ts'
import { without } from './facet-changes.ts'

export interface Fault {
  readonly what: string
  /** Name of a script. */
  readonly witness: string
  readonly codex?: Changes
  readonly bobbin?: Changes
}

export const FAULTS = {
  'window-after-resume': {
    what: '`x-codex-window-id` counts the compactions that the log holds; ours only its own',
    witness: 'condensed by hand, then a turn, then resumed',
    codex: { requests: withoutWindow },
    bobbin: { requests: withoutWindow },
  },
} as const satisfies { readonly [id: string]: Fault }

function withoutWindow(values: readonly Json[]): Json[] {
  return values.map((value) => {
    const headers = isObject(value) ? objectAt(value, 'headers') : undefined
    if (!isObject(value) || !headers) return value
    return { ...value, headers: without(['x-codex-window-id'])(headers) }
  })
}

export const ALL_FAULTS: readonly (Fault & { readonly id: string })[] = Object.entries(FAULTS).map(
  ([id, fault]) => ({ id, ...fault }),
)
