import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { mergeClientMetadata } from './request.ts'

describe('the metadata of a client [C3]', () => {
  const builtIn = { session_id: 's', turn_id: 't', sandbox: 'none', turn_started_at_unix_ms: 1 }

  it('is added behind what is there', () => {
    const merged = mergeClientMetadata(builtIn, { a: 'b', workspaces: 'w', thread_source: 'x' })
    assert.equal(
      JSON.stringify(merged),
      '{"session_id":"s","turn_id":"t","sandbox":"none","turn_started_at_unix_ms":1,' +
        '"a":"b","workspaces":"w","thread_source":"x"}',
    )
  })

  it('replaces nothing', () => {
    const client = { session_id: 'x', turn_id: 'x', sandbox: 'x', turn_started_at_unix_ms: 'x' }
    assert.deepEqual(mergeClientMetadata(builtIn, client), builtIn)
  })

  it('never says when a turn has begun, and cannot reach into the object', () => {
    const client = JSON.parse('{"turn_started_at_unix_ms":"x","__proto__":"y"}')
    const merged = mergeClientMetadata({ turn_id: '' }, client)
    assert.deepEqual(Object.entries(merged), [
      ['turn_id', ''],
      ['__proto__', 'y'],
    ])
    assert.equal(Object.getPrototypeOf(merged), Object.prototype)
  })
})
