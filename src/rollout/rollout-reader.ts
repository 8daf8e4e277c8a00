import { errorCode, errorText, type FileSystem, type OpenFile, readLines } from '../base/index.ts'
import { SummaryFold, type ThreadSummary } from '../history/index.ts'
import type { RolloutLine } from '../protocol/index.ts'
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

/** Lines that a list reads at most before it gives up on finding a first message. */
const SUMMARY_LINES = 1000

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

/** The lines of a rollout that are not blank, what could be read of each, and what was wrong. */
async function* readRollout(files: FileSystem, path: string): AsyncGenerator<ReadLine> {
  const file = await openRollout(files, path)
  try {
    let lineNumber = 0
    for await (const raw of readLines(file)) {
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
  } catch (error) {
    throw new RolloutError('io', path, `cannot read the rollout (${errorText(error)})`, error)
  } finally {
    await file.close()
  }
}

const CUT_OFF = 'is cut off at the end of the file'
const BAD_BYTES = 'holds bytes that are no UTF-8, shown as \uFFFD'

/** Every line that can be read, in order, and a report of the rest. A torn tail is damage. */
export async function loadRollout(files: FileSystem, path: string): Promise<LoadedRollout> {
  const lines: RolloutLine[] = []
  const damage: DamagedLine[] = []
  for await (const read of readRollout(files, path)) {
    if (read.line) lines.push(read.line)
    if (read.damage) damage.push(read.damage)
  }
  if (!lines.some((line) => line.item.type === 'session_meta')) {
    throw new RolloutError('no_header', path, 'the rollout has no readable session_meta line')
  }
  return { lines, damage }
}

/** Reads no further than the first message of the person. Undefined without a header. */
export async function readSummary(
  files: FileSystem,
  path: string,
): Promise<ThreadSummary | undefined> {
  const fold = new SummaryFold()
  let left = SUMMARY_LINES
  for await (const { line } of readRollout(files, path)) {
    if (line) fold.apply(line.item)
    left -= 1
    if ((fold.hasHeader && fold.hasPreview) || left === 0) break
  }
  return fold.finish()
}
