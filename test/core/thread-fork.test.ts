import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { assistantMessage, functionCall } from '../../src/core/index.ts'
import { foldTurns } from '../../src/history/index.ts'
import { messageText, newThreadId, type ThreadId } from '../../src/protocol/index.ts'
import { failsWith } from '../../src/thread-store/testing/fixtures.ts'
import { hangsAfter, type Step } from '../support/played-model.ts'
import { runTurn, SessionKit, text, Watch } from '../support/session-kit.ts'

const says = (words: string): Step => ({ items: [assistantMessage(words)] })

/** What the last request held of the conversation itself. */
function conversation(kit: SessionKit): string[] {
  const input = kit.model.requests.at(-1)?.input ?? []
  const texts = input.map((item) => (item.type === 'message' ? messageText(item) : item.type))
  return texts.filter((each) => !/^<(permissions|environment)|^# AGENTS/.test(each))
}

async function storedTurns(kit: SessionKit, threadId: ThreadId) {
  const { items } = await kit.store.loadHistory(threadId)
  return foldTurns(items).map(({ status, items }) => [status, items.length])
}

describe('forking a thread [A2]', () => {
  it('goes on from the whole of it, in a thread of its own', async () => {
    await using kit = await SessionKit.open([says('a1'), says('fork'), says('source')])
    const source = await kit.start()
    await runTurn(source, 'u1')
    const settings = { ...kit.settings, model: 'gpt-5.4-mini', effort: 'low' }
    const fork = await kit.manager.fork({ sourceId: source.threadId, settings })
    assert.equal(kit.manager.get(fork.threadId), fork)
    assert.deepEqual([fork.settings.model, fork.settings.effort], ['gpt-5.4-mini', 'low'])
    using watch = new Watch(fork)
    await runTurn(fork, 'u2')
    // The model was chosen for it: nobody is warned.
    assert.deepEqual(watch.of('warning'), [])
    assert.deepEqual(conversation(kit).slice(0, 2), ['u1', 'a1'])
    assert.equal(conversation(kit).at(-1), 'u2')
    await runTurn(source, 'u3')
    assert.deepEqual(conversation(kit), ['u1', 'a1', 'u3'])
    const [header] = (await kit.store.loadHistory(fork.threadId)).items
    assert.equal(header?.type === 'session_meta' && header.payload.forked_from_id, source.threadId)
  })

  it('begins its windows anew, unlike a thread that goes on', async () => {
    await using kit = await SessionKit.open([says('a1'), says('notes'), says('a2'), says('a3')])
    const source = await kit.start()
    await runTurn(source, 'u1')
    await source.compact()
    const { settings } = kit
    await runTurn(await kit.manager.fork({ sourceId: source.threadId, settings }), 'u2')
    assert.equal(kit.model.requests.at(-1)?.windowNumber, 0)
    await runTurn(source, 'u3')
    assert.equal(kit.model.requests.at(-1)?.windowNumber, 1)
  })

  it('goes on from the named turn, and is refused for one that is not there', async () => {
    await using kit = await SessionKit.open([says('a1'), says('a2'), says('a3')])
    const source = await kit.start()
    const { turnId: throughTurnId } = await runTurn(source, 'u1')
    await runTurn(source, 'u2')
    const { settings } = kit
    const sourceId = source.threadId
    const fork = await kit.manager.fork({ sourceId, throughTurnId, settings })
    await runTurn(fork, 'u3')
    assert.deepEqual(conversation(kit), ['u1', 'a1', 'u3'])
    const none = kit.manager.fork({ sourceId, throughTurnId: 'turn-x', settings })
    await assert.rejects(none, failsWith('invalid_request'))
    const lost = kit.manager.fork({ sourceId: newThreadId(), settings })
    await assert.rejects(lost, failsWith('thread_not_found'))
    assert.deepEqual(
      kit.manager.list().map(({ threadId }) => threadId),
      [sourceId, fork.threadId],
    )
  })

  it('cuts off a turn that runs there, marks that, and leaves the turn alone', async () => {
    const call = functionCall('update_plan', { plan: [] }, 'c1')
    await using kit = await SessionKit.open([hangsAfter(assistantMessage('half'), call)])
    const source = await kit.start()
    using watch = new Watch(source)
    const answered = watch.next(({ type }) => type === 'planUpdated')
    const ended = watch.next(({ type }) => type === 'turnCompleted')
    await source.startTurn(text('u1'))
    await answered
    const fork = await kit.manager.fork({ sourceId: source.threadId, settings: kit.settings })
    assert.deepEqual(await storedTurns(kit, fork.threadId), [['interrupted', 2]])
    kit.model.add(says('a2'))
    await runTurn(fork, 'u2')
    const sent = conversation(kit)
    assert.deepEqual(sent.slice(0, 4), ['u1', 'half', 'function_call', 'function_call_output'])
    assert.match(sent[4] ?? '', /^<turn_aborted>/)
    assert.equal(sent.at(-1), 'u2')
    assert.ok(source.activeTurn)
    await source.interrupt()
    await ended
  })

  it('keeps nothing of an ephemeral fork, which takes what is asked for', async () => {
    await using kit = await SessionKit.open([says('a1'), says('a2'), says('a3')])
    const source = await kit.start()
    const { turnId: throughTurnId } = await runTurn(source, 'u1')
    await runTurn(source, 'u2')
    const params = { sourceId: source.threadId, settings: kit.settings, isEphemeral: true }
    const fork = await kit.manager.fork({ ...params, throughTurnId })
    await runTurn(fork, 'u3')
    assert.deepEqual(conversation(kit), ['u1', 'a1', 'u3'])
    assert.equal(kit.logs().length, 1)
    const none = kit.manager.fork({ ...params, throughTurnId: 'turn-x' })
    await assert.rejects(none, failsWith('invalid_request'))
  })
})
