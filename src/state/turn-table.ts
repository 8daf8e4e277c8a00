import type { OutlinedTurn } from '../history/index.ts'
import { type Database, prepared } from './database.ts'
import type { IndexDatabase } from './index-database.ts'

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

export interface TurnsWindow {
  readonly direction: 'asc' | 'desc'
  readonly limit: number
  /** Turns beyond this one only. */
  readonly afterOrder?: number
}

/** Undefined when SQLite fails, and when another process has made the outline anew. */
type Found = OutlinedTurn[] | undefined

/** The turns of outlined rollouts, by the id of the outline. */
export class TurnTable {
  readonly #database: IndexDatabase

  constructor(database: IndexDatabase) {
    this.#database = database
  }

  /** Turns that are not taken back, in the order that was asked for. */
  page(outlineId: number, { direction, limit, afterOrder }: TurnsWindow): Found {
    const [beyond, start] = direction === 'asc' ? ['>', -1] : ['<', Number.MAX_SAFE_INTEGER]
    return this.#all(
      outlineId,
      `AND is_taken_back = 0 AND turn_order ${beyond} ? ORDER BY turn_order ${direction} LIMIT ?`,
      [afterOrder ?? start, limit],
    )
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
  next(outlineId: number, order: number): Found {
    return this.#all(outlineId, 'AND turn_order > ? ORDER BY turn_order LIMIT 1', [order])
  }

  write(database: Database, outlineId: number, turns: readonly OutlinedTurn[]): void {
    const statement = prepared<[TurnRow & { outline_id: number }]>(database, REPLACE)
    for (const turn of turns) statement.run({ outline_id: outlineId, ...toRow(turn) })
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
      const found = prepared<(string | number)[], TurnRow>(database, query).all(
        outlineId,
        ...values,
      )
      return found.length > 0 || hasOutline(database, outlineId) ? found : undefined
    })
    return rows?.map((row) => TurnTable.toTurn(row))
  }
}

function hasOutline(database: Database, outlineId: number): boolean {
  const text = 'SELECT 1 FROM outlines WHERE id = ?'
  return prepared<[number]>(database, text).get(outlineId) !== undefined
}

const REPLACE = `REPLACE INTO turns VALUES
   (@outline_id, @turn_order, @turn_id, @status, @start_offset, @end_offset, @item_count,
    @numbered_before, @line_index, @numbered_count, @is_explicit, @is_taken_back,
    @has_user_message, @is_open_at_next)`

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
