import { normalize } from 'node:path'
import { isSubagent, sourceKind } from '../protocol/index.ts'
import type { ListThreads, StoredThread } from './store.ts'

/** What filters look at. */
export type FilteredFacts = Pick<
  StoredThread,
  'preview' | 'source' | 'cwd' | 'modelProvider' | 'git' | 'name' | 'updatedAtMs'
>

/** Whether a list shows the thread: it has something to show, and the filters let it through. */
export function isWanted(thread: FilteredFacts, params: ListThreads): boolean {
  if (thread.preview === '') return false
  const kind = sourceKind(thread.source)
  const { cwd, projectRoot, text, updatedSinceMs, includeSubagents } = params
  if (cwd !== undefined && !isSameFolder(thread.cwd, cwd)) return false
  if (projectRoot !== undefined && !liesIn(thread.cwd, projectRoot)) return false
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

function holds({ name, preview }: FilteredFacts, text: string): boolean {
  const wanted = text.toLowerCase()
  return [name ?? '', preview].some((each) => each.toLowerCase().includes(wanted))
}

function plain(path: string): string {
  return normalize(path).replace(/(?<=.)\/$/, '')
}

function isSameFolder(a: string, b: string): boolean {
  return a === b || plain(a) === plain(b)
}

/** Compared part by part: `/a/bc` does not lie in `/a/b`. */
function liesIn(path: string, folder: string): boolean {
  const root = plain(folder)
  const prefix = root.endsWith('/') ? root : `${root}/`
  return plain(path) === root || plain(path).startsWith(prefix)
}
