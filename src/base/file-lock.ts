import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { errorCode, errorText } from './errors.ts'
import { systemFlock, type TryLock } from './flock.ts'
import { lockByHelper } from './flock-helper.ts'
import { LockFileError, LockUnavailable } from './lock-errors.ts'

/**
 * An exclusive `flock(2)` on a file, held until it is disposed or this process dies, however that
 * happens; the programs that this process starts do not inherit it. A second `take` in the same
 * process is refused like one in another.
 */
export class FileLock implements AsyncDisposable {
  readonly #path: string
  #fd: number | undefined

  private constructor(path: string, fd: number) {
    this.#path = path
    this.#fd = fd
  }

  /**
   * Makes the file (0600) and its folder (0700) where they are missing, and waits up to `waitMs`,
   * 0 when not given. Undefined: another has the lock. Throws `LockUnavailable`, `LockFileError`.
   */
  static async take(
    path: string,
    { waitMs = 0 }: { readonly waitMs?: number } = {},
  ): Promise<FileLock | undefined> {
    const untilMs = performance.now() + waitMs
    for (;;) {
      const fd = openLockFile(path)
      let isTaken = false
      try {
        if (!(await lockDescriptor(path, fd, untilMs))) return undefined
        // Another may have removed the file, or put one in its place, before the lock was ours.
        isTaken = isNamed(path, fd)
        if (isTaken) return new FileLock(path, fd)
      } finally {
        if (!isTaken) closeSync(fd)
      }
    }
  }

  /** Replaces the content of the file, for those who are refused. Never synced. */
  write(text: string): void {
    if (this.#fd === undefined) return
    const bytes = Buffer.from(text)
    // Cut afterwards: whoever reads in between finds the new text with a rest of the old.
    writeSync(this.#fd, bytes, 0, bytes.length, 0)
    ftruncateSync(this.#fd, bytes.length)
  }

  /**
   * Removes the file, if it is still this one. Safe only where taking and removing are guarded by
   * another lock, or whoever takes looks again whether the file is there.
   */
  remove(): void {
    if (this.#fd !== undefined && isNamed(this.#path, this.#fd)) unlinkSync(this.#path)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#fd === undefined) return
    closeSync(this.#fd)
    this.#fd = undefined
  }
}

const { O_RDWR, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants

function openLockFile(path: string): number {
  let fd: number
  try {
    makeFolder(dirname(path))
    fd = openSync(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600)
  } catch (error) {
    const reason = errorCode(error) === 'ELOOP' ? 'it is a symbolic link' : errorText(error)
    throw new LockFileError(path, reason, error)
  }
  if (fstatSync(fd).isFile()) return fd
  closeSync(fd)
  throw new LockFileError(path, 'it is no regular file')
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 })
  } catch (error) {
    // On a file system that is read-only, Node says that there is no such file.
    if (errorCode(error) === 'ENOENT') mkdirSync(path, { mode: 0o700 })
    throw error
  }
}

function isNamed(path: string, fd: number): boolean {
  const opened = fstatSync(fd)
  const named = lstatSync(path, { throwIfNoEntry: false })
  return named !== undefined && named.ino === opened.ino && named.dev === opened.dev
}

/** A busy lock is tried again: whoever has it for long is not waited for. */
const TRY_AGAIN_MS = 2

async function lockDescriptor(path: string, fd: number, untilMs: number): Promise<boolean> {
  const tryLock = systemFlock()
  if (!tryLock) return await lockByHelper(path, fd, untilMs - performance.now())
  for (;;) {
    if (lockNow(path, fd, tryLock)) return true
    if (performance.now() >= untilMs) return false
    await sleep(TRY_AGAIN_MS)
  }
}

function lockNow(path: string, fd: number, tryLock: TryLock): boolean {
  const outcome = tryLock(fd)
  if (typeof outcome === 'string') return outcome === 'locked'
  throw new LockUnavailable(`cannot lock ${path}: ${outcome.failure}`)
}
