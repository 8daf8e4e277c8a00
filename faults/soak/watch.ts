/** What a server takes of the machine while it runs, from what the kernel says; Linux only. */
import { readdirSync, readFileSync } from 'node:fs'
import { residentKib } from '../../bench/process-costs.ts'

export interface Sample {
  readonly atMs: number
  readonly residentMiB: number
  readonly handles: number
  readonly children: number
  /** Locks of threads that the process has. */
  readonly leases: number
}

/** Throws when the process is gone. */
export function sampleOf(pid: number, atMs: number): Sample {
  const handles = readdirSync(`/proc/${pid}/fd`).length
  return {
    atMs,
    residentMiB: residentKib(pid) / 1024,
    handles,
    children: childrenOf(pid).length,
    leases: leasesOf(pid),
  }
}

export function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => parentOf(name) === pid)
    .map(Number)
}

function parentOf(pid: string): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  } catch {
    return 0 // It has ended since.
  }
}

/** Locks are told with the process that took them, or with that which passed them on: by handle. */
function leasesOf(pid: number): number {
  const folder = `/proc/${pid}/fdinfo`
  const held = readdirSync(folder).filter((name) => {
    try {
      return /^lock:/m.test(readFileSync(`${folder}/${name}`, 'utf8'))
    } catch {
      return false // It was closed since.
    }
  })
  return held.length
}
