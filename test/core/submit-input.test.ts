import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { assistantMessage } from '../../src/core/index.ts'
import { messageText, type ResponseItem, userText } from '../../src/protocol/index.ts'
import { completed, hangsAfter, itemEvents, type Step, started } from '../support/played-model.ts'
import { SessionKit, text, Watch } from '../support/session-kit.ts'

const says = (words: string): Step => ({ items: [assistantMessage(words)] })

/** Asks, waits until it is let go on, and answers. */
function held(words: string) {
  const asked = Promise.withResolvers<void>()
  const gate = Promise.withResolvers<void>()
  const step: Step = async function* () {
    yield started()
    asked.resolve()
    await gate.promise
    yield* itemEvents(assistantMessage(words))
    yield completed()
  }
  return { step, asked: asked.promise, letGo: gate.resolve }
}

const isEnd = ({ type }: { type: string }) => type === 'turnCompleted'

function said(items: readonly ResponseItem[] | undefined): string[] {
  const texts = (items ?? []).map((item) => (item.type === 'message' ? messageText(item) : ''))
  return texts.filter((each) => !/^<(permissions|environment)|^# AGENTS/.test(each))
}

describe('submitting input, whatever the thread does', () => {
  it('starts a turn when none runs, and goes into the one that runs', async () => {
    const first = held('a1')
    await using kit = await SessionKit.open([first.step, says('a2')])
    const handle = await kit.start()
    using watch = new Watch(handle)
    const ended = watch.next(isEnd)
    const turnId = await handle.submitInput(text('one'))
    await first.asked
    const more = ['two', 'three'].map((words) => handle.submitInput(text(words)))
    first.letGo()
    assert.deepEqual(await Promise.all(more), [turnId, turnId])
    await ended
    assert.deepEqual(said(kit.model.requests[1]?.input), ['one', 'a1', 'two', 'three'])
    assert.equal(watch.of('turnCompleted').length, 1)
  })

  it('waits for the end of a compaction; every id answered is of a turn that starts', async () => {
    const summary = held('notes')
    await using kit = await SessionKit.open([says('a1'), summary.step, says('a2'), says('a3')])
    const handle = await kit.start()
    using watch = new Watch(handle)
    const first = watch.next(isEnd)
    await handle.startTurn(text('one'))
    await first
    await handle.compact()
    await summary.asked
    const submitted = ['two', 'three'].map((words) => handle.submitInput(text(words)))
    summary.letGo()
    const ids = await Promise.all(submitted)
    while (handle.activeTurn) await watch.next(isEnd)
    const began = watch.of('turnStarted').map((event) => event.turnId)
    assert.deepEqual([ids[0] === ids[1], began.includes(ids[0] ?? '')], [true, true])
    assert.equal(watch.of('turnCompleted').at(-1)?.turnId, ids[0])
    const told = kit.payloads('event_msg user_message').map(({ message }) => message)
    assert.deepEqual(told, ['one', 'two', 'three'])
  })

  it('into a turn that fails goes out with the next one', async () => {
    const failing = Promise.withResolvers<void>()
    const asked = Promise.withResolvers<void>()
    const step: Step = async function* () {
      yield started()
      asked.resolve()
      await failing.promise
      throw new Error('broken')
    }
    await using kit = await SessionKit.open([step, says('a2')])
    const handle = await kit.start()
    using watch = new Watch(handle)
    const first = await handle.submitInput(text('one'))
    await asked.promise
    const second = handle.submitInput(text('two'))
    failing.resolve()
    assert.notEqual(await second, first)
    while (handle.activeTurn) await watch.next(isEnd)
    assert.deepEqual(
      watch.of('turnCompleted').map(({ status }) => status),
      ['failed', 'completed'],
    )
    assert.deepEqual(said(kit.model.requests[1]?.input), ['one', 'two'])
  })

  it('into a turn that somebody stops is refused: it is in no log', async () => {
    await using kit = await SessionKit.open([hangsAfter(assistantMessage('half'))])
    const handle = await kit.start()
    using watch = new Watch(handle)
    const answered = watch.next(({ type }) => type === 'itemCompleted')
    await handle.submitInput(text('one'))
    await answered
    const refused = assert.rejects(handle.submitInput(text('two')), { code: 'turn_stopped' })
    await handle.interrupt()
    await refused
    assert.equal(kit.payloads('event_msg user_message').length, 1)
  })

  it('waits for nothing once the thread is closed, and has a limit', async () => {
    await using kit = await SessionKit.open([hangsAfter()])
    const handle = await kit.start()
    await handle.compact()
    const waiting = Array.from({ length: 64 }, () => handle.submitInput(text('x')))
    const ends = Promise.allSettled(waiting)
    await assert.rejects(handle.submitInput(text('x')), { code: 'queue_full' })
    await handle.close()
    const codes = (await ends).map((end) => end.status === 'rejected' && end.reason.code)
    assert.deepEqual(codes, Array(64).fill('closed'))
    await assert.rejects(handle.submitInput([]), { code: 'closed' })
  })
})

describe('adding items to the history', () => {
  it('keeps them without a turn, and for whoever resumes the thread', async () => {
    await using kit = await SessionKit.open([says('a1')])
    const handle = await kit.start()
    await handle.injectItems([userText('from elsewhere')])
    await handle.close()
    const again = await kit.resume(handle.threadId)
    using watch = new Watch(again)
    const ended = watch.next(isEnd)
    await again.startTurn(text('one'))
    await ended
    assert.deepEqual(said(kit.model.requests[0]?.input), ['from elsewhere', 'one'])
    await assert.rejects(again.injectItems([]), { code: 'invalid_items' })
  })

  it('takes them into the turn that runs, or behind one that takes none', async () => {
    const first = held('a1')
    const summary = held('notes')
    await using kit = await SessionKit.open([first.step, says('a2'), summary.step])
    const handle = await kit.start()
    using watch = new Watch(handle)
    const ended = watch.next(isEnd)
    await handle.startTurn(text('one'))
    await first.asked
    const injected = handle.injectItems([userText('meanwhile')])
    first.letGo()
    await injected
    await ended
    assert.deepEqual(said(kit.model.requests[1]?.input), ['one', 'a1', 'meanwhile'])
    await handle.compact()
    await summary.asked
    const behind = handle.injectItems([userText('behind')])
    summary.letGo()
    await behind
    const last = kit.lines().at(-1)
    assert.deepEqual(last?.payload, userText('behind'))
  })
})
