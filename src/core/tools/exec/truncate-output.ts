import { ceilBoundary, floorBoundary } from './utf8.ts'

const BYTES_PER_TOKEN = 4

/** What the model is told a text costs: four bytes of UTF-8 a token, rounded up. */
export function countTokens(text: string): number {
  return tokensOf(Buffer.byteLength(text))
}

/** `cutMiddle` for a command's output, which tells too how many lines there were. */
export function truncateOutput(text: string, maxTokens: number): string {
  const cut = cutMiddle(text, maxTokens)
  return cut === text ? text : `Total output lines: ${countLines(text)}\n\n${cut}`
}

/**
 * Keeps the first and the last half of the budget and names what is missing between them. The
 * count of truncated tokens is reckoned from the budget, so it leaves out what is lost in addition
 * because no character is split. Observed: codex 0.133.0.
 */
export function cutMiddle(text: string, maxTokens: number): string {
  const bytes = Buffer.from(text)
  const budgetBytes = maxTokens * BYTES_PER_TOKEN
  if (bytes.length <= budgetBytes) return text
  const half = budgetBytes / 2
  const head = bytes.toString('utf8', 0, floorBoundary(bytes, half))
  const tail = bytes.toString('utf8', ceilBoundary(bytes, bytes.length - half))
  const missing = tokensOf(bytes.length - budgetBytes)
  return `${head}…${missing} tokens truncated…${tail}`
}

function tokensOf(sizeBytes: number): number {
  return Math.ceil(sizeBytes / BYTES_PER_TOKEN)
}

function countLines(text: string): number {
  let count = 0
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count += 1
  return text.endsWith('\n') || text === '' ? count : count + 1
}
