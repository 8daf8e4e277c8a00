/**
 * A thread as both programs show it, in the form in which the tests compare it. Codex forgets
 * commands when it reads a rollout, and newer versions add members that are null there; both are
 * left out. Ids that are only counters (`item-3`) are left out too.
 */
import { arrayAt, isObject, type JsonObject } from '../../src/base/index.ts'

/** What Codex shows again of a legacy rollout, and the members that 0.133.0 gives it. */
const MEMBERS: { [type: string]: readonly string[] } = {
  userMessage: ['content'],
  agentMessage: ['text', 'phase'],
  reasoning: ['summary', 'content'],
  fileChange: ['id', 'changes', 'status'],
}

export function shownTurns(turns: readonly JsonObject[]): JsonObject[] {
  return turns.map((turn) => ({
    id: turn.id,
    status: turn.status,
    items: (arrayAt(turn, 'items') ?? []).filter(isObject).flatMap(shownItem),
  }))
}

function shownItem(item: JsonObject): JsonObject[] {
  const members = MEMBERS[String(item.type)]
  if (!members) return []
  const shown: JsonObject = { type: item.type }
  for (const name of members) shown[name] = item[name] ?? null
  return [shown]
}

/** The facts that both lists give of a thread. */
export function listedFacts(thread: JsonObject): JsonObject {
  const facts: JsonObject = {}
  for (const name of ['id', 'preview', 'cwd', 'source', 'modelProvider', 'path', 'name']) {
    facts[name] = thread[name] ?? null
  }
  return facts
}

/** What the user said first in each turn. */
export function shownPrompts(turns: readonly JsonObject[]): string[] {
  return turns.map((turn) => {
    const items = (arrayAt(turn, 'items') ?? []).filter(isObject)
    const message = items.find((item) => item.type === 'userMessage')
    const [part] = message ? (arrayAt(message, 'content') ?? []) : []
    return isObject(part) ? String(part.text) : ''
  })
}
