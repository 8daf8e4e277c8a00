import type { JsonObject } from '../../base/index.ts'
import type { SearchHit } from '../../thread-store/index.ts'
import { markFound } from './found-words.ts'
import { printable, type Terminal } from './terminal.ts'
import { threadJson } from './thread-json.ts'
import { printThreadLine } from './thread-text.ts'

/** A hit in the JSON output of `threads search`. */
export function hitJson({ thread, turnId, snippet }: SearchHit): JsonObject {
  return { thread: threadJson(thread), turnId, snippet }
}

/** A hit: the thread as in a list, and what was said there. */
export function printHit(
  out: Terminal,
  { thread, turnId, snippet }: SearchHit,
  query: string,
): void {
  printThreadLine(out, thread)
  const parts = markFound(printable(snippet), query)
  const shown = parts.map(({ text, isFound }) => (isFound ? out.style('bold', text) : text))
  out.line(`    ${out.style('dim', `turn ${printable(turnId)}`)}  ${shown.join('')}`)
}
