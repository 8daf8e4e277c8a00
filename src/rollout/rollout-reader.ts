import { errorCode, errorText, type FileSystem, type OpenFile, readLines } from '../base/index.ts'
import { SummaryFold, type ThreadSummary } from '../history/index.ts'
import type { RolloutLine } from '../protocol/index.ts'
import { RolloutError } from './errors.ts'
import { decodeLine } from './rollout-codec.ts'

/** A line that could not be read; its neighbours are not touched by it. */
export interface DamagedLine {
  /** 1-based. */
  readonly lineNumber: number
  readonly offset: number
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
  const facts = await file.facts()
  if (facts.kind === 'file') return file
  await file.close()
  throw new RolloutError('not_a_rollout', path, 'not a regular file')
}

/** Every line that can be read, in order, and a report of the rest. A torn tail is damage. */
export async function loadRollout(files: FileSystem, path: string): Promise<LoadedRollout> {
  const lines: RolloutLine[] = []
  const damage: DamagedLine[] = []
  const file = await openRollout(files, path)
  try {
    let lineNumber = 0
    for await (const raw of readLines(file)) {
      lineNumber += 1
      const text = lineNumber === 1 ? raw.text.replace(/^\uFEFF/, '') : raw.text
      if (text.trim() === '') continue
      const decoded = decodeLine(text)
      if (decoded.ok) lines.push(decoded.line)
      else {
        const reason = raw.isTerminated ? decoded.reason : 'is cut off at the end of the file'
        damage.push({ lineNumber, offset: raw.offset, reason })
      }
    }
  } catch (error) {
    throw new RolloutError('io', path, `cannot read the rollout (${errorText(error)})`, error)
  } finally {
    await file.close()
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
  const file = await openRollout(files, path)
  try {
    let left = SUMMARY_LINES
    for await (const raw of readLines(file)) {
      const decoded = decodeLine(raw.text)
      if (decoded.ok) fold.apply(decoded.line.item)
      left -= 1
      if ((fold.hasHeader && fold.hasPreview) || left === 0) break
    }
  } finally {
    await file.close()
  }
  return fold.finish()
}
