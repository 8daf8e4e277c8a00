import { crc32 } from 'node:zlib'
import { type FileFacts, isObject, numberAt, stringAt } from '../base/index.ts'
import type { ThreadSummary } from '../history/index.ts'

/** The file that a row was read from; the row counts as long as the file is the same. */
export type IndexedFile = Pick<FileFacts, 'sizeBytes' | 'modifiedAtMs' | 'inode'>

export interface FileColumns {
  size_bytes: number
  modified_at_ms: number
  inode: number
}

export function toFile(row: FileColumns): IndexedFile {
  return { sizeBytes: row.size_bytes, modifiedAtMs: row.modified_at_ms, inode: row.inode }
}

export function toFileColumns(file: IndexedFile): FileColumns {
  return { size_bytes: file.sizeBytes, modified_at_ms: file.modifiedAtMs, inode: file.inode }
}

/** Sum over columns of a row: SQLite itself does not notice bytes that have changed. */
export function checksumOf<C extends string>(
  row: { readonly [column in C]: string | number | null },
  columns: readonly C[],
): number {
  let text = ''
  for (const column of columns) text += `${row[column]}\0`
  return crc32(text)
}

/** Rows can be read by other programs, and were perhaps written by one: else undefined. */
export function parseSummary(text: string, threadId: string): ThreadSummary | undefined {
  const value = parseJson(text)
  if (!isObject(value) || value.threadId !== threadId) return undefined
  const hasTexts = TEXTS.every((field) => stringAt(value, field) !== undefined)
  const hasRest = numberAt(value, 'createdAtMs') !== undefined && value.source !== undefined
  return hasTexts && hasRest ? (value as unknown as ThreadSummary) : undefined
}

/** Undefined for what is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Not by us: the row counts as missing.
    return undefined
  }
}

const TEXTS = [
  'threadId',
  'cwd',
  'cliVersion',
  'originator',
  'historyMode',
  'memoryMode',
  'preview',
  'firstUserMessage',
  'title',
]
