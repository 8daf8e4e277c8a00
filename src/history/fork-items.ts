import { type RolloutItem, userText } from '../protocol/index.ts'
import { isContextual, TURN_ABORTED_MARKER } from './contextual.ts'
import { foldTurnStarts, foldTurns } from './turn-view.ts'

/**
 * What a fork's log holds behind its own header: everything of the source, or everything up to the
 * end of the named turn; undefined when there is no such turn. A turn that is cut off is closed as
 * interrupted, as real Codex does. Source: `reference/rollout-and-thread-store.md` H.2.
 */
export function forkedItems(
  log: readonly RolloutItem[],
  throughTurnId?: string,
): RolloutItem[] | undefined {
  const end = throughTurnId === undefined ? log.length : endOfTurn(log, throughTurnId)
  if (end === undefined) return undefined
  const copy = log.slice(0, end)
  const last = foldTurns(copy, { isRunning: true }).at(-1)
  if (last?.status !== 'inProgress') return copy
  return [...copy, ...closedTurn(last.id)]
}

/** What says that a turn was cut off. */
export function closedTurn(turn_id: string): RolloutItem[] {
  return [
    { type: 'response_item', payload: userText(TURN_ABORTED_MARKER) },
    { type: 'event_msg', payload: { type: 'turn_aborted', turn_id, reason: 'interrupted' } },
  ]
}

/** Index behind the turn's last entry: where the next turn begins. */
function endOfTurn(log: readonly RolloutItem[], turnId: string): number | undefined {
  const starts = foldTurnStarts(log)
  // Of turns with one id the one that people see is meant.
  const shown = starts.findLastIndex((start) => start.turnId === turnId && !start.isTakenBack)
  const at = shown === -1 ? starts.findLastIndex((start) => start.turnId === turnId) : shown
  if (at === -1) return undefined
  let end = starts[at + 1]?.index ?? log.length
  // Without turn events a turn is opened by the event of a message, which follows its items.
  while (end > 0 && opensTurn(log[end]) && leadsIn(log[end - 1])) end -= 1
  return end
}

function opensTurn(item: RolloutItem | undefined): boolean {
  if (item?.type === 'event_msg') return item.payload.type === 'user_message'
  return leadsIn(item)
}

function leadsIn(item: RolloutItem | undefined): boolean {
  if (item?.type === 'turn_context') return true
  if (item?.type !== 'response_item' || item.payload.type !== 'message') return false
  const { role } = item.payload
  return role === 'developer' || role === 'user' || isContextual(item.payload)
}
