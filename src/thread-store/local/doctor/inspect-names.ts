import { join } from 'node:path'
import { errorText, type FileSystem, isObject, stringAt, visitLines } from '../../../base/index.ts'
import { parseThreadId, type ThreadId } from '../../../protocol/index.ts'
import { NAME_INDEX_FILE } from '../../../rollout/index.ts'
import { counted, type Finding, finding, MOST_NAMED, type Place } from './finding.ts'

/** What is in `session_index.jsonl`, and whom its names belong to. */
export async function inspectNames(
  files: FileSystem,
  home: string,
  threads: ReadonlySet<ThreadId>,
): Promise<Finding[]> {
  const path = join(home, NAME_INDEX_FILE)
  const read = await readIndex(files, path).catch((error: unknown) => errorText(error))
  if (read === undefined) return [told('ok', 'no_names', 'no thread has been given a name', path)]
  if (typeof read === 'string') {
    const remedy = 'put a regular file there that you can read'
    return [{ ...told('fail', 'unreadable_names', `cannot be read: ${read}`, path), remedy }]
  }
  const { names, places, badLines } = read
  const orphans = [...names].filter(([id, name]) => name !== '' && !threads.has(id))
  const found = [told('ok', 'names', counted(names.size, 'named thread'), path, names.size)]
  if (badLines > 0) {
    const what = `${counted(badLines, 'line')} that names nothing`
    const remedy = 'name those threads again: bobbin threads name ID NAME'
    found.push({ ...told('warn', 'bad_names', what, path, badLines), places, remedy })
  }
  if (orphans.length > 0) {
    const what = `${counted(orphans.length, 'name')} of threads that are not here: no harm`
    found.push(told('ok', 'orphan_names', what, path, orphans.length))
  }
  return found
}

function told(
  severity: Finding['severity'],
  code: string,
  what: string,
  path: string,
  count = 1,
): Finding {
  return finding({ severity, section: 'names', code, what, path, count })
}

interface NameIndex {
  readonly names: ReadonlyMap<ThreadId, string>
  readonly badLines: number
  /** The first of them. */
  readonly places: readonly Place[]
}

/** Undefined when there is none. */
async function readIndex(files: FileSystem, path: string): Promise<NameIndex | undefined> {
  const facts = await files.facts(path)
  if (!facts) return undefined
  if (facts.kind !== 'file') throw new Error('it is no regular file')
  const names = new Map<ThreadId, string>()
  const places: Place[] = []
  let badLines = 0
  let lineNumber = 0
  const file = await files.openForRead(path)
  try {
    await visitLines(file, {}, ({ text, offset, isUtf8 }) => {
      lineNumber += 1
      // Trimming also takes a byte order mark.
      const line = text.trim()
      if (line === '') return
      const entry = parseEntry(line)
      if (typeof entry !== 'string') names.set(entry.id, entry.name)
      if (typeof entry !== 'string' && isUtf8) return
      badLines += 1
      const reason = typeof entry === 'string' ? entry : 'holds bytes that are no UTF-8'
      if (places.length < MOST_NAMED) places.push({ lineNumber, offset, reason })
    })
  } finally {
    await file.close()
  }
  return { names, badLines, places }
}

/** The entry, or why it is none. */
function parseEntry(line: string): { id: ThreadId; name: string } | string {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return 'is not JSON'
  }
  if (!isObject(value)) return 'is not a JSON object'
  const id = parseThreadId(stringAt(value, 'id') ?? '')
  const name = stringAt(value, 'thread_name')
  if (!id) return 'has no thread id'
  return name === undefined ? 'has no name' : { id, name: name.trim() }
}
