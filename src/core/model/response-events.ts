import { isObject, type JsonObject, numberAt, objectAt, stringAt } from '../../base/index.ts'
import { parseResponseItem, type ResponseItem, type TokenUsage } from '../../protocol/index.ts'
import type { ModelEvent } from './model-client.ts'
import { disconnected, failedResponse } from './model-errors.ts'

/** The data of one event, or frame; undefined when it is no object. */
export function parseEventData(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    // One that is no JSON carries nothing; the response shows whether it was needed.
    return undefined
  }
}

/**
 * One data object of the Responses stream as a `ModelEvent`; undefined for kinds that carry nothing
 * for us and for malformed items. Throws `ModelError` for those that end the response.
 * Source: `reference/session-runtime.md` C6.
 */
export function decodeResponseEvent(data: JsonObject): ModelEvent | undefined {
  switch (data.type) {
    case 'response.output_item.added':
      return itemAdded(objectAt(data, 'item'))
    case 'response.output_text.delta':
      return {
        type: 'textDelta',
        itemId: stringAt(data, 'item_id') ?? '',
        delta: stringAt(data, 'delta') ?? '',
      }
    case 'response.reasoning_summary_text.delta':
      return reasoningDelta(data, 'summary', 'summary_index')
    case 'response.reasoning_text.delta':
      return reasoningDelta(data, 'raw', 'content_index')
    case 'response.reasoning_summary_part.added':
      return {
        type: 'reasoningSectionBreak',
        itemId: stringAt(data, 'item_id') ?? '',
        index: numberAt(data, 'summary_index') ?? 0,
      }
    case 'response.output_item.done':
      return itemDone(objectAt(data, 'item'))
    case 'response.completed':
      return completed(objectAt(data, 'response') ?? {})
    case 'response.failed':
      throw failedResponse(objectAt(data, 'response') ?? {})
    case 'response.incomplete': {
      const details = objectAt(objectAt(data, 'response') ?? {}, 'incomplete_details') ?? {}
      const reason = stringAt(details, 'reason') ?? 'unknown'
      throw disconnected(`Incomplete response returned, reason: ${reason}`)
    }
    default:
      return undefined
  }
}

function reasoningDelta(data: JsonObject, kind: 'summary' | 'raw', index: string): ModelEvent {
  return {
    type: 'reasoningDelta',
    itemId: stringAt(data, 'item_id') ?? '',
    kind,
    index: numberAt(data, index) ?? 0,
    delta: stringAt(data, 'delta') ?? '',
  }
}

function itemAdded(raw: JsonObject | undefined): ModelEvent | undefined {
  const id = raw && stringAt(raw, 'id')
  const item = raw && parseItem(raw)
  return id && item ? { type: 'itemAdded', id, item } : undefined
}

function itemDone(raw: JsonObject | undefined): ModelEvent | undefined {
  const item = raw && parseItem(raw)
  return item ? { type: 'itemDone', id: stringAt(raw, 'id') ?? '', item } : undefined
}

function parseItem(raw: JsonObject): ResponseItem | undefined {
  const item = parseResponseItem(raw)
  return item?.type === 'reasoning' && !hasObjects(item.content ?? []) ? undefined : item
}

function hasObjects(parts: unknown): boolean {
  return Array.isArray(parts) && parts.every((part) => isObject(part))
}

function completed(response: JsonObject): ModelEvent {
  return {
    type: 'completed',
    usage: isObject(response.usage) ? parseUsage(response.usage) : null,
    endTurn: response.end_turn !== false,
  }
}

function parseUsage(usage: JsonObject): TokenUsage {
  const need = (field: string): number => {
    const value = numberAt(usage, field)
    if (value === undefined) {
      throw disconnected(`failed to parse ResponseCompleted: missing field \`${field}\``)
    }
    return value
  }
  const inputDetails = objectAt(usage, 'input_tokens_details') ?? {}
  const outputDetails = objectAt(usage, 'output_tokens_details') ?? {}
  return {
    input_tokens: need('input_tokens'),
    cached_input_tokens: numberAt(inputDetails, 'cached_tokens') ?? 0,
    output_tokens: need('output_tokens'),
    reasoning_output_tokens: numberAt(outputDetails, 'reasoning_tokens') ?? 0,
    total_tokens: need('total_tokens'),
  }
}
