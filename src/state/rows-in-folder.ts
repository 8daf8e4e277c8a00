import type { IndexDatabase } from './index-database.ts'

type Table = 'threads' | 'outlines'

/** Rollouts of a folder that have rows, whether the files are there or not. */
export function pathsIn(index: IndexDatabase, table: Table, folder: string): string[] {
  const text = `SELECT rollout_path FROM ${table} WHERE ${IN_FOLDER}`
  const rows = index.read((database) =>
    database.prepare<Range, { rollout_path: string }>(text).all(...rangeOf(folder)),
  )
  return (rows ?? []).map((row) => row.rollout_path)
}

export function countIn(index: IndexDatabase, table: Table, folder: string): number {
  const text = `SELECT count(*) AS count FROM ${table} WHERE ${IN_FOLDER}`
  const row = index.read((database) =>
    database.prepare<Range, { count: number }>(text).get(...rangeOf(folder)),
  )
  return row?.count ?? 0
}

type Range = [behind: string, before: string]

const IN_FOLDER = 'rollout_path > ? AND rollout_path < ?'

function rangeOf(folder: string): Range {
  // In the order of text, `0` comes right after `/`.
  return [`${folder}/`, `${folder}0`]
}
