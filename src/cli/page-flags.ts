import { systemClock } from '../base/index.ts'
import { CliError } from './cli-error.ts'
import { EXIT } from './exit-codes.ts'

/** Threads, hits or turns that fit on a page. */
export const MOST_ON_PAGE = 1000
const USUAL_ON_PAGE = 25

export interface PageFlags {
  readonly json?: boolean
  readonly jsonl?: boolean
  readonly limit?: string
}

/** The limit that was given, else a page; JSON lines come in the largest pages. */
export function pageLimit({ limit: text, jsonl }: PageFlags, what: string): number {
  if (text === undefined) return jsonl ? MOST_ON_PAGE : USUAL_ON_PAGE
  const limit = Number(text)
  if (Number.isInteger(limit) && limit >= 1 && limit <= MOST_ON_PAGE) return limit
  const remedy = `give a whole number from 1 to ${MOST_ON_PAGE}`
  throw new CliError(EXIT.usage, `--limit ${text}: not a number of ${what}`, remedy)
}

/** Throws when both are asked for. */
export function checkOneJson({ json, jsonl }: PageFlags): void {
  if (!json || !jsonl) return
  throw new CliError(
    EXIT.usage,
    '--json and --jsonl: the output can be one only',
    'give one of them',
  )
}

const DAY_MS = 24 * 60 * 60 * 1000

/** A date, or so many days back (`7d`). */
export function sinceMs(text: string): number {
  const days = /^(\d+)d$/.exec(text)?.[1]
  const atMs = days === undefined ? Date.parse(text) : systemClock.nowMs() - Number(days) * DAY_MS
  if (!Number.isNaN(atMs)) return atMs
  const remedy = 'for example 2026-11-21, or 7d'
  throw new CliError(EXIT.usage, `--since ${text}: neither a date nor a number of days`, remedy)
}
