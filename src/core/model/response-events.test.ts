import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { JsonObject } from '../../base/index.ts'
import { ModelError } from './model-client.ts'
import { decodeResponseEvent } from './response-events.ts'

const USAGE = { input_tokens: 1, output_tokens: 2, total_tokens: 3 }

function done(item: JsonObject) {
  return decodeResponseEvent({ type: 'response.output_item.done', item })
}

function completed(response: JsonObject) {
  return decodeResponseEvent({ type: 'response.completed', response })
}

describe('an event of the response stream', () => {
  it('of a kind that carries nothing for us is passed over', () => {
    for (const data of [
      { type: 'response.created', response: {} },
      { type: 'response.in_progress' },
      { type: 7 },
      {},
    ]) {
      assert.equal(decodeResponseEvent(data), undefined)
    }
  })

  it('that adds an item needs its id', () => {
    const added = (item?: JsonObject) =>
      decodeResponseEvent({ type: 'response.output_item.added', ...(item ? { item } : {}) })
    const item = { type: 'reasoning', summary: [{ type: 'summary_text', text: 'hm' }] }
    assert.deepEqual(added({ ...item, id: 'r' }), {
      type: 'itemAdded',
      id: 'r',
      item: { ...item, content: null, encrypted_content: null },
    })
    assert.deepEqual([added({ type: 'message' }), added()], [undefined, undefined])
  })

  it('that tells a thought names its item, its part and its kind', () => {
    const of = { item_id: 'rs', delta: 'hm' }
    assert.deepEqual(
      [
        { type: 'response.reasoning_summary_part.added', item_id: 'rs', summary_index: 1 },
        { type: 'response.reasoning_summary_text.delta', summary_index: 1, ...of },
        { type: 'response.reasoning_text.delta', content_index: 2, ...of },
      ].map(decodeResponseEvent),
      [
        { type: 'reasoningSectionBreak', itemId: 'rs', index: 1 },
        { type: 'reasoningDelta', itemId: 'rs', kind: 'summary', index: 1, delta: 'hm' },
        { type: 'reasoningDelta', itemId: 'rs', kind: 'raw', index: 2, delta: 'hm' },
      ],
    )
  })

  it('that ends an item gives it as it is stored, without its id', () => {
    assert.deepEqual(done({ type: 'reasoning', id: 'r', summary: [], status: 'x' }), {
      type: 'itemDone',
      id: 'r',
      item: { type: 'reasoning', summary: [], content: null, encrypted_content: null },
    })
    assert.deepEqual(done({ type: 'brand_new', id: 'n' }), {
      type: 'itemDone',
      id: 'n',
      item: { type: 'other' },
    })
  })

  it('with a malformed item is passed over', () => {
    for (const item of [
      {},
      { type: 5 },
      { type: 'message', role: 'assistant', content: 'text' },
      { type: 'message', role: 'assistant', content: [null] },
      { type: 'reasoning', summary: [{ type: 'summary_text' }] },
      { type: 'reasoning', summary: [], content: [null] },
      { type: 'reasoning', summary: [], content: 'x' },
      { type: 'function_call', call_id: 'c', name: 'n', arguments: {} },
      { type: 'custom_tool_call', call_id: 'c', input: 'x' },
    ]) {
      assert.equal(done(item as JsonObject), undefined, JSON.stringify(item))
    }
    assert.equal(decodeResponseEvent({ type: 'response.output_item.done' }), undefined)
  })

  it('that completes says whether the model is done', () => {
    const of = (response: JsonObject) => {
      const event = completed(response)
      return event?.type === 'completed' && event.endTurn
    }
    assert.deepEqual([of({}), of({ end_turn: true }), of({ end_turn: false })], [true, true, false])
  })

  it('that completes has the counts, the details of which may be missing', () => {
    assert.deepEqual(completed({ usage: USAGE }), {
      type: 'completed',
      usage: { ...USAGE, cached_input_tokens: 0, reasoning_output_tokens: 0 },
      endTurn: true,
    })
    assert.deepEqual(completed({ usage: null }), { type: 'completed', usage: null, endTurn: true })
  })

  for (const field of ['input_tokens', 'output_tokens', 'total_tokens']) {
    it(`that completes without ${field} breaks the stream`, () => {
      const { [field]: _, ...usage } = USAGE as JsonObject
      assert.throws(
        () => completed({ usage }),
        (error) =>
          error instanceof ModelError &&
          error.isRetryable &&
          error.message.endsWith(`failed to parse ResponseCompleted: missing field \`${field}\``),
      )
    })
  }

  it('that fails without any detail breaks the stream too', () => {
    for (const type of ['response.failed', 'response.incomplete']) {
      assert.throws(() => decodeResponseEvent({ type }), ModelError)
    }
  })
})
