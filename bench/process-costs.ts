/** What the kernel says that a running process takes; Linux only. */
import { readFileSync } from 'node:fs'

/** Linux counts CPU in hundredths of a second. */
const TICK_MS = 10

/** User and system time of a process and the children it has waited for, in milliseconds. */
export function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  const ticks = fields.slice(11, 15).map(Number)
  return ticks.reduce((sum, each) => sum + each, 0) * TICK_MS
}

/** Memory that the process has now. */
export function residentKib(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s*(\d+) kB/.exec(status)?.[1])
}

/** The most memory that the process has had so far. */
export function peakMegabytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/VmHWM:\s*(\d+) kB/.exec(status)?.[1]) / 1024
}
