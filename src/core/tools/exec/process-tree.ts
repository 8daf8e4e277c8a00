import { readdirSync, readFileSync } from 'node:fs'
import { assert, errorCode } from '../../../base/index.ts'

const PASSES = 5

interface ProcessRow {
  readonly pid: number
  readonly parent: number
  readonly session: number
}

/** Kills every process of the group that `leader` leads or led. */
export function killGroup(leader: number): void {
  assert(leader > 1, 'a process group has a leader of its own')
  kill(-leader)
}

/**
 * Kills the groups of `leaders` and, where /proc shows them, their whole sessions (a shell with
 * job control makes groups of its own) and their living descendants in other sessions. A daemon
 * that has left both its session and its parents is out of reach.
 */
export function killTrees(leaders: readonly number[]): void {
  const doomed = new Set(leaders)
  for (let pass = 0; pass < PASSES; pass += 1) {
    const rows = readProcesses()
    for (let size = 0; size < doomed.size; ) {
      size = doomed.size
      for (const row of rows) {
        if (doomed.has(row.session) || doomed.has(row.parent)) doomed.add(row.pid)
      }
    }
    for (const leader of leaders) killGroup(leader)
    const others = rows.filter((row) => doomed.has(row.pid) && !leaders.includes(row.pid))
    for (const row of others) kill(row.pid)
    // Looks again: a process may have forked between the look and the signal.
    if (others.length === 0) return
  }
}

function kill(target: number): void {
  try {
    process.kill(target, 'SIGKILL')
  } catch (error) {
    // ESRCH: already gone, which is the aim. EPERM: nothing left but what has changed its user.
    if (errorCode(error) !== 'ESRCH' && errorCode(error) !== 'EPERM') throw error
  }
}

function readProcesses(): ProcessRow[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((name) => readProcess(Number(name)) ?? [])
  } catch {
    // No /proc on this system: the group alone is killed.
    return []
  }
}

/** Undefined for a process that has ended, waited for or not. */
function readProcess(pid: number): ProcessRow | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const [state, parent, , session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return state === 'Z' ? undefined : { pid, parent: Number(parent), session: Number(session) }
  } catch {
    // It ended between the listing and the look.
    return undefined
  }
}
