import { join } from 'node:path'
import {
  errorCode,
  errorText,
  FileLock,
  type FileSystem,
  isObject,
  LockUnavailable,
  type OpenFile,
  stringAt,
} from '../base/index.ts'
import { parseThreadId, type ThreadId } from '../protocol/index.ts'
import { RolloutError } from './errors.ts'

export const NAME_INDEX_FILE = 'session_index.jsonl'

/**
 * Names that people gave to threads: the newest entry for an id wins, an empty one says that the
 * name was cleared, bad lines name nothing.
 */
export async function readThreadNames(
  files: FileSystem,
  home: string,
): Promise<ReadonlyMap<ThreadId, string>> {
  const names = new Map<ThreadId, string>()
  const text = await files.readText(join(home, NAME_INDEX_FILE))
  for (const line of (text ?? '').split('\n')) {
    const entry = parseEntry(line)
    if (entry) names.set(entry.threadId, entry.name)
  }
  return names
}

function parseEntry(line: string): { threadId: ThreadId; name: string } | undefined {
  // Trimming also takes a byte order mark.
  const text = line.trim()
  if (text === '') return undefined
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // A torn or foreign line names no thread.
    return undefined
  }
  if (!isObject(value)) return undefined
  const threadId = parseThreadId(stringAt(value, 'id') ?? '')
  const name = stringAt(value, 'thread_name')
  return threadId && name !== undefined ? { threadId, name: name.trim() } : undefined
}

const NEWLINE = 0x0a

/**
 * Held by real Codex 0.169.0 and by us over every change of the index, and never removed: whoever
 * waits for a file that is gone would hold it beside the next one.
 */
const LOCK_FILE = `${NAME_INDEX_FILE}.lock`
const LOCK_LIMIT_MS = 2000

/**
 * Adds an entry; `name` null says that the name was cleared. Synced when this returns; when it
 * fails nothing was added. Throws `RolloutError`.
 */
export async function appendThreadName(
  files: FileSystem,
  home: string,
  entry: { readonly threadId: ThreadId; readonly name: string | null; readonly atMs: number },
): Promise<void> {
  const { threadId, name, atMs } = entry
  const updated_at = new Date(atMs).toISOString()
  const line = `${JSON.stringify({ id: threadId, thread_name: name ?? '', updated_at })}\n`
  await orRolloutError(home, async () => {
    // Without it the line is whole all the same; a rewrite at this moment could lose it, no other.
    await using _ = await lockIndex(home).catch(() => undefined)
    const file = await openForAppend(files, home)
    try {
      await appendLine(file, line)
    } finally {
      await closeSynced(file)
    }
  })
}

async function openForAppend(files: FileSystem, home: string): Promise<OpenFile> {
  const path = join(home, NAME_INDEX_FILE)
  try {
    return await files.openForAppend(path, 'existing')
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error
  }
  const file = await files.openForAppend(path, 'create')
  try {
    await files.syncDirectory(home)
    return file
  } catch (error) {
    await closeSynced(file)
    throw error
  }
}

/** Ends the torn last line of another first, so that nothing is glued to it. */
async function appendLine(file: OpenFile, line: string): Promise<void> {
  const { sizeBytes } = await file.facts()
  const last = Buffer.of(NEWLINE)
  if (sizeBytes > 0) await file.read(last, sizeBytes - 1)
  const bytes = Buffer.from(last[0] === NEWLINE ? line : `\n${line}`)
  try {
    await writeAndSync(file, bytes)
  } catch (error) {
    // It is tried once: what is left of the line without its end names no thread.
    await cutOff(file, bytes, sizeBytes).catch(() => undefined)
    throw error
  }
}

/** Takes what arrived of `bytes` away again, unless others wrote behind it. */
async function cutOff(file: OpenFile, bytes: Buffer, start: number): Promise<void> {
  const arrived = (await file.facts()).sizeBytes - start
  if (arrived <= 0 || arrived > bytes.length) return
  const found = Buffer.alloc(arrived)
  const count = await file.read(found, start)
  if (count === arrived && found.equals(bytes.subarray(0, arrived))) await file.truncate(start)
}

/** Undefined where nothing can be locked. */
async function lockIndex(home: string): Promise<FileLock | undefined> {
  try {
    const lock = await FileLock.take(join(home, LOCK_FILE), { waitMs: LOCK_LIMIT_MS })
    if (lock) return lock
  } catch (error) {
    if (error instanceof LockUnavailable) return undefined
    throw error
  }
  throw new Error(`another program has held ${LOCK_FILE} for ${LOCK_LIMIT_MS} ms`)
}

/**
 * Takes every entry of a thread out of the file, which is replaced whole; what others add meanwhile
 * stays, if they keep to the lock.
 */
export async function removeThreadNames(
  files: FileSystem,
  home: string,
  threadId: ThreadId,
): Promise<void> {
  const path = join(home, NAME_INDEX_FILE)
  await orRolloutError(home, async () => {
    if ((await readOthers(files, path, threadId)) === undefined) return
    await using _ = await lockIndex(home)
    const others = await readOthers(files, path, threadId)
    if (others) await replaceIndex(files, home, others, `${path}.${threadId}.tmp`)
  })
}

/** The lines of other threads; undefined when there are no lines of this one. */
async function readOthers(
  files: FileSystem,
  path: string,
  threadId: ThreadId,
): Promise<readonly Buffer[] | undefined> {
  const lines = linesOf(await readBytes(files, path))
  const others = lines.filter((line) => parseEntry(line.toString())?.threadId !== threadId)
  return others.length === lines.length ? undefined : others
}

async function replaceIndex(
  files: FileSystem,
  home: string,
  lines: readonly Buffer[],
  replacement: string,
): Promise<void> {
  await files.remove(replacement)
  const file = await files.openForAppend(replacement, 'create')
  try {
    await writeAndSync(file, Buffer.concat(lines))
  } finally {
    await closeSynced(file)
  }
  await files.rename(replacement, join(home, NAME_INDEX_FILE))
  await files.syncDirectory(home)
}

async function readBytes(files: FileSystem, path: string): Promise<Buffer> {
  if ((await files.facts(path)) === undefined) return Buffer.alloc(0)
  const file = await files.openForRead(path)
  try {
    const bytes = Buffer.alloc((await file.facts()).sizeBytes)
    let done = 0
    while (done < bytes.length) {
      const count = await file.read(bytes.subarray(done), done)
      if (count === 0) break
      done += count
    }
    return bytes.subarray(0, done)
  } finally {
    await closeSynced(file)
  }
}

/** Each with its newline; the last may have none. */
function linesOf(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = []
  for (let from = 0; from < bytes.length; ) {
    const at = bytes.indexOf(NEWLINE, from)
    const end = at === -1 ? bytes.length : at + 1
    lines.push(bytes.subarray(from, end))
    from = end
  }
  return lines
}

async function writeAndSync(file: OpenFile, bytes: Buffer): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const count = await file.write(bytes.subarray(done))
    if (count === 0) throw new Error('the file took no bytes')
    done += count
  }
  await file.sync()
}

/** What was synced is kept, and what failed has been told: closing has nothing to add. */
async function closeSynced(file: OpenFile): Promise<void> {
  await file.close().catch(() => undefined)
}

async function orRolloutError(home: string, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    const path = join(home, NAME_INDEX_FILE)
    const message = `cannot change the names of threads (${errorText(error)})`
    throw new RolloutError('io', path, message, error)
  }
}
