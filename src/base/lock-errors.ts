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
