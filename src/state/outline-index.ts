import { isObject } from '../base/index.ts'
import type { OutlinedTurn, OutlineState, ThreadSummary, TurnText } from '../history/index.ts'
import type { IndexDatabase } from './index-database.ts'
import {
  checksumOf,
  type FileColumns,
  type IndexedFile,
  parseJson,
  parseSummary,
  toFile,
  toFileColumns,
} from './index-row.ts'
import { searchable, toMatch } from './search-words.ts'
import type { Database } from './sqlite.ts'
import { TurnTable } from './turn-table.ts'

/** A line of a rollout that could not be read. */
export interface IndexedDamage {
  /** 1-based. */
  readonly lineNumber: number
  readonly offset: number
  readonly reason: string
}

/** What the index knows of a rollout that was read whole, beside its turns. */
export interface OutlineRow {
  readonly rolloutPath: string
  readonly file: IndexedFile
  readonly summary: ThreadSummary
  readonly state: OutlineState
  readonly foldedBytes: number
  readonly foldedLines: number
  readonly damagedLines: number
  /** The first of them. */
  readonly damage: readonly IndexedDamage[]
}

export interface StoredOutline extends OutlineRow {
  /** Names the outline in this index. */
  readonly id: number
}

export interface OutlineWrite extends OutlineRow {
  /** New turns and changed ones; all of them when based on nothing. */
  readonly turns: readonly OutlinedTurn[]
  readonly texts: readonly TurnText[]
  /** Bytes of the outline that this goes on from; 0: nothing known before counts any more. */
  readonly basedOnBytes: number
}

export interface TurnMatch {
  /** Grows with the age of the text in the index. */
  readonly textId: number
  readonly rolloutPath: string
  readonly turn: OutlinedTurn
  /** Newer text of the same turn matches too. */
  readonly isRepeated: boolean
}

interface StoredRow extends FileColumns {
  id: number
  rollout_path: string
  thread_id: string
  folded_bytes: number
  folded_lines: number
  damaged_lines: number
  damage: string
  summary: string
  state: string
  checksum: number
}

/** Where the turns of rollouts are, and the words that were said in them. */
export class OutlineIndex {
  readonly #database: IndexDatabase
  readonly turns: TurnTable

  constructor(database: IndexDatabase) {
    this.#database = database
    this.turns = new TurnTable(database)
  }

  read(rolloutPath: string): StoredOutline | undefined {
    const row = this.#database.read((database) =>
      database
        .prepare<[string], StoredRow>('SELECT * FROM outlines WHERE rollout_path = ?')
        .get(rolloutPath),
    )
    return row && toStored(row)
  }

  /** The file of an outline, as it was when it was read. */
  file(rolloutPath: string): IndexedFile | undefined {
    const text = `SELECT ${FILE_COLUMNS} FROM outlines WHERE rollout_path = ?`
    const row = this.#database.read((database) =>
      database.prepare<[string], FileColumns>(text).get(rolloutPath),
    )
    return row && toFile(row)
  }

  /** That of every outline; undefined when SQLite fails. */
  files(): Map<string, IndexedFile> | undefined {
    const rows = this.#database.read((database) =>
      database
        .prepare<[], FileColumns & { rollout_path: string }>(
          `SELECT rollout_path, ${FILE_COLUMNS} FROM outlines`,
        )
        .all(),
    )
    return rows && new Map(rows.map((row) => [row.rollout_path, toFile(row)]))
  }

  /**
   * All of several or none; answers whether they could be written. One that another process has
   * gone on from meanwhile is left as that made it.
   */
  write(outlines: readonly OutlineWrite[]): boolean {
    return this.#database.write((database) => {
      for (const outline of outlines) {
        if (outline.basedOnBytes === 0) forget(database, outline.rolloutPath)
        else if (foldedBytes(database, outline.rolloutPath) !== outline.basedOnBytes) continue
        const id = writeRow(database, outline)
        this.turns.write(database, id, outline.turns)
        writeTexts(database, id, outline)
      }
    })
  }

  /** Forgets files that are gone or have moved. */
  remove(rolloutPaths: readonly string[]): void {
    if (rolloutPaths.length === 0) return
    this.#database.write((database) => {
      for (const path of rolloutPaths) forget(database, path)
    })
  }

  /**
   * Turns that hold the words of a query, newest text first, from below `beforeTextId` on;
   * undefined when SQLite fails, or rows are damaged: those are forgotten.
   */
  search(
    query: string,
    limit: number,
    beforeTextId = Number.MAX_SAFE_INTEGER,
  ): TurnMatch[] | undefined {
    const match = toMatch(query)
    if (match === '') return []
    const found = this.#database.read((database) =>
      database
        .prepare<[string, number, number], FoundRow>(SEARCH)
        .all(match, beforeTextId, limit)
        .map((row) => ({ row, isRepeated: isRepeated(database, match, row) })),
    )
    const damaged = found?.filter(({ row }) => !TurnTable.isIntact(row)) ?? []
    this.remove(damaged.map(({ row }) => row.rollout_path))
    if (damaged.length > 0) return undefined
    return found?.map(({ row, isRepeated }) => ({
      textId: row.id,
      rolloutPath: row.rollout_path,
      turn: TurnTable.toTurn(row),
      isRepeated,
    }))
  }
}

type FoundRow = Parameters<typeof TurnTable.isIntact>[0] & { id: number; rollout_path: string }

const SEARCH = `SELECT turn_texts.id, rollout_path, turns.*
 FROM turn_words
 JOIN turn_texts ON turn_texts.id = turn_words.rowid
 JOIN outlines ON outlines.id = turn_texts.outline_id
 JOIN turns USING (outline_id, turn_order)
 WHERE turn_words MATCH ? AND turn_words.rowid < CAST(? AS INTEGER) AND is_taken_back = 0
 ORDER BY turn_words.rowid DESC LIMIT ?`

function isRepeated(database: Database, match: string, row: FoundRow): boolean {
  const newer = database
    .prepare<[number, number, number], { id: number }>(
      'SELECT id FROM turn_texts WHERE outline_id = ? AND turn_order = ? AND id > ?',
    )
    .all(row.outline_id, row.turn_order, row.id)
    .map(({ id }) => id)
  // Numbers come as REAL, of which FTS5 makes no row id: it would pass over them.
  const text = 'SELECT 1 FROM turn_words WHERE turn_words MATCH ? AND rowid = CAST(? AS INTEGER)'
  const matches = database.prepare<[string, number]>(text)
  return newer.some((id) => matches.get(match, id) !== undefined)
}

const FILE_COLUMNS = 'size_bytes, modified_at_ms, inode'
const SELECT_ID = 'SELECT id FROM outlines WHERE rollout_path = ?'

const DELETE_WORDS =
  'DELETE FROM turn_words WHERE rowid IN (SELECT id FROM turn_texts WHERE outline_id = ?)'

function forget(database: Database, rolloutPath: string): void {
  const id = database.prepare<[string], { id: number }>(SELECT_ID).get(rolloutPath)?.id
  if (id === undefined) return
  database.prepare(DELETE_WORDS).run(id)
  database.prepare('DELETE FROM turn_texts WHERE outline_id = ?').run(id)
  database.prepare('DELETE FROM turns WHERE outline_id = ?').run(id)
  database.prepare('DELETE FROM outlines WHERE id = ?').run(id)
}

const SUMMED = [
  'rollout_path',
  'thread_id',
  'size_bytes',
  'modified_at_ms',
  'inode',
  'folded_bytes',
  'folded_lines',
  'damaged_lines',
  'damage',
  'summary',
  'state',
] as const

const UPSERT = `INSERT INTO outlines
   (rollout_path, thread_id, size_bytes, modified_at_ms, inode, folded_bytes, folded_lines,
    damaged_lines, damage, summary, state, checksum)
 VALUES
   (@rollout_path, @thread_id, @size_bytes, @modified_at_ms, @inode, @folded_bytes, @folded_lines,
    @damaged_lines, @damage, @summary, @state, @checksum)
 ON CONFLICT (rollout_path) DO UPDATE SET
   thread_id = excluded.thread_id, size_bytes = excluded.size_bytes,
   modified_at_ms = excluded.modified_at_ms, inode = excluded.inode,
   folded_bytes = excluded.folded_bytes, folded_lines = excluded.folded_lines,
   damaged_lines = excluded.damaged_lines, damage = excluded.damage,
   summary = excluded.summary, state = excluded.state, checksum = excluded.checksum
 RETURNING id`

function foldedBytes(database: Database, rolloutPath: string): number | undefined {
  const text = 'SELECT folded_bytes FROM outlines WHERE rollout_path = ?'
  return database.prepare<[string], { folded_bytes: number }>(text).get(rolloutPath)?.folded_bytes
}

function writeRow(database: Database, outline: OutlineWrite): number {
  const statement = database.prepare<[Omit<StoredRow, 'id'>], { id: number }>(UPSERT)
  const columns = {
    ...toFileColumns(outline.file),
    rollout_path: outline.rolloutPath,
    thread_id: outline.summary.threadId,
    folded_bytes: outline.foldedBytes,
    folded_lines: outline.foldedLines,
    damaged_lines: outline.damagedLines,
    damage: JSON.stringify(outline.damage),
    summary: JSON.stringify(outline.summary),
    state: JSON.stringify(outline.state),
  }
  return statement.get({ ...columns, checksum: checksumOf(columns, SUMMED) })?.id ?? -1
}

/** A turn with more words than this gets another entry for those that come. */
const MOST_KEPT = 1024 * 1024

/** One entry a turn, whatever the number of its texts; what comes to the last turn is put to it. */
function writeTexts(database: Database, id: number, { texts, state }: OutlineWrite): void {
  const byTurn = new Map<number, string[]>()
  for (const { order, text } of texts) {
    const words = searchable(text)
    const before = byTurn.get(order)
    if (before) before.push(words)
    else byTurn.set(order, [words])
  }
  const last = state.turnCount - 1
  const insert = 'INSERT INTO turn_texts (outline_id, turn_order, words) VALUES (?, ?, ?)'
  for (const [order, parts] of byTurn) {
    const words = [...takeKept(database, id, order), ...parts].join('\n')
    const kept = order === last && words.length <= MOST_KEPT ? words : null
    const rowid = database.prepare(insert).run(id, order, kept).lastInsertRowid
    database.prepare('INSERT INTO turn_words (rowid, words) VALUES (?, ?)').run(rowid, words)
  }
  database
    .prepare(`UPDATE turn_texts SET words = NULL
     WHERE outline_id = ? AND turn_order <> ? AND words IS NOT NULL`)
    .run(id, last)
}

function takeKept(database: Database, id: number, order: number): string[] {
  const kept = database
    .prepare<[number, number], { id: number; words: string }>(`SELECT id, words FROM turn_texts
     WHERE outline_id = ? AND turn_order = ? AND words IS NOT NULL`)
    .all(id, order)
  for (const text of kept) {
    database.prepare('DELETE FROM turn_words WHERE rowid = ?').run(text.id)
    database.prepare('DELETE FROM turn_texts WHERE id = ?').run(text.id)
  }
  return kept.map(({ words }) => words)
}

function toStored(row: StoredRow): StoredOutline | undefined {
  const summary = parseSummary(row.summary, row.thread_id)
  const [state, damage] = [parseJson(row.state), parseJson(row.damage)]
  if (
    !summary ||
    // Where a byte of the schema is damaged, columns have other names.
    typeof row.id !== 'number' ||
    !isObject(state) ||
    !Array.isArray(damage) ||
    row.checksum !== checksumOf(row, SUMMED)
  )
    return undefined
  return {
    id: row.id,
    rolloutPath: row.rollout_path,
    file: toFile(row),
    summary,
    state: state as unknown as OutlineState,
    foldedBytes: row.folded_bytes,
    foldedLines: row.folded_lines,
    damagedLines: row.damaged_lines,
    damage: damage as unknown as IndexedDamage[],
  }
}
