import type { ThreadId, Turn } from '../protocol/index.ts'
import { ThreadStoreError } from './errors.ts'
import type { ThreadStore } from './store.ts'

/**
 * Takes the last turns of a stored thread back: one line says so, and nothing is removed.
 * `invalid_request` for a count that the thread does not have, and for a turn without a message of
 * the person: the model's history does not count those, so that the two views would part.
 */
export async function rollBackThread(
  store: ThreadStore,
  threadId: ThreadId,
  turnCount: number,
): Promise<void> {
  await store.resumeThread(threadId)
  try {
    await checkRollBack(store, threadId, turnCount)
    const payload = { type: 'thread_rolled_back', num_turns: turnCount } as const
    await store.appendItems(threadId, [{ type: 'event_msg', payload }])
    await store.closeThread(threadId)
  } finally {
    await store.discardThread(threadId)
  }
}

/** Throws `invalid_request` when so many turns cannot be taken back. */
export async function checkRollBack(
  store: ThreadStore,
  threadId: ThreadId,
  turnCount: number,
): Promise<void> {
  const reason = await whyNot(store, threadId, turnCount)
  if (reason === undefined) return
  throw new ThreadStoreError({ code: 'invalid_request', reason: `thread ${threadId}: ${reason}` })
}

async function whyNot(
  store: ThreadStore,
  threadId: ThreadId,
  turnCount: number,
): Promise<string | undefined> {
  if (!Number.isInteger(turnCount) || turnCount < 1) return 'numTurns must be >= 1'
  const { turns } = await store.listTurns({ threadId, limit: turnCount, direction: 'desc' })
  if (turnCount > turns.length) return `it has only ${turns.length} turns`
  const silent = turns.find((turn: Turn) => !turn.items.some(({ type }) => type === 'userMessage'))
  return silent && `turn ${silent.id} holds no message of the person and cannot be rolled back`
}
