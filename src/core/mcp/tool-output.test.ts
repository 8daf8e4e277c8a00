import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { JsonObject } from '../../base/index.ts'
import { callResult, failureOutput, resultOutput } from './tool-output.ts'

const text = (value: string): JsonObject => ({ type: 'text', text: value })
const image = { type: 'image', data: 'AAAA', mimeType: 'image/png' }
const head = 'Wall time: 1.5000 seconds\nOutput:'

describe('the result of a call', () => {
  it('keeps what a log of real Codex has', () => {
    const answer = { content: [], structuredContent: 1, isError: false, _meta: {}, other: 1 }
    assert.deepEqual(callResult(answer), {
      content: [],
      structuredContent: 1,
      isError: false,
      _meta: {},
    })
    assert.deepEqual(callResult({ structuredContent: { a: 1 } }), {
      content: [],
      structuredContent: { a: 1 },
    })
  })

  it('is none without contents', () => {
    for (const answer of [{}, { content: 'x' }, { content: [1] }, { content: null }]) {
      assert.equal(callResult(answer as JsonObject), undefined)
    }
  })
})

describe('what the model reads of a result', () => {
  it('is the JSON of its contents', () => {
    const content = [text('é"'), { type: 'audio', data: 'AAAA', mimeType: 'audio/wav' }]
    assert.equal(resultOutput({ content }, 1500), `${head}\n${JSON.stringify(content)}`)
    assert.equal(resultOutput({ content: [] }, 1500), `${head}\n[]`)
  })

  it('is the JSON of its structured content, where it has any', () => {
    const result = { content: [image], structuredContent: { a: 1 } }
    assert.equal(resultOutput(result, 1500), `${head}\n{"a":1}`)
  })

  it('is a list of parts, where it has images', () => {
    const link = { type: 'resource_link', uri: 'file:///x', name: 'x' }
    const url = 'data:image/gif;base64,BBBB'
    const content = [text('see'), image, link, { ...image, data: url }]
    assert.deepEqual(resultOutput({ content }, 1500), [
      { type: 'input_text', text: head },
      { type: 'input_text', text: 'see' },
      { type: 'input_image', image_url: 'data:image/png;base64,AAAA', detail: 'high' },
      { type: 'input_text', text: JSON.stringify(link) },
      { type: 'input_image', image_url: url, detail: 'high' },
    ])
  })

  it('is cut in the middle, all texts of it together', () => {
    const long = text('x'.repeat(40_000))
    const parts = resultOutput({ content: [long, image, long, long] }, 1500) as JsonObject[]
    const sizes = parts.map((part) => String(part.text ?? '').length)
    assert.deepEqual(sizes.slice(0, 3), [head.length, 40_000, 0])
    assert.ok(Number(sizes[3]) < 8_100 && Number(sizes[4]) < 100, sizes.join(' '))
  })

  it('is a text in the same form for a failure', () => {
    assert.equal(failureOutput('no', 1500), `${head}\n[{"type":"text","text":"no"}]`)
  })
})
