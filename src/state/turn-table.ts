import type { OutlinedTurn } from '../history/index.ts'
import type { IndexDatabase } from './index-database.ts'
import { checksumOf } from './index-row.ts'
import type { Database } from './sqlite.ts'

interface TurnRow {
  turn_order: number
  turn_id: string
  status: string
  start_offset: number
  end_offset: number
  item_count: number
  numbered_before: number
  line_index: number
  numbered_count: number
  is_explicit: number
  is_taken_back: number
  has_user_message: number
  is_open_at_next: number | null
}

interface StoredTurn extends TurnRow {
  outline_id: number
  checksum: number
}

export interface TurnsWindow {
  readonly direction: 'asc' | 'desc'
  readonly limit: number
  /** Turns beyond this one only. */
  readonly afterOrder?: number
}

/** Undefined when SQLite fails, rows are damaged, or another has made the outline anew. */
type Found = OutlinedTurn[] | undefined

/** Some of the turns that are asked for may be taken back. */
const FEWEST_ROWS = 16

/** The turns of outlined rollouts, by the id of the outline. */
export class TurnTable {
  readonly #database: IndexDatabase

  constructor(database: IndexDatabase) {
    this.#database = database
  }

  /**
   * Turns that are not taken back, in the order that was asked for. `turnCount`: of all turns that
   * the outline has, by which those that are missing are noticed.
   */
  page(outlineId: number, turnCount: number, window: TurnsWindow): Found {
    const { direction, limit, afterOrder } = window
    const isUpwards = direction === 'asc'
    const [beyond, step] = isUpwards ? ['>=', 1] : ['<=', -1]
    const rest = `AND turn_order ${beyond} ? ORDER BY turn_order ${direction} LIMIT ?`
    let order = isUpwards
      ? (afterOrder ?? -1) + 1
      : Math.min(afterOrder ?? turnCount, turnCount) - 1
    const shown: OutlinedTurn[] = []
    while (shown.length < limit && order >= 0 && order < turnCount) {
      const wanted = Math.max(FEWEST_ROWS, limit - shown.length)
      const rows = this.#all(outlineId, rest, [order, wanted])
      if (!rows || rows.length === 0) return undefined
      for (const turn of rows) {
        if (shown.length === limit || order >= turnCount) break
        if (turn.order !== order) return undefined
        if (!turn.isTakenBack) shown.push(turn)
        order += step
      }
    }
    return shown
  }

  /** The last turn of that id that is not taken back, of those before `beforeOrder`. */
  find(outlineId: number, turnId: string, beforeOrder = Number.MAX_SAFE_INTEGER): Found {
    return this.#all(
      outlineId,
      `AND turn_id = ? AND is_taken_back = 0 AND turn_order < ?
       ORDER BY turn_order DESC LIMIT 1`,
      [turnId, Math.min(beforeOrder, Number.MAX_SAFE_INTEGER)],
    )
  }

  /** The turn that began next, taken back or not. */
  next(outlineId: number, turnCount: number, order: number): Found {
    if (order + 1 >= turnCount) return []
    const found = this.#all(outlineId, 'AND turn_order = ?', [order + 1])
    return found?.length === 1 ? found : undefined
  }

  write(database: Database, outlineId: number, turns: readonly OutlinedTurn[]): void {
    const statement = database.prepare<[StoredTurn]>(REPLACE)
    for (const turn of turns) {
      const row = { outline_id: outlineId, ...toRow(turn) }
      statement.run({ ...row, checksum: checksumOf(row, SUMMED) })
    }
  }

  static isIntact(row: StoredTurn): boolean {
    return row.checksum === checksumOf(row, SUMMED)
  }

  static toTurn(row: TurnRow): OutlinedTurn {
    return {
      order: row.turn_order,
      turnId: row.turn_id,
      status: row.status as OutlinedTurn['status'],
      startOffset: row.start_offset,
      endOffset: row.end_offset,
      before: {
        itemCount: row.item_count,
        numberedCount: row.numbered_before,
        lineIndex: row.line_index,
      },
      numberedCount: row.numbered_count,
      isExplicit: row.is_explicit === 1,
      isTakenBack: row.is_taken_back === 1,
      hasUserMessage: row.has_user_message === 1,
      isOpenAtNext: row.is_open_at_next === null ? null : row.is_open_at_next === 1,
    }
  }

  #all(outlineId: number, rest: string, values: (string | number)[]): Found {
    const query = `SELECT * FROM turns WHERE outline_id = ? ${rest}`
    const rows = this.#database.read((database) => {
      const found = database
        .prepare<(string | number)[], StoredTurn>(query)
        .all(outlineId, ...values)
      const isKnown = found.length > 0 || hasOutline(database, outlineId)
      return isKnown && found.every(TurnTable.isIntact) ? found : undefined
    })
    return rows?.map((row) => TurnTable.toTurn(row))
  }
}

function hasOutline(database: Database, outlineId: number): boolean {
  const text = 'SELECT 1 FROM outlines WHERE id = ?'
  return database.prepare<[number]>(text).get(outlineId) !== undefined
}

const SUMMED = [
  'outline_id',
  'turn_order',
  'turn_id',
  'status',
  'start_offset',
  'end_offset',
  'item_count',
  'numbered_before',
  'line_index',
  'numbered_count',
  'is_explicit',
  'is_taken_back',
  'has_user_message',
  'is_open_at_next',
] as const

const REPLACE = `REPLACE INTO turns VALUES
   (@outline_id, @turn_order, @turn_id, @status, @start_offset, @end_offset, @item_count,
    @numbered_before, @line_index, @numbered_count, @is_explicit, @is_taken_back,
    @has_user_message, @is_open_at_next, @checksum)`

function toRow(turn: OutlinedTurn): TurnRow {
  const { isOpenAtNext } = turn
  return {
    turn_order: turn.order,
    turn_id: turn.turnId,
    status: turn.status,
    start_offset: turn.startOffset,
    end_offset: turn.endOffset,
    item_count: turn.before.itemCount,
    numbered_before: turn.before.numberedCount,
    line_index: turn.before.lineIndex,
    numbered_count: turn.numberedCount,
    is_explicit: Number(turn.isExplicit),
    is_taken_back: Number(turn.isTakenBack),
    has_user_message: Number(turn.hasUserMessage),
    is_open_at_next: isOpenAtNext === null ? null : Number(isOpenAtNext),
  }
}
