import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { assistantMessage, functionCall, ModelError, reasoning } from '../../src/core/index.ts'
import { foldTurns } from '../../src/history/index.ts'
import { messageText, type ThreadId } from '../../src/protocol/index.ts'
import { hangsAfter, type Step } from '../support/played-model.ts'
import { runTurn, SessionKit, text, Watch } from '../support/session-kit.ts'

const OUTPUT = JSON.stringify({
  findings: [],
  overall_correctness: 'patch is correct',
  overall_explanation: 'Nothing to say.',
  overall_confidence_score: 0.9,
})
const NO_REVIEW = 'Review was interrupted. Please re-run /review and wait for it to complete.'

const says = (words: string): Step => ({ items: [assistantMessage(words)] })
const custom = { type: 'custom', instructions: 'Look at a.txt' } as const

async function reviewed(kit: SessionKit, stop?: (watch: Watch) => Promise<void>) {
  const handle = await kit.start({ effort: 'low', approvalPolicy: 'on-request' })
  using watch = new Watch(handle)
  const ended = watch.next(({ type }) => type === 'turnCompleted')
  const turnId = await handle.startReview(custom)
  if (stop) {
    await stop(watch)
    await handle.interrupt(turnId)
  }
  await ended
  const events = watch.events.map((event) =>
    'item' in event ? `${event.type} ${event.item.type}` : event.type,
  )
  return { handle, turnId, watch, events }
}

async function stored(kit: SessionKit, threadId: ThreadId) {
  const { items } = await kit.store.loadHistory(threadId)
  const kinds = items.map(({ type, payload }) => {
    const { type: kind, role } = payload as { type?: string; role?: string }
    return [type, kind, role].filter((part) => part !== undefined).join(' ')
  })
  return { items, kinds, turns: foldTurns(items) }
}

describe('reviewing changes [F6]', () => {
  it('is done by a session of its own, and kept in one turn of the thread', async () => {
    const call = functionCall('exec_command', { cmd: 'echo hi', login: false }, 'c1')
    await using kit = await SessionKit.open([
      { items: [reasoning('hm'), assistantMessage('Let me see.'), call] },
      says(OUTPUT),
      says('and on'),
    ])
    const { handle, turnId, watch, events } = await reviewed(kit)
    assert.deepEqual(events, [
      'turnStarted',
      'itemStarted enteredReviewMode',
      'itemCompleted enteredReviewMode',
      'itemStarted userMessage',
      'itemCompleted userMessage',
      'itemStarted reasoning',
      'itemCompleted reasoning',
      'itemStarted commandExecution',
      'commandOutputDelta',
      'itemCompleted commandExecution',
      'itemStarted exitedReviewMode',
      'itemCompleted exitedReviewMode',
      'itemStarted agentMessage',
      'itemCompleted agentMessage',
      'turnCompleted',
    ])
    assert.deepEqual([...new Set(watch.events.map((event) => event.turnId))], [turnId])
    const { items, kinds, turns } = await stored(kit, handle.threadId)
    assert.deepEqual(kinds, [
      'session_meta',
      'event_msg task_started',
      'event_msg entered_review_mode',
      'event_msg user_message',
      'response_item message user',
      'event_msg exited_review_mode',
      'response_item message assistant',
      'event_msg agent_message',
      'event_msg task_complete',
    ])
    assert.deepEqual(
      turns.map(({ id, status, items }) => [id, status, items.map(({ type }) => type)]),
      [
        [
          turnId,
          'completed',
          ['enteredReviewMode', 'userMessage', 'exitedReviewMode', 'agentMessage'],
        ],
      ],
    )
    const shown = items.map(({ payload }) => JSON.stringify(payload)).join('\n')
    assert.match(shown, /Nothing to say\./)
    await runTurn(handle, 'go on')
    const input = kit.model.requests.at(-1)?.input ?? []
    const texts = input.map((item) => (item.type === 'message' ? messageText(item) : ''))
    assert.match(texts[0] ?? '', /^<user_action>[\s\S]*Nothing to say\./)
    assert.equal(texts[1], 'Nothing to say.')
  })

  it('asks with the rubric, a thread of its own, and permissions that ask nobody', async () => {
    await using kit = await SessionKit.open([says(OUTPUT)], {
      manager: { reviewModel: 'gpt-5.4-mini' },
    })
    const { handle } = await reviewed(kit)
    const [request] = kit.model.requests
    assert.equal(request?.model, 'gpt-5.4-mini')
    assert.notEqual(request?.instructions, undefined)
    assert.notEqual(request?.threadId, handle.threadId)
    assert.deepEqual([request?.sessionId, request?.subagent], [handle.threadId, 'review'])
    const page = await kit.store.listThreads({
      limit: 10,
      sortKey: 'created',
      isArchived: false,
      includeSubagents: true,
    })
    const other = page.threads.find(({ threadId }) => threadId !== handle.threadId)
    assert.equal(other?.threadId, request?.threadId)
    const log = await stored(kit, other?.threadId ?? assert.fail())
    const header = log.items[0]?.payload as { source?: unknown; thread_source?: unknown }
    assert.deepEqual([header.source, header.thread_source], [{ subagent: 'review' }, 'subagent'])
    const context = log.items.find(({ type }) => type === 'turn_context')?.payload
    assert.equal((context as { approval_policy?: unknown }).approval_policy, 'never')
    assert.deepEqual(
      kit.manager.list().map(({ threadId }) => threadId),
      [handle.threadId],
    )
  })

  it('that fails fails the turn, which says so, and the thread goes on', async () => {
    const failing: Step = () => {
      throw new ModelError('no room', { codexErrorInfo: 'contextWindowExceeded' })
    }
    await using kit = await SessionKit.open([failing, says('next')])
    const { handle, watch } = await reviewed(kit)
    const end = watch.of('turnCompleted').at(-1)
    assert.deepEqual(
      [end?.status, end?.error?.message, end?.error?.codexErrorInfo],
      ['failed', 'no room', 'contextWindowExceeded'],
    )
    const { turns } = await stored(kit, handle.threadId)
    assert.equal(turns[0]?.status, 'failed')
    assert.equal((await runTurn(handle, 'next')).status, 'completed')
  })

  it('that is stopped ends the reviewer too; both logs say that', async () => {
    await using kit = await SessionKit.open([hangsAfter(reasoning('hm'))])
    const { handle, watch } = await reviewed(kit, (told) =>
      told.next((event) => event.type === 'itemCompleted' && event.item.type === 'reasoning'),
    )
    assert.equal(watch.of('turnCompleted').at(-1)?.status, 'interrupted')
    const { kinds, items } = await stored(kit, handle.threadId)
    assert.deepEqual(kinds.slice(-6), [
      'response_item message user',
      'event_msg exited_review_mode',
      'response_item message assistant',
      'event_msg agent_message',
      'response_item message user',
      'event_msg turn_aborted',
    ])
    assert.match(JSON.stringify(items), new RegExp(NO_REVIEW))
    const reviewer = await stored(kit, kit.model.requests[0]?.threadId as ThreadId)
    assert.equal(reviewer.turns[0]?.status, 'interrupted')
  })

  it('of what cannot be reviewed is refused, and nothing is kept', async () => {
    await using kit = await SessionKit.open([says(OUTPUT)])
    const handle = await kit.start()
    const branch = { type: 'baseBranch', branch: 'main' } as const
    await assert.rejects(handle.startReview(branch), { name: 'ReviewError' })
    await assert.rejects(handle.startReview({ type: 'custom', instructions: ' ' }), {
      name: 'ReviewError',
    })
    assert.deepEqual(kit.logs(), [])
    assert.equal(handle.activeTurn, undefined)
    execFileSync('git', ['init', '-q', kit.project])
    writeFileSync(`${kit.project}/a.txt`, 'one\n')
    using watch = new Watch(handle)
    const ended = watch.next(({ type }) => type === 'turnCompleted')
    await handle.startReview({ type: 'uncommittedChanges' })
    await ended
  })

  it('takes no input; what is submitted meanwhile starts a turn behind it', async () => {
    await using kit = await SessionKit.open([hangsAfter(reasoning('hm')), says('a1')])
    const handle = await kit.start()
    using watch = new Watch(handle)
    const working = watch.next(
      (event) => event.type === 'itemCompleted' && event.item.type === 'reasoning',
    )
    const turnId = await handle.startReview(custom)
    await working
    await assert.rejects(handle.steerTurn(text('x')), { code: 'not_steerable' })
    const ended = watch.next((event) => event.type === 'turnCompleted' && event.turnId !== turnId)
    const submitted = handle.submitInput(text('hello'))
    await handle.interrupt()
    assert.notEqual(await submitted, turnId)
    await ended
    assert.equal(watch.of('turnCompleted').at(-1)?.status, 'completed')
  })

  it('or condensing takes the place of a running turn where that is asked for', async () => {
    await using kit = await SessionKit.open([hangsAfter(assistantMessage('half')), says(OUTPUT)])
    const handle = await kit.start()
    using watch = new Watch(handle)
    const answered = watch.next(
      (event) => event.type === 'itemCompleted' && event.item.type === 'agentMessage',
    )
    const first = await handle.startTurn(text('go'))
    await answered
    await assert.rejects(handle.startReview(custom), { code: 'turn_running' })
    const ended = watch.next((event) => event.type === 'turnCompleted' && event.turnId !== first)
    const second = await handle.startReview(custom, { replacesRunning: true })
    await ended
    assert.deepEqual(
      watch.of('turnCompleted').map(({ turnId, status }) => [turnId, status]),
      [
        [first, 'interrupted'],
        [second, 'completed'],
      ],
    )
    const { items, kinds } = await stored(kit, handle.threadId)
    const reason = items.flatMap(({ payload }) =>
      'type' in payload && payload.type === 'turn_aborted' ? [payload.reason] : [],
    )
    assert.deepEqual(reason, ['replaced'])
    assert.equal(kinds.filter((kind) => kind === 'event_msg task_complete').length, 1)
    assert.doesNotMatch(JSON.stringify(items), /<turn_aborted>/)
  })

  it('detached runs in a fork with the settings of the thread, which stays free', async () => {
    await using kit = await SessionKit.open([says('a1'), says(OUTPUT), says('a2')])
    const source = await kit.start({ model: 'gpt-5.4-mini' })
    await runTurn(source, 'u1')
    const { handle, turnId } = await kit.manager.reviewDetached(source, custom)
    using watch = new Watch(handle)
    const ended = watch.next(({ type }) => type === 'turnCompleted')
    assert.deepEqual([handle.settings, handle.activeTurn?.turnId], [source.settings, turnId])
    await runTurn(source, 'u2').catch(() => undefined)
    if (handle.activeTurn) await ended
    const { turns } = await stored(kit, handle.threadId)
    assert.deepEqual(
      turns.map(({ status, items }) => [status, items[0]?.type]),
      [
        ['completed', 'userMessage'],
        ['completed', 'enteredReviewMode'],
      ],
    )
  })

  it('detached of an empty thread works; what cannot be reviewed makes no fork', async () => {
    await using kit = await SessionKit.open([says(OUTPUT)])
    const source = await kit.start()
    const branch = { type: 'baseBranch', branch: 'main' } as const
    await assert.rejects(kit.manager.reviewDetached(source, branch), { name: 'ReviewError' })
    const ephemeral = await kit.start({}, true)
    await assert.rejects(kit.manager.reviewDetached(ephemeral, custom), { code: 'ephemeral' })
    assert.equal(kit.manager.list().length, 2)
    const { handle } = await kit.manager.reviewDetached(source, custom)
    assert.equal(kit.manager.list().at(-1), handle)
  })
})
