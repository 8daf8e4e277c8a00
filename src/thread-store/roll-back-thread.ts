import { foldTurns } from '../history/index.ts'
import type { ThreadId, Turn } from '../protocol/index.ts'
import { ThreadStoreError } from './errors.ts'
import type { ThreadStore } from './store.ts'

/**
 * Takes the last turns of a stored thread back: one line says so, and nothing is removed. Answers
 * the turns that are left. `invalid_request` for a count that the thread does not have, and for a
 * turn without a message of the person: the model's history does not count those, so that the two
 * views would part.
 */
export async function rollBackThread(
  store: ThreadStore,
  threadId: ThreadId,
  turnCount: number,
): Promise<Turn[]> {
  await store.resumeThread(threadId)
  try {
    const { items } = await store.loadHistory(threadId)
    const turns = foldTurns(items)
    checkCount(threadId, turns, turnCount)
    const payload = { type: 'thread_rolled_back', num_turns: turnCount } as const
    await store.appendItems(threadId, [{ type: 'event_msg', payload }])
    await store.closeThread(threadId)
    return turns.slice(0, turns.length - turnCount)
  } finally {
    await store.discardThread(threadId)
  }
}

function checkCount(threadId: ThreadId, turns: readonly Turn[], turnCount: number): void {
  const reason = whyNot(turns, turnCount)
  if (reason === undefined) return
  throw new ThreadStoreError({ code: 'invalid_request', reason: `thread ${threadId}: ${reason}` })
}

function whyNot(turns: readonly Turn[], turnCount: number): string | undefined {
  if (!Number.isInteger(turnCount) || turnCount < 1) return 'numTurns must be >= 1'
  if (turnCount > turns.length) return `it has only ${turns.length} turns`
  const silent = turns
    .slice(-turnCount)
    .find((turn) => !turn.items.some((item) => item.type === 'userMessage'))
  return silent && `turn ${silent.id} holds no message of the person and cannot be rolled back`
}
