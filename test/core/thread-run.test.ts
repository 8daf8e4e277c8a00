import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { assistantMessage } from '../../src/core/index.ts'
import { hangsAfter, type Step } from '../support/played-model.ts'
import { SessionKit } from '../support/session-kit.ts'

const says = (words: string): Step => ({ items: [assistantMessage(words)] })

describe('running a turn as a loop over its events', () => {
  it('gives all of them in order, and ends behind the last', async () => {
    await using kit = await SessionKit.open([says('a1'), says('a2')])
    const handle = await kit.start()
    for (const words of ['one', 'two']) {
      const types: string[] = []
      for await (const event of handle.run(words)) types.push(event.type)
      assert.deepEqual([types[0], types.at(-1)], ['turnStarted', 'turnCompleted'])
      assert.equal(types.filter((type) => type === 'turnCompleted').length, 1)
    }
    assert.equal(handle.activeTurn, undefined)
  })

  it('leaves the turn running when the loop is left', async () => {
    await using kit = await SessionKit.open([hangsAfter(assistantMessage('half'))])
    const handle = await kit.start()
    for await (const event of handle.run('one')) if (event.type === 'turnStarted') break
    assert.equal(handle.activeTurn?.kind, 'regular')
  })

  it('is interrupted by its signal; one that has aborted starts nothing', async () => {
    await using kit = await SessionKit.open([hangsAfter(assistantMessage('half'))])
    const handle = await kit.start()
    const stop = new AbortController()
    let status = ''
    for await (const event of handle.run('one', { signal: stop.signal })) {
      if (event.type === 'itemCompleted' && event.item.type === 'agentMessage') stop.abort()
      if (event.type === 'turnCompleted') status = event.status
    }
    assert.equal(status, 'interrupted')
    const again = handle.run('two', { signal: stop.signal })
    await assert.rejects(again.next(), { name: 'AbortError' })
    assert.equal(kit.payloads('event_msg user_message').length, 1)
  })

  it('fails as starting a turn does', async () => {
    await using kit = await SessionKit.open([hangsAfter()])
    const handle = await kit.start()
    await handle.startTurn([{ type: 'text', text: 'one' }])
    await assert.rejects(handle.run('two').next(), { code: 'turn_running' })
  })
})
