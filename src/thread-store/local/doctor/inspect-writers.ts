import { join } from 'node:path'
import {
  errorText,
  FileLock,
  type FileSystem,
  findLockHolder,
  holdsLock,
  isObject,
  LockUnavailable,
  numberAt,
  readLockText,
  stringAt,
} from '../../../base/index.ts'
import type { ThreadId } from '../../../protocol/index.ts'
import { WRITER_LOCKS_FOLDER } from '../writer-lease.ts'
import { counted, type Finding, finding } from './finding.ts'

/**
 * Who writes to a thread now, as far as can be seen without taking the lock, which would keep a
 * writer out for a moment; undefined when nobody is seen.
 */
export function seenWriter(home: string, threadId: ThreadId): string | undefined {
  const path = join(home, WRITER_LOCKS_FOLDER, `${threadId}.lock`)
  const { pid, client } = parseHolder(readLockText(path))
  if (pid !== undefined && holdsLock(path, pid)) return `process ${pid} (${client ?? 'unknown'})`
  const holder = findLockHolder(path)
  return holder === undefined ? undefined : `process ${holder}`
}

function parseHolder(text: string): { pid?: number | undefined; client?: string | undefined } {
  try {
    const value: unknown = JSON.parse(text.split('\n', 1)[0] ?? '')
    return isObject(value) ? { pid: numberAt(value, 'pid'), client: stringAt(value, 'client') } : {}
  } catch {
    // Codex writes nothing into it.
    return {}
  }
}

const LOCK = /^([0-9a-f-]{36})\.lock$/

/** Who writes to which thread, and whether this home can be locked at all. */
export async function inspectWriters(files: FileSystem, home: string): Promise<Finding[]> {
  const folder = join(home, WRITER_LOCKS_FOLDER)
  const names = (await files.readDirectory(folder).catch(() => [])).map(({ name }) => name)
  const found = [await canLock(folder, names.includes(GUARD))]
  let left = 0
  for (const name of names.sort()) {
    const threadId = LOCK.exec(name)?.[1]
    if (threadId === undefined) continue
    const path = join(folder, name)
    const writer = seenWriter(home, threadId as ThreadId)
    if (writer === undefined) left += 1
    else found.push(told('ok', 'writer', `${writer} writes to thread ${threadId}`, path))
  }
  if (left > 0) {
    const what = `${counted(left, 'lock file')} that nobody holds, which harms nobody`
    found.push({ ...told('ok', 'left_locks', what, folder), count: left })
  }
  return found
}

const GUARD = '.coordination.lock'
const GUARD_LIMIT_MS = 5000

/** The guard is tried, which every writer takes for a moment; none is made where there is none. */
async function canLock(folder: string, hasGuard: boolean): Promise<Finding> {
  const guard = join(folder, GUARD)
  if (!hasGuard) return told('ok', 'locks_untried', 'no thread has been locked here yet', folder)
  try {
    const lock = await FileLock.take(guard, { waitMs: GUARD_LIMIT_MS })
    if (lock) await lock[Symbol.asyncDispose]()
    else return told('warn', 'guard_held', 'another program holds the guard', guard, STOP)
    return told('ok', 'locks', 'threads can be locked: one writer each', folder)
  } catch (error) {
    const remedy = error instanceof LockUnavailable ? INSTALL : 'mend the permissions of the folder'
    const what = `two programs could write to one thread: ${errorText(error)}`
    return told('warn', 'no_locks', what, folder, remedy)
  }
}

const STOP = 'end the program that holds it'
const INSTALL = 'install flock (util-linux), and keep the home on a local file system'

function told(
  severity: Finding['severity'],
  code: string,
  what: string,
  path: string,
  remedy: string | null = null,
): Finding {
  return finding({ severity, section: 'writers', code, what, path, remedy })
}
