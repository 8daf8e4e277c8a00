import type { JsonObject } from '../../base/index.ts'
import type { ThreadHandle } from '../../core/index.ts'
import type { Connection } from '../connection.ts'
import { tokenUsageOf } from '../projection/notifications.ts'

/** What a thread has used so far, to the one who has just come to it. */
export function tokenUsageReplay(
  handle: ThreadHandle,
  thread: JsonObject,
  connection: Connection,
): void {
  const turns = Array.isArray(thread.turns) ? thread.turns : []
  const last = turns.at(-1)
  const info = handle.tokenInfo
  if (!info || typeof last !== 'object' || last === null || !('id' in last)) return
  const turnId = String(last.id)
  const params = { threadId: handle.threadId, turnId, tokenUsage: tokenUsageOf(info) }
  connection.notify('thread/tokenUsage/updated', params)
}
