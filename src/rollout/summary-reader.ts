import { type FileSystem, MOST_LINE_BYTES, type OpenFile } from '../base/index.ts'
import { SummaryFold, type ThreadSummary } from '../history/index.ts'
import type { RolloutItem } from '../protocol/index.ts'
import { CompressedRollout } from './compressed-rollout.ts'
import { decodeLine } from './rollout-codec.ts'
import { lineEndOr0, type OpenRollout, visitRollout, withRollout } from './rollout-reader.ts'

/** A summary and how much of the file it was folded from. */
export interface FoldedSummary {
  readonly summary: ThreadSummary
  /** The summary holds all that is said up to here, the end of a line or 0. */
  readonly foldedBytes: number
}

/**
 * What a list shows of a rollout; undefined without a header. Up to the first words of the person
 * every line is read, behind them only those that can change the summary; of others not even the
 * text is made. With `known`, an earlier result for the same file, only what came since is read.
 */
export async function readSummary(
  files: FileSystem,
  path: string,
  known?: FoldedSummary,
): Promise<FoldedSummary | undefined> {
  return withRollout(files, path, async (rollout) => {
    const start = await lineEndOr0(rollout, known?.foldedBytes)
    const fold = new SummaryFold(start > 0 ? known?.summary : undefined)
    const extent = await readToFirstWords(rollout, start, fold)
    const foldedBytes = fold.knowsPerson ? await readRest(rollout.text, extent, fold) : extent
    const summary = fold.finish()
    return summary && { summary, foldedBytes }
  })
}

/** The first words mostly come right behind the header, which holds some 20 kB of instructions. */
const FIRST_BYTES = 64 * 1024

/** Answers the byte behind the last whole line that was read. */
async function readToFirstWords(
  rollout: OpenRollout,
  start: number,
  fold: SummaryFold,
): Promise<number> {
  if (fold.knowsPerson) return start
  const { bytes } = await visitRollout(
    rollout,
    { start, chunkBytes: FIRST_BYTES },
    {
      entry: ({ item }) => {
        fold.apply(item)
        return fold.knowsPerson ? 'stop' : undefined
      },
    },
  )
  return bytes
}

const CHUNK_BYTES = 512 * 1024
const NEWLINE = 0x0a

/** Answers the byte behind the last whole line. One without its end is read again another time. */
async function readRest(file: OpenFile, start: number, fold: SummaryFold): Promise<number> {
  const later = new LaterLines(fold)
  // A compressed file knows no size of its text.
  const isSizeKnown = !(file instanceof CompressedRollout)
  const size = isSizeKnown ? (await file.facts()).sizeBytes : Number.POSITIVE_INFINITY
  let chunk = Buffer.allocUnsafe(Math.max(1, Math.min(CHUNK_BYTES, size - start)))
  let position = start
  let filled = 0
  let whole = start
  let isTooLong = false
  while (position < size) {
    if (filled === chunk.length && chunk.length >= MOST_LINE_BYTES) {
      filled = 0
      isTooLong = true
    } else if (filled === chunk.length) {
      chunk = Buffer.concat([chunk, Buffer.allocUnsafe(chunk.length)])
    }
    const count = await file.read(chunk.subarray(filled), position)
    if (count === 0) break
    position += count
    filled += count
    const end = chunk.lastIndexOf(NEWLINE, filled - 1) + 1
    if (end === 0) continue
    later.meet(chunk.subarray(isTooLong ? chunk.indexOf(NEWLINE) + 1 : 0, end))
    isTooLong = false
    chunk.copyWithin(0, end, filled)
    filled -= end
    whole = position - filled
  }
  if (!isTooLong) later.meet(chunk.subarray(0, filled))
  later.finish()
  return whole
}

/** Finds the lines that change a summary among all that do not. */
class LaterLines {
  readonly #fold: SummaryFold
  /** Of these the last one counts. */
  #turnContext: RolloutItem | undefined
  #tokenCount: RolloutItem | undefined

  constructor(fold: SummaryFold) {
    this.#fold = fold
  }

  /** `lines`: whole ones, and at the end of the file perhaps one without its end. */
  meet(lines: Buffer): void {
    const turnContexts: number[] = []
    const tokenCounts: number[] = []
    for (let start = 0; start < lines.length; ) {
      const newline = lines.indexOf(NEWLINE, start)
      const end = newline === -1 ? lines.length : newline
      const kind = laterKind(lines, start, end)
      if (kind === 'every') this.#apply(decoded(lines, start))
      else if (kind === 'turn_context') turnContexts.push(start)
      else if (kind === 'token_count') tokenCounts.push(start)
      start = end + 1
    }
    this.#turnContext = lastOf(lines, turnContexts, () => true) ?? this.#turnContext
    this.#tokenCount = lastOf(lines, tokenCounts, hasCounts) ?? this.#tokenCount
  }

  finish(): void {
    this.#apply(this.#turnContext)
    this.#apply(this.#tokenCount)
  }

  #apply(item: RolloutItem | undefined): void {
    if (item) this.#fold.apply(item)
  }
}

function hasCounts(item: RolloutItem): boolean {
  return item.type === 'event_msg' && item.payload.type === 'token_count' && !!item.payload.info
}

/** The last line that can be read may not be the last. */
function lastOf(
  lines: Buffer,
  starts: readonly number[],
  isWanted: (item: RolloutItem) => boolean,
): RolloutItem | undefined {
  for (const start of starts.toReversed()) {
    const item = decoded(lines, start)
    if (item && isWanted(item)) return item
  }
  return undefined
}

function decoded(lines: Buffer, start: number): RolloutItem | undefined {
  const newline = lines.indexOf(NEWLINE, start)
  const line = decodeLine(lines.toString('utf8', start, newline === -1 ? lines.length : newline))
  return line.ok ? line.line.item : undefined
}

type LaterKind = 'every' | 'turn_context' | 'token_count' | undefined

/** Where the names of kinds are in a line as all programs write it. */
const LINE = '{"timestamp":"2026-11-20T09:29:15.786Z","type":"event_msg","payload":{"type":"'
const KIND_AT = LINE.indexOf('event_msg')
const EVENT_KIND_AT = LINE.length
const BEFORE_KIND = Buffer.from('","type":"')
const BEFORE_EVENT_KIND = Buffer.from('event_msg","payload":{"type":"')

const HEAD_BYTES = 200
const HEAD = /"type"\s*:\s*"(session_meta|turn_context|thread_(?:name|goal)_updated|token_count)"/

/** Whether a line says something that later lines can change; most are told apart by some bytes. */
function laterKind(lines: Buffer, start: number, end: number): LaterKind {
  if (holdsAt(lines, start + KIND_AT - BEFORE_KIND.length, BEFORE_KIND)) {
    const first = lines[start + KIND_AT]
    if (first === LETTER.r || first === LETTER.c) return undefined
    if (first === LETTER.e && holdsAt(lines, start + KIND_AT, BEFORE_EVENT_KIND)) {
      // `thread_name_updated`, `thread_goal_updated` and `token_count` are what begins so.
      const [one, two] = [lines[start + EVENT_KIND_AT], lines[start + EVENT_KIND_AT + 1]]
      if (one !== LETTER.t || (two !== LETTER.h && two !== LETTER.o)) return undefined
    }
  }
  const name = HEAD.exec(lines.toString('latin1', start, Math.min(end, start + HEAD_BYTES)))?.[1]
  if (name === 'turn_context' || name === 'token_count') return name
  return name === undefined ? undefined : 'every'
}

const LETTER = { r: 0x72, c: 0x63, e: 0x65, t: 0x74, h: 0x68, o: 0x6f }

function holdsAt(lines: Buffer, at: number, bytes: Buffer): boolean {
  for (let index = 0; index < bytes.length; index += 1) {
    if (lines[at + index] !== bytes[index]) return false
  }
  return true
}
