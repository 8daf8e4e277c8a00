import { messageText, type ResponseItem, userText } from '../protocol/index.ts'
import { isUserBoundary } from './contextual.ts'

/** Begins the message that carries a summary, so that the next compaction knows it for one. */
export const SUMMARY_PREFIX =
  'The conversation up to here was condensed to save space. This is what the assistant noted for ' +
  'itself before; the messages of the user above are kept as they were:'

/** How real Codex begins its own. Source: `reference/session-runtime.md` F3. */
const CODEX_PREFIX = 'Another language model started to solve this problem'

/** Of the messages of the person, the newest so many tokens are kept. Source: 0.133.0. */
const KEPT_TOKENS = 20_000
const BYTES_PER_TOKEN = 4

function isSummary(text: string): boolean {
  return text.startsWith(SUMMARY_PREFIX) || text.startsWith(CODEX_PREFIX)
}

/**
 * What is left of a history: the newest messages of the person, in order, and then the summary.
 * `context` comes before the last of them, for a turn that goes on.
 */
export function compactedHistory(
  items: readonly ResponseItem[],
  summary: string,
  context: readonly ResponseItem[] = [],
): ResponseItem[] {
  const texts = items
    .filter(isUserBoundary)
    .map(messageText)
    .filter((text) => text !== summary && !isSummary(text))
  const kept = newestWithin(texts, KEPT_TOKENS).map(userText)
  const last = kept.pop()
  return [...kept, ...context, ...(last ? [last] : []), userText(summary)]
}

function newestWithin(texts: readonly string[], tokens: number): string[] {
  const kept: string[] = []
  let left = tokens * BYTES_PER_TOKEN
  for (const text of texts.toReversed()) {
    if (left <= 0) break
    const bytes = Buffer.byteLength(text)
    kept.push(bytes <= left ? text : `${beginning(text, left)}\n[… cut]`)
    left -= bytes
  }
  return kept.reverse()
}

/** As many whole characters as fit into so many bytes. */
function beginning(text: string, bytes: number): string {
  return Buffer.from(text)
    .subarray(0, bytes)
    .toString('utf8')
    .replace(/\uFFFD+$/, '')
}

/** What such items will take of the model's window, roughly. */
export function estimateTokens(items: readonly ResponseItem[]): number {
  const bytes = items.reduce((sum, item) => sum + Buffer.byteLength(JSON.stringify(item)), 0)
  return Math.ceil(bytes / BYTES_PER_TOKEN)
}
