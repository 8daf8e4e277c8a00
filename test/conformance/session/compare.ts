/** Both traces side by side, without the differences that a script names. */
import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import { type Difference, type DifferenceId, differenceOf } from './differences.ts'
import { type Facets, normalised, numbered } from './normalise.ts'
import type { Trace } from './trace.ts'

export interface Pair {
  readonly codex: Facets
  readonly bobbin: Facets
}

/** Throws what differs and is not named, then what is named and does not differ. */
export function assertSame(codex: Trace, bobbin: Trace, named: readonly DifferenceId[]): void {
  const pair = { codex: normalised(codex), bobbin: normalised(bobbin) }
  const same = without(pair, named)
  for (const facet of ['refusals', 'requests', 'rollout', 'events'] as const) {
    const expected = same.codex[facet]
    assert.deepEqual(same.bobbin[facet], expected, `${facet} differ from real Codex's`)
  }
  for (const id of named) {
    const others = named.filter((other) => other !== id)
    const { codex: expected, bobbin: got } = without(pair, others)
    assert.ok(!isDeepStrictEqual(got, expected), `no difference any more: ${id}`)
  }
}

function without(pair: Pair, named: readonly DifferenceId[]): Pair {
  const apply = (facets: Facets, side: 'codex' | 'bobbin') => {
    const reduced = named.map(differenceOf).reduce((former, difference: Difference) => {
      const change = difference[side]
      const { where } = difference
      return change ? { ...former, [where]: change(former[where]) } : former
    }, facets)
    return numbered(reduced)
  }
  return { codex: apply(pair.codex, 'codex'), bobbin: apply(pair.bobbin, 'bobbin') }
}
