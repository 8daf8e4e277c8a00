import {
  errorCode,
  errorText,
  type FileSystem,
  type JsonlLine,
  type OpenFile,
  type VisitLines,
  visitLines,
} from '../base/index.ts'
import { SummaryFold, type ThreadSummary } from '../history/index.ts'
import { parseThreadId, type RolloutItem, type SessionMeta } from '../protocol/index.ts'
import { CompressedRollout } from './compressed-rollout.ts'
import { RolloutError } from './errors.ts'
import { type DecodedLine, decodeLine } from './rollout-codec.ts'
import { parseRolloutName } from './rollout-path.ts'

/** A line that could not be read, or not all of it; its neighbours are not touched by it. */
export interface DamagedLine {
  /** 1-based. */
  readonly lineNumber: number
  readonly offset: number
  /** Completes the sentence "this line …". */
  readonly reason: string
}

/** An item of a log, with the bytes of its line. */
export interface RolloutEntry {
  readonly item: RolloutItem
  readonly start: number
  readonly end: number
}

/** A rollout that is open for reading. What a damaged header said is in part in its name. */
export interface OpenRollout {
  readonly path: string
  /** Its text, whatever it is kept as. Whoever opened the rollout closes it. */
  readonly text: OpenFile
}

/**
 * Opens a regular file; anything else at the path is refused without reading from it. Of one that
 * is compressed, by its name, the text is read.
 */
export async function openRollout(files: FileSystem, path: string): Promise<OpenRollout> {
  let file: OpenFile
  try {
    file = await files.openForRead(path)
  } catch (error) {
    const code = errorCode(error)
    if (code === 'ENOENT') throw new RolloutError('not_a_rollout', path, 'no such file', error)
    if (code === 'ELOOP') throw new RolloutError('not_a_rollout', path, 'a link, not a file', error)
    throw new RolloutError('io', path, `cannot open the rollout (${errorText(error)})`, error)
  }
  if (await isRegular(file, path)) {
    return { path, text: path.endsWith('.zst') ? new CompressedRollout(file) : file }
  }
  await file.close()
  throw new RolloutError('not_a_rollout', path, 'not a regular file')
}

async function isRegular(file: OpenFile, path: string): Promise<boolean> {
  try {
    return (await file.facts()).kind === 'file'
  } catch (error) {
    await file.close()
    throw new RolloutError('io', path, `cannot open the rollout (${errorText(error)})`, error)
  }
}

/** Answers what `work` makes of the rollout, closed by then. Throws only `RolloutError`. */
export async function withRollout<T>(
  files: FileSystem,
  path: string,
  work: (rollout: OpenRollout) => Promise<T>,
): Promise<T> {
  const rollout = await openRollout(files, path)
  try {
    try {
      return await work(rollout)
    } finally {
      await rollout.text.close()
    }
  } catch (error) {
    throw new RolloutError('io', path, `cannot read the rollout (${errorText(error)})`, error)
  }
}

/** A line as it lies in the file. */
export interface SeenLine {
  /** 1-based. */
  readonly lineNumber: number
  readonly offset: number
  readonly isTerminated: boolean
  readonly isUtf8: boolean
  /** Without the mark. */
  readonly text: string
  /** It began with a byte order mark. */
  readonly hasMark: boolean
  /** Null for a blank one. */
  readonly decoded: DecodedLine | null
}

export interface RolloutVisitor {
  /** Every line, before what it holds is shown. */
  readonly line?: (line: SeenLine) => void
  /** `stop` ends the reading. A last line may lack its end. */
  readonly entry: (entry: RolloutEntry, isTerminated: boolean) => unknown
  readonly damage?: (line: DamagedLine) => void
}

/** How far a reading came: whole lines, and how many. */
export interface RolloutExtent {
  readonly bytes: number
  readonly lines: number
}

/** Shows the lines of a rollout that are not blank: what could be read, and what was wrong. */
export async function visitRollout(
  { path, text: file }: OpenRollout,
  options: VisitLines & { readonly linesBefore?: number },
  visitor: RolloutVisitor,
): Promise<RolloutExtent> {
  let lineNumber = options.linesBefore ?? 0
  let isWhole = true
  // Where the first line is no header, the first good line is told behind one made of the name.
  let lacksHeader = (options.start ?? 0) === 0
  const bytes = await visitLines(file, options, (raw) => {
    lineNumber += 1
    isWhole = raw.isTerminated
    const { offset, sizeBytes } = raw
    const seen = seenLine(raw, lineNumber)
    visitor.line?.(seen)
    const { decoded } = seen
    if (!decoded) return undefined
    if (!decoded.ok || !raw.isUtf8) {
      const reason = decoded.ok ? BAD_BYTES : raw.isTerminated ? decoded.reason : CUT_OFF
      visitor.damage?.({ lineNumber, offset, reason })
    }
    if (!decoded.ok) return undefined
    if (lacksHeader) {
      lacksHeader = false
      const header = isHeader(decoded.line.item) ? undefined : headerByName(path)
      if (header && visitor.entry({ item: header, start: 0, end: 0 }, true) === 'stop')
        return 'stop'
    }
    const entry = { item: decoded.line.item, start: offset, end: offset + sizeBytes }
    return visitor.entry(entry, raw.isTerminated)
  })
  if (file instanceof CompressedRollout && file.damage) {
    visitor.damage?.({ lineNumber: lineNumber + 1, ...file.damage })
  }
  return { bytes, lines: isWhole ? lineNumber : lineNumber - 1 }
}

const BYTE_ORDER_MARK = '\uFEFF'

/** What a line of a file says. */
export function seenLine(raw: JsonlLine, lineNumber: number): SeenLine {
  const { offset, isTerminated, isUtf8 } = raw
  const hasMark = offset === 0 && raw.text.startsWith(BYTE_ORDER_MARK)
  const text = hasMark ? raw.text.slice(1) : raw.text
  const isBlank = text.trim() === ''
  const decoded = isBlank ? null : raw.isTooLong ? TOO_LONG : decodeLine(text)
  return { lineNumber, offset, isTerminated, isUtf8, text, hasMark, decoded }
}

function isHeader(item: RolloutItem): boolean {
  return item.type === 'session_meta' && parseThreadId(item.payload.id) !== undefined
}

/** What the name of a rollout tells of its thread; undefined for other names. */
function headerByName(path: string): RolloutItem | undefined {
  const name = parseRolloutName(path)
  if (!name) return undefined
  const { threadId: id, stamp: timestamp } = name
  const nothing = { cwd: '', originator: '', cli_version: '' }
  return { type: 'session_meta', payload: { id, timestamp, ...nothing, source: 'cli' } }
}

const TOO_LONG = { ok: false, reason: 'is longer than 128 MiB' } as const
const CUT_OFF = 'is cut off at the end of the file'
const BAD_BYTES = 'holds bytes that are no UTF-8, shown as \uFFFD'

export interface LoadedRollout {
  readonly summary: ThreadSummary
  readonly items: readonly RolloutItem[]
  readonly damage: readonly DamagedLine[]
}

/** Every item that can be read, in order, and a report of the rest. A torn tail is damage. */
export async function loadRollout(files: FileSystem, path: string): Promise<LoadedRollout> {
  const items: RolloutItem[] = []
  const damage: DamagedLine[] = []
  const fold = new SummaryFold()
  const visitor: RolloutVisitor = {
    entry: ({ item }) => {
      items.push(item)
      fold.apply(item)
    },
    damage: (line) => damage.push(line),
  }
  await withRollout(files, path, (rollout) => visitRollout(rollout, {}, visitor))
  const summary = fold.finish()
  if (summary) return { summary, items, damage }
  throw new RolloutError('no_header', path, 'the rollout has no readable session_meta line')
}

/** The header that names the thread; undefined when there is none. Reads no further than that. */
export async function readHeader(
  files: FileSystem,
  path: string,
): Promise<SessionMeta | undefined> {
  let header: SessionMeta | undefined
  const entry: RolloutVisitor['entry'] = ({ item }) => {
    if (item.type !== 'session_meta' || !parseThreadId(item.payload.id)) return undefined
    header = item.payload
    return 'stop'
  }
  await withRollout(files, path, (rollout) => {
    return visitRollout(sparingly(rollout), {}, { entry })
  })
  return header
}

/** Lines from one byte to another, or one of them. */
export interface RolloutPart {
  readonly start: number
  readonly end?: number
  readonly isOneLine?: boolean
}

/** Entries of parts of a rollout that begin and end with a line, in the order of the parts. */
export async function readEntries(
  files: FileSystem,
  path: string,
  parts: readonly RolloutPart[],
): Promise<{ entries: RolloutEntry[]; damage: DamagedLine[] }> {
  const entries: RolloutEntry[] = []
  const damage: DamagedLine[] = []
  await withRollout(files, path, async (rollout) => {
    for (const part of parts) {
      await visitRollout(part.isOneLine ? sparingly(rollout) : rollout, part, {
        entry: (entry) => {
          entries.push(entry)
          return part.isOneLine ? 'stop' : undefined
        },
        damage: (line) => damage.push(line),
      })
    }
  })
  return { entries, damage }
}

const FIRST_READ_BYTES = 16 * 1024

/** For one line, which is mostly short: more is read at once only when it turns out to be long. */
function sparingly({ path, text: file }: OpenRollout): OpenRollout {
  if (file instanceof CompressedRollout) return { path, text: file }
  let most = FIRST_READ_BYTES
  const text: OpenFile = {
    read: (into, position) => {
      const part = into.subarray(0, most)
      most *= 2
      return file.read(part, position)
    },
    write: (bytes) => file.write(bytes),
    facts: () => file.facts(),
    truncate: (sizeBytes) => file.truncate(sizeBytes),
    sync: () => file.sync(),
    close: () => file.close(),
  }
  return { path, text }
}

const NEWLINE = 0x0a

/**
 * `offset`, where a line of the file ends there; else 0: a file that was cut, or written anew in
 * its place, mostly has none.
 */
export async function lineEndOr0({ text }: OpenRollout, offset = 0): Promise<number> {
  const last = Buffer.alloc(1)
  const isEnd = offset > 0 && (await text.read(last, offset - 1)) === 1 && last[0] === NEWLINE
  return isEnd ? offset : 0
}
