import { DatabaseSync, type SQLInputValue } from 'node:sqlite'

const TIMEOUT_MS = 5000

/** A database as another program has it open. */
export class Sqlite extends DatabaseSync {
  constructor(path: string) {
    super(path, { timeout: TIMEOUT_MS })
  }

  pragma(text: string): void {
    this.exec(`PRAGMA ${text}`)
  }

  /** The rows of a query, each as its values in order. */
  rows(text: string, ...values: SQLInputValue[]): unknown[][] {
    return this.prepare(text)
      .all(...values)
      .map((row) => Object.values(row))
  }

  /** What stands first in the first row of a query. */
  value(text: string, ...values: SQLInputValue[]): unknown {
    return this.rows(text, ...values)[0]?.[0]
  }
}
