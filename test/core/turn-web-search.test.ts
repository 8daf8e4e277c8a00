import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { assistantMessage, type SessionSettings } from '../../src/core/index.ts'
import { runTurn, SessionKit } from '../support/session-kit.ts'

async function offered(settings: Partial<SessionSettings>) {
  await using kit = await SessionKit.open([{ items: [assistantMessage('done')] }])
  await runTurn(await kit.start(settings), 'go')
  return kit.model.requests[0]?.tools.filter(({ type }) => type === 'web_search')
}

const tool = (external_web_access: boolean) => [
  { type: 'web_search', external_web_access, search_content_types: ['text', 'image'] },
]

describe("the provider's search of the web", () => {
  it('is offered as the settings say; cached reaches out only with full access', async () => {
    const sandboxPolicy = { type: 'read-only' } as const
    assert.deepEqual(await offered({}), [])
    assert.deepEqual(await offered({ webSearch: 'disabled' }), [])
    assert.deepEqual(await offered({ webSearch: 'cached', sandboxPolicy }), tool(false))
    assert.deepEqual(await offered({ webSearch: 'live', sandboxPolicy }), tool(true))
    assert.deepEqual(await offered({ webSearch: 'cached' }), tool(true))
    assert.deepEqual(await offered({ webSearch: 'cached', model: 'other' }), [
      { type: 'web_search', external_web_access: true },
    ])
  })
})
