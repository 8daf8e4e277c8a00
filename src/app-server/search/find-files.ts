import { basename } from 'node:path'
import { setImmediate as otherWork } from 'node:timers/promises'
import type { Json } from '../../base/index.ts'
import { type FuzzyMatch, fuzzyMatch } from './fuzzy-score.ts'
import { type FoundEntry, listFiles } from './list-files.ts'

/** What a root holds, listed once. */
export interface ListedRoot {
  readonly root: string
  readonly entries: readonly FoundEntry[]
}

const MOST_RESULTS = 50
const SLICE = 1000

export function listRoots(roots: readonly string[], signal: AbortSignal): Promise<ListedRoot[]> {
  return Promise.all(
    [...new Set(roots)].map(async (root) => ({ root, entries: await listFiles(root, signal) })),
  )
}

/** The best matches, best first; none for an empty query. Rejects with the signal's reason. */
export async function findFiles(
  query: string,
  listed: readonly ListedRoot[],
  signal: AbortSignal,
): Promise<Json[]> {
  if (query.trim() === '') return []
  const found: { root: string; entry: FoundEntry; match: FuzzyMatch }[] = []
  for (const { root, entries } of listed) {
    for (const [index, entry] of entries.entries()) {
      if (index % SLICE === SLICE - 1) {
        await otherWork()
        signal.throwIfAborted()
      }
      const match = fuzzyMatch(query, entry.path)
      if (match) found.push({ root, entry, match })
    }
  }
  found.sort((a, b) => {
    const byPath = a.entry.path < b.entry.path ? -1 : Number(a.entry.path > b.entry.path)
    return b.match.score - a.match.score || byPath
  })
  return found.slice(0, MOST_RESULTS).map(({ root, entry, match }) => ({
    root,
    path: entry.path,
    match_type: entry.isFolder ? 'directory' : 'file',
    file_name: basename(entry.path),
    score: match.score,
    indices: [...match.indices],
  }))
}
