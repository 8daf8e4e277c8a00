import { PatchError } from './patch-error.ts'
import { trimSpace } from './trim-space.ts'

/** One replacement in a file: `oldLines` become `newLines`. */
export interface PatchChunk {
  /** A line to find first; the search for `oldLines` starts after it. */
  readonly context?: string
  readonly oldLines: readonly string[]
  readonly newLines: readonly string[]
  /** `oldLines` are the last lines of the file. */
  readonly isEndOfFile: boolean
}

/** What a patch does to one file. Paths are as written in the patch. */
export type PatchHunk =
  | { readonly type: 'add'; readonly path: string; readonly content: string }
  | { readonly type: 'delete'; readonly path: string }
  | {
      readonly type: 'update'
      readonly path: string
      readonly movePath?: string
      readonly chunks: readonly PatchChunk[]
    }

/** A place in the patch; `number` is the line's number as a person counts. */
interface Cursor {
  readonly lines: readonly string[]
  number: number
}

const BEGIN = '*** Begin Patch'
const END = '*** End Patch'
const ENVIRONMENT = '*** Environment ID:'
const ADD = '*** Add File: '
const DELETE = '*** Delete File: '
const UPDATE = '*** Update File: '
const MOVE = '*** Move to: '
const END_OF_FILE = '*** End of File'
const HEREDOC_STARTS: readonly (string | undefined)[] = ['<<EOF', "<<'EOF'", '<<"EOF"']

/**
 * Reads the apply_patch language: a `PatchError` names the first fault, an empty patch has no
 * hunks. Lenient about space around the patch and its headers, a heredoc around the whole, a
 * missing `@@` on a file's first chunk, blank lines and CRLF.
 */
export function parsePatch(text: string): PatchHunk[] {
  const lines = unwrapHeredoc(splitLines(trimSpace(text)))
  checkMarkers(lines)
  const cursor: Cursor = { lines: lines.slice(0, -1), number: 2 }
  const hasEnvironment = skipEnvironment(cursor)
  const hunks: PatchHunk[] = []
  while (peek(cursor) !== undefined) hunks.push(parseHunk(cursor))
  if (hasEnvironment) {
    const reason = 'apply_patch environment selection is unavailable for this turn'
    throw new PatchError(reason, { failure: 'rejected' })
  }
  return hunks
}

function splitLines(text: string): string[] {
  return text === '' ? [] : text.split('\n').map((line) => line.replace(/\r$/, ''))
}

function hasMarkers(lines: readonly string[]): boolean {
  return trimSpace(lines[0] ?? '') === BEGIN && trimSpace(lines.at(-1) ?? '') === END
}

function unwrapHeredoc(lines: readonly string[]): readonly string[] {
  if (hasMarkers(lines) || lines.length < 4) return lines
  const isWrapped = HEREDOC_STARTS.includes(lines[0]) && lines.at(-1)?.endsWith('EOF')
  return isWrapped ? lines.slice(1, -1) : lines
}

function checkMarkers(lines: readonly string[]): void {
  if (lines.length > 1 && hasMarkers(lines)) return
  const hasBegin = lines.length === 0 || trimSpace(lines[0] ?? '') === BEGIN
  throw new PatchError(
    hasBegin
      ? `invalid patch: The last line of the patch must be '${END}'`
      : `invalid patch: The first line of the patch must be '${BEGIN}'`,
  )
}

/** A header we know but cannot serve: a session has one environment. */
function skipEnvironment(cursor: Cursor): boolean {
  const header = trimSpace(peek(cursor) ?? '')
  if (!header.startsWith(ENVIRONMENT)) return false
  if (header === ENVIRONMENT) {
    throw new PatchError('invalid patch: apply_patch environment_id cannot be empty')
  }
  cursor.number += 1
  return true
}

function peek(cursor: Cursor): string | undefined {
  return cursor.lines[cursor.number - 1]
}

function invalidHunk(number: number, reason: string): PatchError {
  return new PatchError(`invalid hunk at line ${number}, ${reason}`)
}

function parseHunk(cursor: Cursor): PatchHunk {
  const header = trimSpace(peek(cursor) ?? '')
  const { number } = cursor
  cursor.number += 1
  if (header.startsWith(ADD)) {
    return { type: 'add', path: header.slice(ADD.length), content: parseAdded(cursor) }
  }
  if (header.startsWith(DELETE)) return { type: 'delete', path: header.slice(DELETE.length) }
  if (header.startsWith(UPDATE)) return parseUpdate(cursor, header.slice(UPDATE.length))
  throw invalidHunk(
    number,
    `'${header}' is not a valid hunk header. Valid hunk headers: ` +
      `'${ADD}{path}', '${DELETE}{path}', '${UPDATE}{path}'`,
  )
}

function parseAdded(cursor: Cursor): string {
  let content = ''
  for (let line = peek(cursor); line?.startsWith('+'); line = peek(cursor)) {
    content += `${line.slice(1)}\n`
    cursor.number += 1
  }
  return content
}

function parseUpdate(cursor: Cursor, path: string): PatchHunk {
  const headerNumber = cursor.number - 1
  const move = peek(cursor)
  const movePath = move?.startsWith(MOVE) ? move.slice(MOVE.length) : undefined
  if (movePath !== undefined) cursor.number += 1
  const chunks: PatchChunk[] = []
  for (let line = peek(cursor); line !== undefined; line = peek(cursor)) {
    if (line.startsWith('***')) break
    if (trimSpace(line) === '') cursor.number += 1
    else chunks.push(parseChunk(cursor, chunks.length === 0))
  }
  if (chunks.length === 0) {
    throw invalidHunk(headerNumber, `Update file hunk for path '${path}' is empty`)
  }
  return { type: 'update', path, ...(movePath !== undefined && { movePath }), chunks }
}

function parseChunk(cursor: Cursor, isFirst: boolean): PatchChunk {
  const { number } = cursor
  const head = peek(cursor) ?? ''
  const hasMarker = head === '@@' || head.startsWith('@@ ')
  if (!hasMarker && !isFirst) {
    const reason = `Expected update hunk to start with a @@ context marker, got: '${head}'`
    throw invalidHunk(number, reason)
  }
  if (hasMarker) cursor.number += 1
  const context = head.startsWith('@@ ') ? { context: head.slice(3) } : {}
  const body = parseChunkLines(cursor)
  if (body.lineCount > 0) {
    return {
      ...context,
      oldLines: body.oldLines,
      newLines: body.newLines,
      isEndOfFile: body.isEndOfFile,
    }
  }
  // The line after the chunk's head, even when there is no `@@` line: as Codex counts.
  const line = peek(cursor)
  if (line === undefined || body.isEndOfFile) {
    throw invalidHunk(number + 1, 'Update hunk does not contain any lines')
  }
  throw invalidHunk(
    number + 1,
    `Unexpected line found in update hunk: '${line}'. Every line should start with ` +
      "' ' (context line), '+' (added line), or '-' (removed line)",
  )
}

function parseChunkLines(cursor: Cursor) {
  const oldLines: string[] = []
  const newLines: string[] = []
  let lineCount = 0
  for (let line = peek(cursor); line !== undefined; line = peek(cursor)) {
    const isEndOfFile = line === END_OF_FILE
    const sign = line === '' ? ' ' : line.charAt(0)
    if (!isEndOfFile && !' +-'.includes(sign)) break
    cursor.number += 1
    if (isEndOfFile) return { oldLines, newLines, lineCount, isEndOfFile }
    lineCount += 1
    if (sign !== '+') oldLines.push(line.slice(1))
    if (sign !== '-') newLines.push(line.slice(1))
  }
  return { oldLines, newLines, lineCount, isEndOfFile: false }
}
