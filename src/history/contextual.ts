import type { ContentPart, MessageItem, ResponseItem } from '../protocol/index.ts'

/**
 * Marks around user-role text that the program wrote, not the person. Such messages are no turn
 * boundary and are not shown. Source: observed in 0.133.0; `reference/session-runtime.md` B9.
 */
const FRAGMENTS: readonly (readonly [open: string, close: string])[] = [
  ['# agents.md instructions', '</instructions>'],
  ['<environment_context>', '</environment_context>'],
  ['<skill>', '</skill>'],
  ['<user_shell_command>', '</user_shell_command>'],
  ['<turn_aborted>', '</turn_aborted>'],
  ['<subagent_notification>', '</subagent_notification>'],
  ['<goal_context>', '</goal_context>'],
  ['<hook_prompt', '</hook_prompt>'],
]

/** What the model is told when a person stopped the turn: 0.133.0's words, byte for byte. */
export const TURN_ABORTED_MARKER =
  '<turn_aborted>\nThe user interrupted the previous turn on purpose. Any running unified exec ' +
  'processes may still be running in the background. If any tools/commands were aborted, they ' +
  'may have partially executed.\n</turn_aborted>'

function isContextualPart(part: ContentPart): boolean {
  if (!('text' in part)) return false
  const text = part.text.trim().toLowerCase()
  return FRAGMENTS.some(([open, close]) => text.startsWith(open) && text.endsWith(close))
}

export function isContextual(item: MessageItem): boolean {
  return item.content.length > 0 && item.content.every(isContextualPart)
}

/** A message that a person wrote. */
export function isUserBoundary(item: ResponseItem): item is MessageItem {
  return item.type === 'message' && item.role === 'user' && !isContextual(item)
}
