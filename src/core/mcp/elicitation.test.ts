import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { JsonObject } from '../../base/index.ts'
import type { Clients } from '../tools/tool.ts'
import { answerElicitation } from './elicitation.ts'

const settings = {
  cwd: '/',
  model: 'm',
  modelProvider: 'p',
  approvalPolicy: 'on-request',
  sandboxPolicy: { type: 'danger-full-access' },
} as const

/** The answer for one who would accept everything. */
function answered(params: JsonObject): Promise<JsonObject> {
  const clients: Clients = {
    canAsk: () => true,
    ask: async () => ({ action: 'accept', content: { a: 1 } }) as never,
  }
  const { signal } = new AbortController()
  return answerElicitation('fake', params, { clients, settings, signal })
}

describe('an elicitation', () => {
  const declined = { action: 'decline' }
  const accepted = { action: 'accept', content: { a: 1 } }
  const schema = { type: 'object', properties: {} }

  it('is put to the person when it can be shown', async () => {
    assert.deepEqual(await answered({ message: 'm', requestedSchema: schema }), accepted)
    assert.deepEqual(await answered({ mode: 'url', message: 'm', url: 'https://x.y/' }), accepted)
  })

  it('is declined when it is too large', async () => {
    const large = { ...schema, description: 'x'.repeat(70_000) }
    assert.deepEqual(await answered({ message: 'm', requestedSchema: large }), declined)
    const long = 'm'.repeat(20_000)
    assert.deepEqual(await answered({ message: long, requestedSchema: schema }), declined)
    const url = `https://x.y/${'z'.repeat(10_000)}`
    assert.deepEqual(await answered({ mode: 'url', message: 'm', url }), declined)
  })

  it('is declined when it is malformed, or leads to no web page', async () => {
    assert.deepEqual(await answered({}), declined)
    assert.deepEqual(await answered({ message: 'm', requestedSchema: [] }), declined)
    for (const url of ['file:///etc/passwd', 'javascript:alert(1)', 'nonsense', 7]) {
      assert.deepEqual(await answered({ mode: 'url', message: 'm', url }), declined)
    }
  })
})
