import type { PatchChunk } from './parse-patch.ts'
import { PatchError } from './patch-error.ts'
import { seekLines } from './seek-lines.ts'

interface Replacement {
  readonly at: number
  readonly length: number
  readonly newLines: readonly string[]
}

/**
 * The file's text after the chunks, which are looked for one after the other. Lines not touched
 * keep their endings, new lines end in LF, and so does the file. One blank line at the very end
 * of the file counts as its final newline and goes: as in Codex.
 */
export function replaceChunks(text: string, path: string, chunks: readonly PatchChunk[]): string {
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  const replacements = findReplacements(lines, path, chunks).sort((a, b) => a.at - b.at)
  const result: string[] = []
  let done = 0
  for (const { at, length, newLines } of replacements) {
    for (const line of lines.slice(done, at)) result.push(line)
    for (const line of newLines) result.push(line)
    done = Math.max(done, at + length)
  }
  for (const line of lines.slice(done)) result.push(line)
  if (result.at(-1) !== '') result.push('')
  return result.join('\n')
}

function findReplacements(
  lines: readonly string[],
  path: string,
  chunks: readonly PatchChunk[],
): Replacement[] {
  let from = 0
  return chunks.map((chunk) => {
    if (chunk.context !== undefined) {
      const at = seekLines(lines, [chunk.context], { from, isEndOfFile: false })
      if (at === undefined) {
        throw new PatchError(`Failed to find context '${chunk.context}' in ${path}`)
      }
      from = at + 1
    }
    if (chunk.oldLines.length === 0) {
      const at = lines.at(-1) === '' ? lines.length - 1 : lines.length
      return { at, length: 0, newLines: chunk.newLines }
    }
    const found = findChunk(lines, chunk, from)
    if (!found) {
      const expected = chunk.oldLines.join('\n')
      throw new PatchError(`Failed to find expected lines in ${path}:\n${expected}`)
    }
    from = found.at + found.length
    return found
  })
}

/** A last blank old line may stand for the end of the file: without it is tried second. */
function findChunk(
  lines: readonly string[],
  chunk: PatchChunk,
  from: number,
): Replacement | undefined {
  const { oldLines, newLines, isEndOfFile } = chunk
  const at = seekLines(lines, oldLines, { from, isEndOfFile })
  if (at !== undefined) return { at, length: oldLines.length, newLines }
  if (oldLines.at(-1) !== '') return undefined
  const shorter = oldLines.slice(0, -1)
  const shorterAt = seekLines(lines, shorter, { from, isEndOfFile })
  if (shorterAt === undefined) return undefined
  return {
    at: shorterAt,
    length: shorter.length,
    newLines: newLines.at(-1) === '' ? newLines.slice(0, -1) : newLines,
  }
}
