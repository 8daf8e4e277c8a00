import { normalize } from 'node:path'
import { isSubagent, sourceKind } from '../protocol/index.ts'
import type { ListThreads, StoredThread } from './store.ts'

/** Whether a list shows the thread: it has something to show, and the filters let it through. */
export function isWanted(thread: StoredThread, params: ListThreads): boolean {
  if (thread.preview === '') return false
  const kind = sourceKind(thread.source)
  const { cwd, text, updatedSinceMs, includeSubagents } = params
  if (cwd !== undefined && !isSameFolder(thread.cwd, cwd)) return false
  if (params.source !== undefined && kind !== params.source) return false
  if (!isSame(params.modelProvider, thread.modelProvider)) return false
  if (!isSame(params.branch, thread.git?.branch)) return false
  if (text !== undefined && !holds(thread, text)) return false
  if (updatedSinceMs !== undefined && thread.updatedAtMs < updatedSinceMs) return false
  return includeSubagents || params.source !== undefined || !isSubagent(thread.source)
}

function isSame(wanted: string | undefined, actual: string | null | undefined): boolean {
  return wanted === undefined || wanted === actual
}

function holds({ name, preview }: StoredThread, text: string): boolean {
  const wanted = text.toLowerCase()
  return [name ?? '', preview].some((each) => each.toLowerCase().includes(wanted))
}

function isSameFolder(a: string, b: string): boolean {
  const plain = (path: string) => normalize(path).replace(/(?<=.)\/$/, '')
  return a === b || plain(a) === plain(b)
}
