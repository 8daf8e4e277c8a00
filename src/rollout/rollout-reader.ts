import {
  errorCode,
  errorText,
  type FileSystem,
  type OpenFile,
  type ReadLines,
  readLines,
} from '../base/index.ts'
import { SummaryFold, type ThreadSummary } from '../history/index.ts'
import { parseThreadId, type RolloutLine, type SessionMeta } from '../protocol/index.ts'
import { RolloutError } from './errors.ts'
import { decodeLine } from './rollout-codec.ts'

/** A line that could not be read, or not all of it; its neighbours are not touched by it. */
export interface DamagedLine {
  /** 1-based. */
  readonly lineNumber: number
  readonly offset: number
  /** Completes the sentence "this line …". */
  readonly reason: string
}

export interface LoadedRollout {
  readonly lines: readonly RolloutLine[]
  readonly damage: readonly DamagedLine[]
}

/** Lines behind the first message that can change what a list shows. */
const SUMMARY_LINE = /"type"\s*:\s*"(?:session_meta|turn_context|thread_name_updated)"/

/** Opens a regular file; anything else at the path is refused without reading from it. */
export async function openRollout(files: FileSystem, path: string): Promise<OpenFile> {
  let file: OpenFile
  try {
    file = await files.openForRead(path)
  } catch (error) {
    const code = errorCode(error)
    if (code === 'ENOENT') throw new RolloutError('not_a_rollout', path, 'no such file', error)
    if (code === 'ELOOP') throw new RolloutError('not_a_rollout', path, 'a link, not a file', error)
    throw new RolloutError('io', path, `cannot open the rollout (${errorText(error)})`, error)
  }
  if (await isRegular(file, path)) return file
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

interface ReadLine {
  readonly line?: RolloutLine
  readonly damage?: DamagedLine
}

/** Answers what `work` makes of the file, which is closed by then. Throws only `RolloutError`. */
async function withRollout<T>(
  files: FileSystem,
  path: string,
  work: (file: OpenFile) => Promise<T>,
): Promise<T> {
  const file = await openRollout(files, path)
  try {
    try {
      return await work(file)
    } finally {
      await file.close()
    }
  } catch (error) {
    throw new RolloutError('io', path, `cannot read the rollout (${errorText(error)})`, error)
  }
}

/** The lines of a rollout that are not blank, what could be read of each, and what was wrong. */
async function* readRollout(file: OpenFile, options: ReadLines = {}): AsyncGenerator<ReadLine> {
  let lineNumber = 0
  for await (const raw of readLines(file, options)) {
    lineNumber += 1
    const text = lineNumber === 1 ? raw.text.replace(/^\uFEFF/, '') : raw.text
    if (text.trim() === '') continue
    const decoded = decodeLine(text)
    const reason = decoded.ok ? BAD_BYTES : raw.isTerminated ? decoded.reason : CUT_OFF
    const isDamaged = !decoded.ok || !raw.isUtf8
    yield {
      ...(decoded.ok ? { line: decoded.line } : {}),
      ...(isDamaged ? { damage: { lineNumber, offset: raw.offset, reason } } : {}),
    }
  }
}

const CUT_OFF = 'is cut off at the end of the file'
const BAD_BYTES = 'holds bytes that are no UTF-8, shown as \uFFFD'

/** Every line that can be read, in order, and a report of the rest. A torn tail is damage. */
export async function loadRollout(files: FileSystem, path: string): Promise<LoadedRollout> {
  const lines: RolloutLine[] = []
  const damage: DamagedLine[] = []
  await withRollout(files, path, async (file) => {
    for await (const read of readRollout(file)) {
      if (read.line) lines.push(read.line)
      if (read.damage) damage.push(read.damage)
    }
  })
  if (!lines.some((line) => line.item.type === 'session_meta')) {
    throw new RolloutError('no_header', path, 'the rollout has no readable session_meta line')
  }
  return { lines, damage }
}

/** The header that names the thread; undefined when there is none. Reads no further than that. */
export async function readHeader(
  files: FileSystem,
  path: string,
): Promise<SessionMeta | undefined> {
  return withRollout(files, path, async (file) => {
    for await (const { line } of readRollout(file)) {
      if (line?.item.type !== 'session_meta') continue
      if (parseThreadId(line.item.payload.id)) return line.item.payload
    }
    return undefined
  })
}

/** A summary and how much of the file it was folded from. */
export interface FoldedSummary {
  readonly summary: ThreadSummary
  /** The summary holds all that is said up to here, the end of a line or 0. */
  readonly foldedBytes: number
}

/**
 * What a list shows of a rollout; undefined without a header. Up to the first message of the person
 * every line is read, behind it only those that can change the summary. With `known`, an earlier
 * result for the same file, only what came since is read.
 */
export async function readSummary(
  files: FileSystem,
  path: string,
  known?: FoldedSummary,
): Promise<FoldedSummary | undefined> {
  return withRollout(files, path, async (file) => {
    const { sizeBytes } = await file.facts()
    // A file that was cut, or written anew in its place, mostly has no line that ends there.
    const start = known && (await isLineEnd(file, known.foldedBytes)) ? known.foldedBytes : 0
    const fold = new SummaryFold(start > 0 ? known?.summary : undefined)
    const isWanted = (head: string) => !fold.hasPreview || SUMMARY_LINE.test(head)
    for await (const { line } of readRollout(file, { start, isWanted })) {
      if (line) fold.apply(line.item)
    }
    const summary = fold.finish()
    // What came while we were reading, or has no end yet, is read again; that changes nothing.
    const foldedBytes = (await isLineEnd(file, sizeBytes)) ? sizeBytes : start
    return summary && { summary, foldedBytes }
  })
}

const NEWLINE = 0x0a

async function isLineEnd(file: OpenFile, offset: number): Promise<boolean> {
  const last = Buffer.alloc(1)
  return offset > 0 && (await file.read(last, offset - 1)) === 1 && last[0] === NEWLINE
}
