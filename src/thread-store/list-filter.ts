import { normalize } from 'node:path'
import { isSubagent } from '../protocol/index.ts'
import type { ListThreads, StoredThread } from './store.ts'

/** Whether a list shows the thread: it has something to show, and the filters let it through. */
export function isWanted(thread: StoredThread, params: ListThreads): boolean {
  if (thread.preview === '') return false
  if (params.cwd !== undefined && !isSameFolder(thread.cwd, params.cwd)) return false
  return params.includeSubagents || !isSubagent(thread.source)
}

function isSameFolder(a: string, b: string): boolean {
  const plain = (path: string) => normalize(path).replace(/(?<=.)\/$/, '')
  return a === b || plain(a) === plain(b)
}
