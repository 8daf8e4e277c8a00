import type { RolloutItem } from '../protocol/index.ts'

/** Whether items leave a turn running or none; undefined when they say nothing of it. */
export function turnActivity(items: readonly RolloutItem[]): 'turn' | 'idle' | undefined {
  for (const item of items.toReversed()) {
    if (item.type !== 'event_msg') continue
    if (item.payload.type === 'task_started') return 'turn'
    if (item.payload.type === 'task_complete' || item.payload.type === 'turn_aborted') return 'idle'
  }
  return undefined
}
