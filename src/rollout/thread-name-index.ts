import { join } from 'node:path'
import { errorCode, type FileSystem, isObject, type OpenFile, stringAt } from '../base/index.ts'
import { parseThreadId, type ThreadId } from '../protocol/index.ts'

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

/** Adds an entry; `name` null says that the name was cleared. Synced when this returns. */
export async function appendThreadName(
  files: FileSystem,
  home: string,
  entry: { readonly threadId: ThreadId; readonly name: string | null; readonly atMs: number },
): Promise<void> {
  const { threadId, name, atMs } = entry
  const updated_at = new Date(atMs).toISOString()
  const line = `${JSON.stringify({ id: threadId, thread_name: name ?? '', updated_at })}\n`
  const file = await openNameIndex(files, join(home, NAME_INDEX_FILE))
  try {
    const bytes = Buffer.from((await endsInNewline(file)) ? line : `\n${line}`)
    for (let done = 0; done < bytes.length; ) done += await file.write(bytes.subarray(done))
    await file.sync()
  } finally {
    await file.close()
  }
}

async function openNameIndex(files: FileSystem, path: string): Promise<OpenFile> {
  try {
    return await files.openForAppend(path, 'existing')
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error
    return files.openForAppend(path, 'create')
  }
}

async function endsInNewline(file: OpenFile): Promise<boolean> {
  const { sizeBytes } = await file.facts()
  const last = Buffer.alloc(1)
  return sizeBytes === 0 || ((await file.read(last, sizeBytes - 1)) === 1 && last[0] === NEWLINE)
}

/** Takes every entry of a thread out of the file, which is replaced whole. */
export async function removeThreadNames(
  files: FileSystem,
  home: string,
  threadId: ThreadId,
): Promise<void> {
  const path = join(home, NAME_INDEX_FILE)
  const text = await files.readText(path)
  const lines = (text ?? '').split('\n')
  const kept = lines.filter((line) => parseEntry(line)?.threadId !== threadId)
  if (kept.length === lines.length) return
  const replacement = `${path}.${threadId}.tmp`
  await files.remove(replacement)
  const file = await files.openForAppend(replacement, 'create')
  try {
    const bytes = Buffer.from(kept.join('\n'))
    for (let done = 0; done < bytes.length; ) done += await file.write(bytes.subarray(done))
    await file.sync()
  } finally {
    await file.close()
  }
  await files.rename(replacement, path)
}
