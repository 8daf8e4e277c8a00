/**
 * A thread as both programs show it, in the form in which the tests compare it. The two spell items
 * differently (Codex: the app server's wire; Bobbin: its own `TurnItem`), so each is reduced to
 * what it says. Kinds that Codex forgets when it reads a rollout, commands above all, are left out,
 * and so are ids that are only counters (`item-3`).
 */
import { arrayAt, isObject, type Json, type JsonObject, stringAt } from '../../src/base/index.ts'

export function shownTurns(turns: readonly JsonObject[]): JsonObject[] {
  return turns.map((turn) => ({
    id: turn.id,
    status: turn.status,
    items: itemsOf(turn).flatMap(shownItem),
  }))
}

/** What the user said first in each turn. */
export function shownPrompts(turns: readonly JsonObject[]): string[] {
  return turns.map((turn) => {
    const message = itemsOf(turn).find((item) => item.type === 'userMessage')
    return message ? messageText(message) : ''
  })
}

/** The facts that both lists give of a thread. */
export function listedFacts(thread: JsonObject): JsonObject {
  const facts: JsonObject = {}
  for (const name of ['id', 'preview', 'cwd', 'source', 'modelProvider', 'path', 'name']) {
    facts[name] = thread[name] ?? null
  }
  return facts
}

function itemsOf(turn: JsonObject): JsonObject[] {
  return (arrayAt(turn, 'items') ?? []).filter(isObject)
}

/** Empty for a kind that real Codex does not show again of a legacy rollout. */
function shownItem(item: JsonObject): JsonObject[] {
  const { type, id, status, phase = null, summary } = item
  if (type === 'userMessage') return [{ type, text: messageText(item) }]
  if (type === 'agentMessage') return [{ type, text: messageText(item), phase }]
  if (type === 'reasoning') return [{ type, summary }]
  if (type !== 'fileChange') return []
  const changes = (arrayAt(item, 'changes') ?? []).filter(isObject).map(shownChange)
  return [{ type, id, status, changes }]
}

/** Codex has the text of a user message in parts, Bobbin (and both, of an answer) in `text`. */
function messageText(item: JsonObject): string {
  const text = stringAt(item, 'text')
  if (text !== undefined) return text
  const parts = (arrayAt(item, 'content') ?? []).filter(isObject)
  return parts.map((part) => stringAt(part, 'text') ?? '').join('\n')
}

/** `kind` is `{type, move_path}` in Codex, and two members in Bobbin. */
function shownChange(change: JsonObject): JsonObject {
  const { path, kind, diff } = change
  const isNested = isObject(kind)
  const type: Json | undefined = isNested ? kind.type : kind
  const movePath = (isNested ? kind.move_path : change.movePath) ?? null
  return { path, type, movePath, diff }
}
