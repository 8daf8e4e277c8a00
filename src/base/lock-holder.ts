/** Who has a lock that we were refused. Facts for a person: they may be old when they are read. */
import {
  closeSync,
  constants,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  statSync,
} from 'node:fs'
import { errorCode } from './errors.ts'

const MAX_BYTES = 4096
const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants

/** What the lock file says, at most 4 KiB; empty when it cannot be read. */
export function readLockText(path: string): string {
  try {
    const fd = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
    try {
      const bytes = Buffer.alloc(MAX_BYTES)
      return bytes.toString('utf8', 0, readSync(fd, bytes, 0, MAX_BYTES, 0))
    } finally {
      closeSync(fd)
    }
  } catch {
    return ''
  }
}

/**
 * Whether the process has the file locked, as far as we may see; where the system tells no locks
 * (it is not Linux), whether there is such a process.
 */
export function holdsLock(path: string, pid: number): boolean {
  try {
    const { dev, ino } = statSync(path)
    return readdirSync(`/proc/${pid}/fd`).some((fd) => {
      const opened = statSync(`/proc/${pid}/fd/${fd}`, { throwIfNoEntry: false })
      if (opened?.ino !== ino || opened.dev !== dev) return false
      return /^lock:.* FLOCK /m.test(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8'))
    })
  } catch {
    return process.platform !== 'linux' && isAlive(pid)
  }
}

/** The process that took the lock itself; undefined when a helper did, or it cannot be told. */
export function findLockHolder(path: string): number | undefined {
  try {
    const { ino } = statSync(path)
    const lines = readFileSync('/proc/locks', 'utf8').split('\n')
    const pids = lines.flatMap((line) => {
      // 1: FLOCK  ADVISORY  WRITE 27923 fe:00:2154504 0 EOF
      const [, kind, , , pid, place] = line.split(/\s+/)
      return kind === 'FLOCK' && place?.endsWith(`:${ino}`) ? [Number(pid)] : []
    })
    return pids.find((pid) => holdsLock(path, pid))
  } catch {
    return undefined
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return errorCode(error) === 'EPERM'
  }
}
