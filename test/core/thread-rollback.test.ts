import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { assistantMessage } from '../../src/core/index.ts'
import { messageText } from '../../src/protocol/index.ts'
import { failsWith } from '../../src/thread-store/testing/fixtures.ts'
import { hangsAfter, type Step } from '../support/played-model.ts'
import { runTurn, SessionKit, text, Watch } from '../support/session-kit.ts'

const says = (words: string): Step => ({ items: [assistantMessage(words)] })

function conversation(kit: SessionKit): string[] {
  const input = kit.model.requests.at(-1)?.input ?? []
  const texts = input.map((item) => (item.type === 'message' ? messageText(item) : item.type))
  return texts.filter((each) => !/^<(permissions|environment)|^# AGENTS/.test(each))
}

describe('rolling a loaded thread back [F7]', () => {
  it('takes turns from the history, live and for whoever resumes it', async () => {
    await using kit = await SessionKit.open([says('a1'), says('a2'), says('a3'), says('a4')])
    const handle = await kit.start()
    for (const words of ['u1', 'u2', 'u3']) await runTurn(handle, words)
    const before = kit.kinds().length
    using watch = new Watch(handle)
    await handle.rollBack(2)
    assert.deepEqual(kit.kinds().slice(before), [
      'event_msg thread_rolled_back',
      'event_msg token_count',
    ])
    assert.deepEqual(
      watch.events.map(({ type }) => type),
      ['tokenCount', 'rolledBack'],
    )
    const [counted] = watch.of('tokenCount')
    // Three responses of 120 tokens; what is left is estimated.
    assert.equal(counted?.info?.total_token_usage.total_tokens, 360)
    assert.ok((counted?.info?.last_token_usage.total_tokens ?? 0) < 1000)
    await runTurn(handle, 'u4')
    assert.deepEqual(conversation(kit), ['u1', 'a1', 'u4'])
    await kit.restart()
    kit.model.add(says('a5'))
    await runTurn(await kit.resume(handle.threadId), 'u5')
    assert.deepEqual(conversation(kit), ['u1', 'a1', 'u4', 'a4', 'u5'])
  })

  it('of everything leaves a thread that begins anew', async () => {
    await using kit = await SessionKit.open([says('a1'), says('a2')])
    const handle = await kit.start()
    await runTurn(handle, 'u1')
    await handle.rollBack(1)
    await runTurn(handle, 'u2')
    const input = kit.model.requests.at(-1)?.input ?? []
    const environments = input.filter((item) => JSON.stringify(item).includes('<environment_'))
    assert.deepEqual([conversation(kit), environments.length], [['u2'], 1])
  })

  it('is refused during a turn, for wrong counts and without a log; nothing changes', async () => {
    await using kit = await SessionKit.open([says('a1'), hangsAfter()])
    const handle = await kit.start()
    await runTurn(handle, 'u1')
    const before = kit.kinds()
    for (const count of [0, -1, 1.5, 2, Number.NaN]) {
      await assert.rejects(handle.rollBack(count), failsWith('invalid_request'))
    }
    assert.deepEqual(kit.kinds(), before)
    await handle.startTurn(text('u2'))
    await assert.rejects(handle.rollBack(1), { code: 'turn_running' })
    await handle.interrupt()
    const ephemeral = await kit.start({}, true)
    await assert.rejects(ephemeral.rollBack(1), { code: 'ephemeral' })
  })

  it('holds up a turn that is started meanwhile', async () => {
    await using kit = await SessionKit.open([says('a1'), says('a2'), says('a3')])
    const handle = await kit.start()
    await runTurn(handle, 'u1')
    await runTurn(handle, 'u2')
    using watch = new Watch(handle)
    const ended = watch.next(({ type }) => type === 'turnCompleted')
    const rollingBack = handle.rollBack(1)
    await handle.startTurn(text('u3'))
    await rollingBack
    await ended
    assert.deepEqual(conversation(kit), ['u1', 'a1', 'u3'])
  })
})
