import { sourceKind, type Turn } from '../../protocol/index.ts'
import type { StoredThread } from '../../thread-store/index.ts'
import { printItem } from './item-text.ts'
import { printable, type Terminal } from './terminal.ts'

/** `2026-11-21 10:53` of the reader's own clock. */
function localMinute(ms: number): string {
  const at = new Date(ms)
  const two = (value: number) => String(value).padStart(2, '0')
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}`
}

function titleOf(thread: StoredThread): string {
  return printable(thread.name ?? thread.preview).split('\n')[0] ?? ''
}

/** A thread in a list. */
export function printThreadLine(out: Terminal, thread: StoredThread): void {
  const facts = [sourceKind(thread.source), thread.model, thread.git?.branch, thread.cwd]
  const when = localMinute(thread.updatedAtMs)
  out.line(`${out.style('cyan', thread.threadId)}  ${when}  ${titleOf(thread)}`)
  out.line(out.style('dim', `    ${printable(facts.filter(Boolean).join('  '))}`))
}

/** A thread with its turns. */
export function printThread(out: Terminal, thread: StoredThread, turns: readonly Turn[]): void {
  out.line(out.style('bold', titleOf(thread)))
  const facts = [`thread ${thread.threadId}`, localMinute(thread.createdAtMs), thread.cwd]
  out.line(out.style('dim', printable(facts.join('  '))))
  for (const turn of turns) {
    out.line()
    for (const item of turn.items) printItem(out, item)
    if (turn.error) out.line(out.style('red', `failed: ${printable(turn.error.message)}`))
    if (turn.status === 'interrupted') out.line(out.style('yellow', '(interrupted)'))
  }
}
