/** What a request's `input` says, in the forms in which the tests compare it. */
import assert from 'node:assert/strict'

import { arrayAt, isObject, type JsonObject, stringAt } from '../../src/base/index.ts'
import type { ModelRequest, ScriptedStep } from '../support/responses-server.ts'

export function inputItems(request: ModelRequest): JsonObject[] {
  return (arrayAt(request.body, 'input') ?? []).filter(isObject)
}

/** An item without what only one side of the wire has: ids, and members that are null. */
export function bareItem(item: JsonObject): JsonObject {
  const members = Object.entries(item).filter(([key, value]) => key !== 'id' && value !== null)
  return Object.fromEntries(members)
}

/**
 * Every stored item of the request, bare. Newer Codex sends its base instructions as a first
 * developer message instead of `instructions`; that one is no history and is left out.
 */
export function historyInput(request: ModelRequest): JsonObject[] {
  const items = inputItems(request)
  const isPreface = request.body.instructions === undefined && items[0]?.role === 'developer'
  return items.slice(isPreface ? 1 : 0).map(bareItem)
}

/** The history once `request` was answered by `step`: what every later request must begin with. */
export function historyAfter(request: ModelRequest, step: ScriptedStep): JsonObject[] {
  return [...historyInput(request), ...step.items.map(bareItem)]
}

/** The request begins with the history; then come context messages at most, and the prompt. */
export function assertContinues(
  request: ModelRequest | undefined,
  history: readonly JsonObject[],
  prompt: string,
): asserts request is ModelRequest {
  assert.ok(request, 'the continued turn asked the model nothing')
  const items = historyInput(request)
  assert.deepEqual(items.slice(0, history.length), history)
  const added = items.slice(history.length).filter((item) => !isContext(item))
  assert.deepEqual(added.map(messageText), [prompt])
  assert.equal(added[0]?.role, 'user')
}

/** The text of a message item. */
export function messageText(item: JsonObject): string {
  const parts = (arrayAt(item, 'content') ?? []).filter(isObject)
  return parts.map((part) => stringAt(part, 'text') ?? '').join('')
}

/** Instructions, environment and the like: what a program says on its own account. */
export function isContext(item: JsonObject): boolean {
  if (item.type !== 'message') return false
  if (item.role === 'developer') return true
  return item.role === 'user' && /^(# AGENTS\.md|<environment_context>)/.test(messageText(item))
}
