import { join } from 'node:path'
import { type FileSystem, isObject, stringAt } from '../base/index.ts'
import { parseThreadId, type ThreadId } from '../protocol/index.ts'

export const NAME_INDEX_FILE = 'session_index.jsonl'

/** Names that people gave to threads: the newest entry for an id wins; bad lines name nothing. */
export async function readThreadNames(
  files: FileSystem,
  home: string,
): Promise<ReadonlyMap<ThreadId, string>> {
  const names = new Map<ThreadId, string>()
  const text = await files.readText(join(home, NAME_INDEX_FILE))
  for (const line of (text ?? '').split('\n')) {
    const entry = parseEntry(line)
    if (!entry) continue
    if (entry.name === '') names.delete(entry.threadId)
    else names.set(entry.threadId, entry.name)
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
