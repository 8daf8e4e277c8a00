import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  AT,
  event,
  header,
  named,
  threadIdOf,
  turn,
  turnContext,
  userEvent,
} from '../../test/support/thread-log.ts'
import type { JsonObject } from '../base/index.ts'
import {
  NO_TOKENS,
  type RolloutItem,
  type StoredEvent,
  type TokenUsage,
} from '../protocol/index.ts'
import { SummaryFold, type ThreadSummary } from './thread-summary.ts'

const ID = threadIdOf(1)

function summaryOf(...log: readonly RolloutItem[]): ThreadSummary | undefined {
  const fold = new SummaryFold()
  for (const item of log) fold.apply(item)
  return fold.finish()
}

function previewOf(...events: readonly RolloutItem[]): string | undefined {
  return summaryOf(header(ID), ...events)?.preview
}

function userMessage(message: string, extra: JsonObject = {}): RolloutItem {
  const payload = { type: 'user_message', message, local_images: [], text_elements: [], ...extra }
  return event(payload as StoredEvent)
}

function completedItem(item: JsonObject): RolloutItem {
  return event({ type: 'item_completed', turn_id: 't1', item })
}

describe('the summary of a thread', () => {
  it('is of its header, its first message and its last model', () => {
    const git = { commit_hash: 'c', branch: 'main', repository_url: 'r' }
    const forked_from_id = threadIdOf(2)
    const log = [header(ID, { git, forked_from_id }), ...turn(1), turnContext('t2', { model: 'n' })]
    assert.deepEqual(summaryOf(...log), {
      threadId: ID,
      createdAtMs: Date.parse(AT),
      cwd: '/repo',
      source: 'cli',
      modelProvider: 'mock',
      model: 'n',
      reasoningEffort: null,
      approvalPolicy: 'never',
      sandboxPolicy: { type: 'danger-full-access' },
      cliVersion: '0.0.0',
      originator: 'bobbin',
      git,
      forkedFromId: threadIdOf(2),
      historyMode: 'legacy',
      memoryMode: 'enabled',
      loggedName: null,
      preview: 'u1',
      firstUserMessage: 'u1',
      title: 'u1',
      tokenUsage: null,
      threadSource: null,
      agentNickname: null,
      agentRole: null,
      agentPath: null,
    })
  })

  it('has what the header tells of an agent, and the last turn of its settings', () => {
    const agent = { agent_nickname: 'Scout', agent_role: 'explorer', agent_path: 'a/b' }
    const usage = (total_tokens: number) => ({ ...NO_TOKENS, total_tokens })
    const count = (total: TokenUsage | null): RolloutItem => {
      const info = total && {
        total_token_usage: total,
        last_token_usage: NO_TOKENS,
        model_context_window: null,
      }
      return event({ type: 'token_count', info, rate_limits: null })
    }
    const summary = summaryOf(
      header(ID, { ...agent, thread_source: 'subagent' }),
      turnContext('t1', { effort: 'high', approval_policy: 'on-request' }),
      turnContext('t2', { sandbox_policy: { type: 'read-only' } }),
      ...[usage(1), usage(2), null].map(count),
    )
    const { agentNickname, agentRole, agentPath, threadSource } = summary ?? {}
    assert.deepEqual(
      [agentNickname, agentRole, agentPath, threadSource],
      ['Scout', 'explorer', 'a/b', 'subagent'],
    )
    const { reasoningEffort, approvalPolicy, sandboxPolicy, tokenUsage } = summary ?? {}
    assert.deepEqual(
      [reasoningEffort, approvalPolicy, sandboxPolicy, tokenUsage],
      ['high', 'never', { type: 'read-only' }, usage(2)],
    )
  })

  it('takes its title from the first words, and a goal for its preview', () => {
    const picture = userMessage('', { images: ['x'] })
    const goal = event({ type: 'thread_goal_updated', goal: { objective: 'the goal' } })
    const shown = (...log: RolloutItem[]) => {
      const { preview, firstUserMessage, title } = summaryOf(header(ID), ...log) ?? {}
      return { preview, firstUserMessage, title }
    }
    assert.deepEqual(shown(picture, userEvent('words'), userEvent('more')), {
      preview: '[Image]',
      firstUserMessage: '[Image]',
      title: 'words',
    })
    assert.deepEqual(shown(goal, userEvent('words')), {
      preview: 'the goal',
      firstUserMessage: 'words',
      title: 'words',
    })
  })

  it('is nothing without a header that names a thread', () => {
    assert.equal(summaryOf(...turn(1)), undefined)
    assert.equal(summaryOf(header('no id'), ...turn(1)), undefined)
  })

  it('takes the id in any case', () => {
    assert.equal(summaryOf(header(ID.toUpperCase()))?.threadId, ID)
  })

  it('is of the first header; those of ancestors change nothing', () => {
    const ancestor = header(threadIdOf(2), { cwd: '/old', git: { branch: 'old' } })
    const summary = summaryOf(header(ID, { cwd: '/new' }), ancestor)
    assert.deepEqual([summary?.threadId, summary?.cwd, summary?.git], [ID, '/new', null])
  })

  it('takes git from the newest header that has it; an empty one clears it', () => {
    const git = { branch: 'main' }
    const gitOf = (...headers: readonly RolloutItem[]) => summaryOf(...headers)?.git
    assert.deepEqual(gitOf(header(ID, { git }), header(ID)), git)
    assert.deepEqual(gitOf(header(ID), header(ID, { git })), git)
    assert.equal(gitOf(header(ID, { git }), header(ID, { git: {} })), null)
  })

  it('takes the memory mode from the newest header that has one we know', () => {
    const modeOf = (...headers: readonly RolloutItem[]) => summaryOf(...headers)?.memoryMode
    const disabled = header(ID, { memory_mode: 'disabled' })
    assert.equal(modeOf(header(ID)), 'enabled')
    assert.equal(modeOf(disabled, header(ID)), 'disabled')
    assert.equal(modeOf(disabled, header(ID, { memory_mode: 'of tomorrow' })), 'disabled')
    assert.equal(modeOf(disabled, header(ID, { memory_mode: 'polluted' })), 'polluted')
  })

  it('takes the name from the newest line that names this thread; an empty one clears it', () => {
    const nameOf = (...lines: readonly RolloutItem[]) => summaryOf(header(ID), ...lines)?.loggedName
    assert.equal(nameOf(), null)
    assert.equal(nameOf(named(ID, 'one'), named(ID, ' two ')), 'two')
    assert.equal(nameOf(named(ID.toUpperCase(), 'one')), 'one')
    assert.equal(nameOf(named(ID, 'one'), named(threadIdOf(2), 'of the source')), 'one')
    assert.equal(nameOf(named(ID, 'one'), named(ID, null)), '')
  })

  it('goes on from the summary of the beginning as if all had been read', () => {
    const git = { branch: 'main' }
    const [first, second] = [
      [header(ID, { git, memory_mode: 'disabled' }), ...turn(1)],
      [header(ID, { git: {} }), turnContext('t2', { model: 'n' }), userEvent('u2')],
    ]
    const fold = new SummaryFold(summaryOf(...first))
    for (const item of second) fold.apply(item)
    assert.deepEqual(fold.finish(), summaryOf(...first, ...second))
    assert.deepEqual(new SummaryFold(summaryOf(...first)).finish(), summaryOf(...first))
  })

  it('reads the time of creation in both its forms', () => {
    const createdAt = (timestamp: string) => summaryOf(header(ID, { timestamp }))?.createdAtMs
    assert.equal(createdAt('2026-11-20T09:29:15.680+01:00'), Date.parse(AT) - 3_600_000)
    assert.equal(createdAt('2026-11-20T09-29-15'), Date.parse('2026-11-20T09:29:15Z'))
    assert.equal(createdAt('yesterday'), 0)
  })

  it('tells a thread whose lines are numbered', () => {
    const summary = summaryOf(header(ID, { history_mode: 'paginated' }))
    assert.equal(summary?.historyMode, 'paginated')
  })
})

describe('the preview', () => {
  it('is the text of the first message that has one, trimmed', () => {
    assert.equal(
      previewOf(userEvent(' \n'), userEvent('  one\ntwo '), userEvent('three')),
      'one\ntwo',
    )
  })

  it('is what follows the mark of an editor', () => {
    const message = '# Context\n\n## My request for Codex:\n fix it \n'
    assert.equal(previewOf(userEvent(message)), 'fix it')
  })

  it('is [Image] for pictures alone', () => {
    assert.equal(previewOf(userMessage(' ', { images: ['data:'] }), userEvent('later')), '[Image]')
    assert.equal(previewOf(userMessage('', { local_images: ['/a.png'] })), '[Image]')
    assert.equal(previewOf(userMessage('look', { local_images: ['/a.png'] })), 'look')
    assert.equal(previewOf(userMessage('', { images: [] }), userEvent('later')), 'later')
  })

  it('is the goal, where that came first', () => {
    const goal = (objective: string) =>
      event({ type: 'thread_goal_updated', threadId: ID, goal: { objective } })
    assert.equal(previewOf(goal(' win '), userEvent('hi')), 'win')
    assert.equal(previewOf(goal(' '), userEvent('hi')), 'hi')
    assert.equal(previewOf(userEvent('hi'), goal('win')), 'hi')
  })

  it('is read from the whole items of later versions', () => {
    const content = [{ type: 'text', text: 'a' }, null, { type: 'text', text: 'b' }]
    assert.equal(previewOf(completedItem({ type: 'UserMessage', content })), 'ab')
    const image = [{ type: 'local_image', path: '/a.png' }]
    assert.equal(previewOf(completedItem({ type: 'UserMessage', content: image })), '[Image]')
    assert.equal(previewOf(completedItem({ type: 'AgentMessage', content })), '')
  })
})
