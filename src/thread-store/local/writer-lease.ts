import { join } from 'node:path'
import {
  FileLock,
  findLockHolder,
  holdsLock,
  isObject,
  LockFileError,
  LockUnavailable,
  numberAt,
  readLockText,
  stringAt,
} from '../../base/index.ts'
import type { ThreadId } from '../../protocol/index.ts'

export const WRITER_LOCKS_FOLDER = 'thread-writer-locks'

/** Who writes to a thread; null is what cannot be told. */
export interface LeaseHolder {
  readonly pid: number | null
  readonly client: string | null
  readonly sinceMs: number | null
  readonly activity: 'idle' | 'turn' | null
}

/** The lease is another's. The message is for a person. */
export class LeaseHeld extends Error {
  override readonly name = 'LeaseHeld'
  readonly threadId: ThreadId
  readonly holder: LeaseHolder

  constructor(threadId: ThreadId, holder: LeaseHolder) {
    super(`thread ${threadId} is open for writing in ${describeHolder(holder)}`)
    this.threadId = threadId
    this.holder = holder
  }
}

/** Taken as real Codex 0.169.0 waits for it, but not as long: whoever holds it has little to do. */
const COORDINATION_LIMIT_MS = 5000
const RELEASE_LIMIT_MS = 500

/**
 * The right to write to one thread of a home, against every process of this machine that asks for
 * it: other Bobbins, and Codex 0.169.0 by the same lock files. It ends with the process at the
 * latest. What is in the file means something only while the lock is held.
 */
export class WriterLease implements AsyncDisposable {
  readonly #home: string
  readonly #lock: FileLock | undefined
  readonly #info: { readonly client: string; readonly since: string }
  #isReleased = false

  private constructor(
    home: string,
    lock: FileLock | undefined,
    me: { readonly client: string; readonly nowMs: number },
  ) {
    this.#home = home
    this.#lock = lock
    this.#info = { client: me.client, since: new Date(me.nowMs).toISOString() }
  }

  /**
   * Never waits for the holder. Throws `LeaseHeld`, and `LockFileError` when the lock files cannot
   * be used. Where no file can be locked the lease is given all the same, and not enforced.
   */
  static async take(
    home: string,
    threadId: ThreadId,
    me: { readonly client: string; readonly nowMs: number },
  ): Promise<WriterLease> {
    try {
      // Others remove lock files under it: without it our lock could be on one that is gone.
      await using _ = await coordinate(home)
      const path = join(home, WRITER_LOCKS_FOLDER, `${threadId}.lock`)
      const lock = await FileLock.take(path)
      if (!lock) throw new LeaseHeld(threadId, readHolder(path))
      const lease = new WriterLease(home, lock, me)
      // Under the guard still, so that whoever is refused reads of us and not of one before.
      lease.noteActivity('idle')
      return lease
    } catch (error) {
      if (error instanceof LockUnavailable) return new WriterLease(home, undefined, me)
      throw error
    }
  }

  /** False where files cannot be locked: nobody is kept from writing. */
  get isEnforced(): boolean {
    return this.#lock !== undefined
  }

  /** Tells those who are refused. Two calls of the kernel; never throws. */
  noteActivity(activity: 'idle' | 'turn'): void {
    if (this.#isReleased) return
    const line = JSON.stringify({ pid: process.pid, ...this.#info, activity })
    this.#write(`${line}\n`)
  }

  /** Frees the thread and, where that is safe soon, removes the lock file. Never throws. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isReleased || !this.#lock) return
    this.#isReleased = true
    await using lock = this.#lock
    try {
      await using _ = await coordinate(this.#home, RELEASE_LIMIT_MS)
      lock.remove()
    } catch {
      // A file that is left does no harm: the next one takes it, and Codex clears it away.
      this.#write('')
    }
  }

  #write(text: string): void {
    try {
      this.#lock?.write(text)
    } catch {
      // A full disk costs those who are refused a name, and us nothing.
    }
  }
}

/**
 * Who writes to a thread of a home now, in whatever process; undefined when nobody does, or it
 * cannot be told. Reads one small file and never waits.
 */
export function findWriter(home: string, threadId: ThreadId): LeaseHolder | undefined {
  const holder = readHolder(join(home, WRITER_LOCKS_FOLDER, `${threadId}.lock`))
  return holder.pid === null ? undefined : holder
}

/** Guards taking and removing. Source: observed of Codex 0.169.0, see docs/decisions/0007. */
async function coordinate(home: string, waitMs = COORDINATION_LIMIT_MS): Promise<FileLock> {
  const path = join(home, WRITER_LOCKS_FOLDER, '.coordination.lock')
  const lock = await FileLock.take(path, { waitMs })
  if (lock) return lock
  throw new LockFileError(path, `another program has had it for ${waitMs} ms`)
}

const UNKNOWN: LeaseHolder = { pid: null, client: null, sinceMs: null, activity: null }

/**
 * Codex writes nothing into the file, so the text may be of a holder before it: it counts only when
 * the process that it names has the lock.
 */
function readHolder(path: string): LeaseHolder {
  const told = parseHolder(readLockText(path))
  if (told?.pid && holdsLock(path, told.pid)) return told
  return { ...UNKNOWN, pid: findLockHolder(path) ?? null }
}

function parseHolder(text: string): LeaseHolder | undefined {
  let value: unknown
  try {
    value = JSON.parse(text.split('\n', 1)[0] ?? '')
  } catch {
    return undefined
  }
  if (!isObject(value)) return undefined
  const sinceMs = Date.parse(stringAt(value, 'since') ?? '')
  const activity = stringAt(value, 'activity')
  return {
    pid: numberAt(value, 'pid') ?? null,
    client: stringAt(value, 'client') ?? null,
    sinceMs: Number.isNaN(sinceMs) ? null : sinceMs,
    activity: activity === 'idle' || activity === 'turn' ? activity : null,
  }
}

function describeHolder({ pid, client, sinceMs, activity }: LeaseHolder): string {
  const other = 'another program (Codex 0.169 or later)'
  if (client === null) return pid === null ? other : `process ${pid}, ${other}`
  const since = sinceMs === null ? '' : ` since ${new Date(sinceMs).toISOString().slice(0, 19)}Z`
  const doing = activity === 'turn' ? ', in a turn' : ''
  return `process ${pid} (${client})${since}${doing}`
}
