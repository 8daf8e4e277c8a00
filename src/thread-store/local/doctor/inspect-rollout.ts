import type { FileSystem } from '../../../base/index.ts'
import { parseThreadId, type SessionMeta, type ThreadId } from '../../../protocol/index.ts'
import {
  type RolloutExtent,
  type RolloutFile,
  type RolloutVisitor,
  readEntries,
  type SeenLine,
  visitRollout,
  withRollout,
} from '../../../rollout/index.ts'
import { MOST_NAMED, type Place } from './finding.ts'
import { type ScannedLine, scannedLine } from './scan-lines.ts'

/** Lines with one kind of trouble. */
export interface Troubled {
  readonly count: number
  /** The first of them. */
  readonly places: readonly Place[]
}

/**
 * `first`: where it belongs, with the id of the file's name. `late`: other lines come before it.
 * `lost`: not there. `other_id`: the thread that it names is not the file name's.
 */
export type HeaderState = 'first' | 'late' | 'lost' | 'other_id'

/** What is in a rollout, and what is wrong with it. */
export interface RolloutReport {
  /** Lines that can be read. */
  readonly items: number
  readonly blankLines: number
  /** Lines that cannot be read; a torn tail is not among them. */
  readonly bad: Troubled
  /** Lines that can be read, but not by everybody: the bytes are wrong. */
  readonly faulty: Troubled
  /** `unended`: only the newline is missing. */
  readonly tail: 'whole' | 'unended' | 'torn'
  readonly tailPlace: Place | null
  readonly header: HeaderState
  /** Text of the line that is the thread's own header, wherever it is. */
  readonly ownHeader: string | null
  /** The first header of another thread: that of the source, in a fork. */
  readonly otherId: ThreadId | null
  /** Working folder of the first turn. */
  readonly turnCwd: string | null
  /** When the first line that can be read was written. */
  readonly firstTimestamp: string | null
  readonly isPaginated: boolean
  /** Where nothing more can be decompressed. */
  readonly compression: Place | null
}

/** Reads along while a file is inspected. */
export interface Companion extends RolloutVisitor {
  /** Hears how far the file was read. */
  readonly end?: (extent: RolloutExtent) => void
}

/** Reads the file once, in memory that does not grow with it. Throws `RolloutError`. */
export async function inspectRollout(
  files: FileSystem,
  { path, threadId, isCompressed }: Pick<RolloutFile, 'path' | 'threadId' | 'isCompressed'>,
  companion: Companion = ALONE,
): Promise<RolloutReport> {
  const inspection = new Inspection(threadId)
  let lines = 0
  const line = (seen: SeenLine) => {
    lines = seen.lineNumber
    inspection.take(scannedLine(seen))
    companion.line?.(seen)
  }
  const extent = await withRollout(files, path, (file) => {
    const { entry, damage } = companion
    return visitRollout(file, { readsAhead: true }, { line, entry, ...(damage ? { damage } : {}) })
  })
  companion.end?.(extent)
  return inspection.report(isCompressed ? await compressionDamage(files, path, lines) : null)
}

const ALONE: Companion = { entry: () => undefined }

/** Behind all text there is only what the decompressor has to tell. */
async function compressionDamage(
  files: FileSystem,
  path: string,
  lines: number,
): Promise<Place | null> {
  const { damage } = await readEntries(files, path, [{ start: Number.MAX_SAFE_INTEGER }])
  return damage[0] ? { ...damage[0], lineNumber: lines + 1 } : null
}

export function isWhole(report: RolloutReport): boolean {
  const { bad, faulty, tail, header, compression } = report
  const isClean = bad.count === 0 && faulty.count === 0 && tail === 'whole' && !compression
  return isClean && (header === 'first' || header === 'other_id')
}

/** Whether a new file can be better than this one. */
export function canBeMended(report: RolloutReport, isCompressed: boolean): boolean {
  return !isCompressed && !report.isPaginated && !isWhole(report)
}

const ORDINAL = /^\s*\{\s*"timestamp"\s*:\s*"[^"]*"\s*,\s*"ordinal"\s*:/

/** Behind the time most lines have their type, as all programs write them: no need to search. */
function hasOrdinal(text: string): boolean {
  const isPlain = text.charCodeAt(TYPE_AT) === LETTER_T && text.charCodeAt(TYPE_AT - 1) === QUOTE
  return !isPlain && ORDINAL.test(text.slice(0, 200))
}

const TYPE_AT = '{"timestamp":"2026-11-20T09:29:15.786Z","'.length
const LETTER_T = 0x74
const QUOTE = 0x22

class Inspection {
  readonly #threadId: ThreadId
  readonly #bad = new Troubles()
  readonly #faulty = new Troubles()
  #items = 0
  #blankLines = 0
  #tail: RolloutReport['tail'] = 'whole'
  #tailPlace: Place | null = null
  #startsWith: 'own' | 'other' | 'no_header' | null = null
  #hasBadBefore = false
  #ownHeader: string | null = null
  #otherId: ThreadId | null = null
  #turnCwd: string | null = null
  #firstTimestamp: string | null = null
  #isPaginated = false

  constructor(threadId: ThreadId) {
    this.#threadId = threadId
  }

  take(line: ScannedLine): void {
    if (line.kind === 'blank') this.#blankLines += 1
    else if (line.kind === 'bad') this.#takeBad(line)
    else this.#takeGood(line)
  }

  #takeBad({ lineNumber, offset, reason, isTerminated }: ScannedLine & { kind: 'bad' }): void {
    if (this.#items === 0) this.#hasBadBefore = true
    if (isTerminated) {
      this.#bad.add({ lineNumber, offset, reason })
      return
    }
    this.#tail = 'torn'
    this.#tailPlace = { lineNumber, offset, reason: 'is cut off at the end of the file' }
  }

  #takeGood({ lineNumber, offset, ...good }: ScannedLine & { kind: 'good' }): void {
    this.#items += 1
    const { line, text, fault } = good
    if (fault) this.#faulty.add({ lineNumber, offset, reason: fault })
    if (!good.isTerminated) {
      this.#tail = 'unended'
      this.#tailPlace = { lineNumber, offset, reason: 'is whole, but without its newline' }
    }
    this.#firstTimestamp ??= line.timestamp
    this.#isPaginated ||= hasOrdinal(text)
    const { item } = line
    if (item.type === 'session_meta') this.#takeHeader(item.payload, text)
    else this.#startsWith ??= 'no_header'
    if (item.type === 'turn_context') this.#turnCwd ??= item.payload.cwd
  }

  #takeHeader(header: SessionMeta, text: string): void {
    const id = parseThreadId(header.id)
    if (!id) {
      this.#startsWith ??= 'no_header'
      return
    }
    this.#isPaginated ||= id === this.#threadId && header.history_mode === 'paginated'
    this.#startsWith ??= id === this.#threadId ? 'own' : 'other'
    if (id === this.#threadId) this.#ownHeader ??= text
    else this.#otherId ??= id
  }

  get #header(): HeaderState {
    if (this.#startsWith === 'own') return 'first'
    if (this.#startsWith !== 'other' && this.#ownHeader !== null) return 'late'
    // A fork begins with its own header, and then has that of its source.
    return this.#otherId && !this.#hasBadBefore ? 'other_id' : 'lost'
  }

  report(compression: Place | null): RolloutReport {
    return {
      items: this.#items,
      blankLines: this.#blankLines,
      bad: this.#bad,
      faulty: this.#faulty,
      tail: this.#tail,
      tailPlace: this.#tailPlace,
      header: this.#header,
      ownHeader: this.#ownHeader,
      otherId: this.#otherId,
      turnCwd: this.#turnCwd,
      firstTimestamp: this.#firstTimestamp,
      isPaginated: this.#isPaginated,
      compression,
    }
  }
}

class Troubles implements Troubled {
  count = 0
  readonly places: Place[] = []

  add(place: Place): void {
    this.count += 1
    if (this.places.length < MOST_NAMED) this.places.push(place)
  }
}
