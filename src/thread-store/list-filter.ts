import { normalize } from 'node:path'
import { isSubagent, sourceKinds } from '../protocol/index.ts'
import type { ListThreads, StoredThread } from './store.ts'

/** What filters look at. */
export type FilteredFacts = Pick<
  StoredThread,
  'preview' | 'source' | 'cwd' | 'modelProvider' | 'git' | 'name' | 'updatedAtMs'
>

/** Whether a list shows the thread: it has something to show, and the filters let it through. */
export function isWanted(thread: FilteredFacts, params: ListThreads): boolean {
  if (thread.preview === '') return false
  const { cwd, projectRoot, source, text, exactText, updatedSinceMs, includeSubagents } = params
  if (!isOneOf(cwd, (each) => isSameFolder(thread.cwd, each))) return false
  if (projectRoot !== undefined && !liesIn(thread.cwd, projectRoot)) return false
  const kinds = sourceKinds(thread.source)
  if (!isOneOf(source, (each) => kinds.includes(each))) return false
  if (!isOneOf(params.modelProvider, (each) => each === thread.modelProvider)) return false
  if (!isOneOf(params.branch, (each) => each === thread.git?.branch)) return false
  if (text !== undefined && !holds(thread, text)) return false
  if (exactText !== undefined && !holdsExactly(thread, exactText)) return false
  if (updatedSinceMs !== undefined && thread.updatedAtMs < updatedSinceMs) return false
  return includeSubagents || source !== undefined || !isSubagent(thread.source)
}

/** True without a wish. */
function isOneOf<T extends string | null>(
  wanted: string | readonly T[] | undefined,
  isIt: (each: T | string) => boolean,
): boolean {
  if (wanted === undefined) return true
  return typeof wanted === 'string' ? isIt(wanted) : wanted.some(isIt)
}

function holds({ name, preview }: FilteredFacts, text: string): boolean {
  const wanted = text.toLowerCase()
  return [name ?? '', preview].some((each) => each.toLowerCase().includes(wanted))
}

function holdsExactly({ name, preview }: FilteredFacts, text: string): boolean {
  return preview.includes(text) || (name ?? '').includes(text)
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
