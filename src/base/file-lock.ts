import { spawn } from 'node:child_process'
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
import { errorCode, errorText } from './errors.ts'

/** Nothing can be locked here: no program does it, or the file system refuses. */
export class LockUnavailable extends Error {
  override readonly name = 'LockUnavailable'
}

/** The lock file cannot be made or opened, or is no regular file. */
export class LockFileError extends Error {
  override readonly name = 'LockFileError'
  readonly path: string

  constructor(path: string, reason: string, cause?: unknown) {
    super(
      `cannot use the lock file ${path}: ${reason}`,
      cause === undefined ? undefined : { cause },
    )
    this.path = path
  }
}

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
    const limit = waitMs > 0 ? AbortSignal.timeout(waitMs) : undefined
    for (;;) {
      const fd = openLockFile(path)
      let isTaken = false
      try {
        if (!(await lockDescriptor(path, fd, limit))) return undefined
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

const LOCKED = 0
const BUSY = 1

const PERL = `use Fcntl ":flock"; use Errno; open(F, "+<&=3") or exit 2;
exit(flock(F, LOCK_EX | ($ARGV[0] ? LOCK_NB : 0)) ? ${LOCKED} : $!{EWOULDBLOCK} ? ${BUSY} : 2)`

/** What says for good that a program cannot be started. */
const NOT_THERE: readonly (string | undefined)[] = ['ENOENT', 'EACCES', 'ENOTDIR']

/**
 * Node cannot call `flock`. The lock belongs to the open file, not to the process that asks for it:
 * a helper that shares our descriptor takes it, and it stays ours when the helper has ended.
 */
async function lockDescriptor(path: string, fd: number, limit?: AbortSignal): Promise<boolean> {
  const helpers: readonly [string, readonly string[]][] = [
    ['flock', limit ? ['-x', '3'] : ['-x', '-n', '3']],
    ['perl', ['-e', PERL, limit ? '' : '1']],
  ]
  const failures: string[] = []
  for (const [program, args] of helpers) {
    const outcome = await runHelper(program, args, fd, limit).catch((error: unknown) => {
      throw new LockFileError(path, `${program} did not run: ${errorText(error)}`, error)
    })
    if (outcome === LOCKED) return true
    if (outcome === BUSY) return false
    failures.push(`${program} ${outcome}`)
  }
  throw new LockUnavailable(`cannot lock ${path}: ${failures.join(', ')}`)
}

/**
 * `BUSY` too when the time is over; a text says why this helper can lock nothing here. Fails when
 * it might at another time.
 */
function runHelper(
  program: string,
  args: readonly string[],
  fd: number,
  limit?: AbortSignal,
): Promise<typeof LOCKED | typeof BUSY | string> {
  return new Promise((done, fail) => {
    const child = spawn(program, args, {
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
