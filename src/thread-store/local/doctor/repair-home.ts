import { join } from 'node:path'
import { errorText } from '../../../base/index.ts'
import { parseRolloutName } from '../../../rollout/index.ts'
import type { Finding } from './finding.ts'
import type { InspectHome } from './inspect-home.ts'
import { setIndexAside } from './inspect-index.ts'
import { closeModes } from './inspect-modes.ts'
import { REPAIRS_FOLDER } from './inspect-places.ts'
import { openIndex, probeIndex } from './open-index.ts'
import {
  moveToBackups,
  type RepairContext,
  type RepairOutcome,
  repairRollout,
} from './repair-rollout.ts'
import { walkHome } from './walk-home.ts'

/**
 * Mends what `findings` say can be mended; every file is copied into the home's `repairs` folder
 * before it is written anew. One file after the other: whatever ends this leaves each whole, and
 * the signal ends it between two.
 */
export async function repairHome(
  params: InspectHome,
  findings: readonly Finding[],
): Promise<RepairOutcome[]> {
  const { home, files, clock, signal } = params
  const nowMs = clock.nowMs()
  const { index } = await openIndex(files, home, probeIndex(nowMs))
  const outcomes: RepairOutcome[] = []
  {
    using _ = index
    const time = new Date(nowMs).toISOString().replaceAll(/[:.]/g, '-')
    const backups = join(home, REPAIRS_FOLDER, time)
    const context: RepairContext = { home, files, nowMs, backups, index }
    for (const path of pathsOf(findings, 'rewrite')) {
      if (signal?.aborted) return outcomes
      const name = parseRolloutName(path)
      if (name) outcomes.push(await repairRollout(context, { ...name, path, isArchived: false }))
    }
    for (const path of pathsOf(findings, 'move_leftover')) {
      outcomes.push(await attempt('move_leftover', path, () => moveToBackups(context, path)))
    }
  }
  for (const path of pathsOf(findings, 'set_index_aside')) {
    outcomes.push(await attempt('set_index_aside', path, async () => setIndexAside(home, nowMs)))
  }
  if (findings.some(({ repair }) => repair === 'close_modes')) {
    outcomes.push(await close(params))
  }
  return outcomes
}

/** Each file once, whatever the number of its troubles. */
function pathsOf(findings: readonly Finding[], repair: Finding['repair']): string[] {
  const paths = findings
    .filter((each) => each.repair === repair)
    .flatMap(({ path }) => (path === null ? [] : [path]))
  return [...new Set(paths)]
}

const NO_LINES = { kept: 0, removed: 0, headersMade: 0 }

async function attempt(
  what: RepairOutcome['what'],
  path: string,
  move: () => Promise<string>,
): Promise<RepairOutcome> {
  try {
    const backup = await move()
    return { what, path, status: 'done', told: 'moved away', backup, ...NO_LINES }
  } catch (error) {
    return { what, path, status: 'failed', told: errorText(error), backup: null, ...NO_LINES }
  }
}

/** After the other repairs, which make files and folders. */
async function close({ home, files }: InspectHome): Promise<RepairOutcome> {
  const { changed, failures } = await closeModes(files, home, await walkHome(files, home))
  const told = { what: 'close_modes', path: home, backup: null, ...NO_LINES } as const
  const text = `${changed} files and folders closed to others`
  if (failures.length === 0) return { ...told, status: 'done', told: text }
  return { ...told, status: 'failed', told: `${text}, not ${failures.join('; ')}` }
}
