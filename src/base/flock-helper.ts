import { spawn } from 'node:child_process'
import { errorCode, errorText } from './errors.ts'
import { LockFileError, LockUnavailable } from './lock-errors.ts'

const LOCKED = 0
const BUSY = 1

/** What says for good that a program cannot be started. */
const NOT_THERE: readonly (string | undefined)[] = ['ENOENT', 'EACCES', 'ENOTDIR']

/**
 * Has the program `flock` take the lock: it belongs to the open file, not to the process that asks
 * for it, and stays ours when a helper that shares our descriptor has ended. False: another has it
 * for longer than `waitMs`. Throws `LockUnavailable`, and `LockFileError` when it might lock at
 * another time.
 */
export async function lockByHelper(path: string, fd: number, waitMs: number): Promise<boolean> {
  const outcome = await runHelper(fd, waitMs).catch((error: unknown) => {
    throw new LockFileError(path, `flock did not run: ${errorText(error)}`, error)
  })
  if (outcome === LOCKED) return true
  if (outcome === BUSY) return false
  throw new LockUnavailable(`cannot lock ${path}: flock ${outcome}`)
}

/** A text says why it can lock nothing here. */
function runHelper(fd: number, waitMs: number): Promise<typeof LOCKED | typeof BUSY | string> {
  const limit = waitMs > 0 ? AbortSignal.timeout(Math.ceil(waitMs)) : undefined
  return new Promise((done, fail) => {
    const child = spawn('flock', limit ? ['-x', '3'] : ['-x', '-n', '3'], {
      stdio: ['ignore', 'ignore', 'ignore', fd],
      // Ctrl-C is for us, who may still have a lock to take for an orderly end.
      detached: true,
      ...(limit ? { signal: limit, killSignal: 'SIGKILL' } : {}),
    })
    child.once('error', (error) => {
      if (limit?.aborted) done(BUSY)
      else if (NOT_THERE.includes(errorCode(error))) done('is not there')
      else fail(error)
    })
    child.once('exit', (code, signal) => {
      if (limit?.aborted) done(BUSY)
      else if (code === LOCKED || code === BUSY) done(code)
      else if (code !== null) done(`ended with ${code}`)
      else fail(new Error(`it was ended by ${signal}`))
    })
  })
}
