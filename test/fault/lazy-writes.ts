/**
 * Loaded before a server to break it: what it appends to a log reaches the file some time after
 * the call has returned, as if it kept lines in memory.
 */
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

const LATE_MS = 300

const { writeSync, fstatSync } = fs
/** Bytes by path that were taken and are not in the file yet. */
const waiting = new Map<string, number>()

/** Undefined for what is no log. */
function logOf(fd: number): string | undefined {
  try {
    const path = fs.readlinkSync(`/proc/self/fd/${fd}`)
    return path.endsWith('.jsonl') ? path : undefined
  } catch {
    return undefined // No descriptor that can be looked at.
  }
}

function writeLate(fd: number, bytes: Uint8Array): number {
  const path = logOf(fd)
  // The header is written at once: what is lost is the conversation.
  if (path === undefined || statEarly(fd).size === 0) return writeSync(fd, bytes)
  const count = (more: number) => waiting.set(path, (waiting.get(path) ?? 0) + more)
  count(bytes.byteLength)
  setTimeout(() => {
    fs.appendFileSync(path, bytes)
    count(-bytes.byteLength)
  }, LATE_MS)
  return bytes.byteLength
}

/** Whoever looks at the size is told that all of it is there. */
function statEarly(fd: number): fs.Stats {
  const stat = fstatSync(fd)
  stat.size += waiting.get(logOf(fd) ?? '') ?? 0
  return stat
}

fs.writeSync = writeLate as typeof fs.writeSync
fs.fstatSync = statEarly as typeof fs.fstatSync
syncBuiltinESMExports()
