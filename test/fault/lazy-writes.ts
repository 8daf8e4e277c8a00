/**
 * Loaded before a server to break it: what it appends to a log reaches the file some time after
 * the call has returned, as if it kept lines in memory.
 */
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

const LATE_MS = 300

const writeSync = fs.writeSync

function isLog(fd: number): boolean {
  try {
    return fs.readlinkSync(`/proc/self/fd/${fd}`).endsWith('.jsonl')
  } catch {
    return false // No descriptor that can be looked at.
  }
}

function writeLate(fd: number, bytes: Uint8Array): number {
  if (!isLog(fd)) return writeSync(fd, bytes)
  const path = fs.readlinkSync(`/proc/self/fd/${fd}`)
  setTimeout(() => fs.appendFileSync(path, bytes), LATE_MS)
  return bytes.byteLength
}

fs.writeSync = writeLate as typeof fs.writeSync
syncBuiltinESMExports()
