/** Both traces side by side, without the differences that a script names. */
import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import { isObject } from '../../../src/base/index.ts'
import type { Compared } from '../methods/record.ts'
import { type Changes, differenceOf } from './differences.ts'
import { ALL_FAULTS, type Fault } from './faults.ts'
import { type Facets, normalised, numbered } from './normalise.ts'
import type { SessionScript } from './script.ts'
import type { Trace } from './trace.ts'

const FACETS = ['refusals', 'answers', 'requests', 'rollout', 'events'] as const

interface Pair {
  readonly codex: Facets
  readonly bobbin: Facets
}

/** Something that is taken out of both sides, by its name. */
interface Allowance {
  readonly id: string
  readonly codex?: Changes
  readonly bobbin?: Changes
}

/** Throws what differs and is not named, then what is named and does not differ. */
export function assertSame(
  script: SessionScript,
  codex: Trace,
  bobbin: Trace,
  faults: readonly Fault[] = ALL_FAULTS,
): void {
  const pair = { codex: normalised(codex), bobbin: normalised(bobbin) }
  const all = allowancesOf(script, faults)
  const same = without(pair, all)
  for (const facet of FACETS) {
    const expected = same.codex[facet]
    assert.deepEqual(same.bobbin[facet], expected, `${facet} differ from real Codex's`)
  }
  const witnessed = faults.filter(({ witness }) => witness === script.name).map(({ id }) => id)
  const certain = (script.differences ?? []).filter((id) => !differenceOf(id).isRacy)
  for (const id of [...certain, ...witnessed]) {
    const { codex: expected, bobbin: got } = without(
      pair,
      all.filter((other) => other.id !== id),
    )
    assert.ok(!isDeepStrictEqual(got, expected), `no difference any more: ${id}`)
  }
}

/**
 * What was compared of the methods that the script has used: the answers, and which of the named
 * differences are in those.
 */
export function comparedMethods(script: SessionScript, codex: Trace, bobbin: Trace): Compared[] {
  const pair = { codex: normalised(codex), bobbin: normalised(bobbin) }
  const all = allowancesOf(script, [])
  const isSameWithout = (id: string, method: string) => {
    const others = without(
      pair,
      all.filter((each) => each.id !== id),
    )
    const of = ({ answers }: Facets) =>
      answers.filter((answer) => isObject(answer) && answer.method === method)
    return isDeepStrictEqual(of(others.bobbin), of(others.codex))
  }
  const methods = new Set(codex.answers.map(({ method }) => String(method)))
  return [...methods].map((method) => {
    const named = all.map(({ id }) => id).filter((id) => !isSameWithout(id, method))
    return { method, isAnswered: true, differences: named }
  })
}

/** Both sides without what is allowed, with their ids numbered. */
export function without(pair: Pair, allowed: readonly Allowance[]): Pair {
  const reduce = (facets: Facets, side: 'codex' | 'bobbin') =>
    numbered(allowed.reduce((former, { [side]: changes = {} }) => changed(former, changes), facets))
  return { codex: reduce(pair.codex, 'codex'), bobbin: reduce(pair.bobbin, 'bobbin') }
}

function changed(facets: Facets, changes: Changes): Facets {
  const entries = FACETS.map((facet) => [facet, changes[facet]?.(facets[facet]) ?? facets[facet]])
  return Object.fromEntries(entries) as unknown as Facets
}

/** What the script names, and every fault. */
export function allowancesOf(script: SessionScript, faults: readonly Fault[]): Allowance[] {
  const named = (script.differences ?? []).map((id) => ({ id, ...differenceOf(id) }))
  return [...named, ...faults]
}
