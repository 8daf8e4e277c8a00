import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  aborted,
  answers,
  compacted,
  completed,
  event,
  header,
  item,
  rolledBack,
  says,
  started,
  threadIdOf,
  turn,
  userEvent,
} from '../../test/support/thread-log.ts'
import type { JsonObject } from '../base/index.ts'
import {
  type RolloutItem,
  type StoredEvent,
  type Turn,
  type TurnItem,
  userText,
} from '../protocol/index.ts'
import { foldTurns } from './turn-view.ts'

const PLAIN: Turn = {
  id: 't1',
  status: 'completed',
  items: [],
  error: null,
  startedAtS: null,
  completedAtS: null,
  durationMs: null,
}

function stored(payload: JsonObject): RolloutItem {
  return event(payload as unknown as StoredEvent)
}

function userItem(n: number, text: string): TurnItem {
  return {
    type: 'userMessage',
    id: `item-${n}`,
    content: [{ type: 'text', text, text_elements: [] }],
  }
}

function agentItem(n: number, text: string): TurnItem {
  return { type: 'agentMessage', id: `item-${n}`, text, phase: null, memoryCitation: null }
}

/** Turn ids with their status, and the ids of their items. */
function outline(log: readonly RolloutItem[]): string[] {
  return foldTurns(log).map(
    ({ id, status, items }) => `${id} ${status}: ${items.map((each) => each.id).join(' ')}`,
  )
}

/** The items of one turn made of these lines. */
function itemsOf(...lines: readonly RolloutItem[]): readonly TurnItem[] {
  const turns = foldTurns([started('t1'), ...lines, completed('t1')])
  assert.equal(turns.length, 1)
  return turns[0]?.items ?? []
}

const COMMAND: JsonObject = {
  type: 'exec_command_end',
  call_id: 'c1',
  turn_id: 't1',
  command: ['/bin/bash', '-lc', 'echo hi'],
  cwd: '/repo',
  aggregated_output: 'hi\n',
  exit_code: 0,
  duration: { secs: 1, nanos: 5_000_000 },
  status: 'completed',
}

describe('turns', () => {
  it('have the times and messages of their lines', () => {
    const log = [
      header(threadIdOf(1)),
      started('t1', 100),
      ...says('u1'),
      ...answers('a1'),
      stored({
        type: 'task_complete',
        turn_id: 't1',
        last_agent_message: 'a1',
        completed_at: 103,
        duration_ms: 2500,
      }),
    ]
    const items = [userItem(1, 'u1'), agentItem(2, 'a1')]
    const times = { startedAtS: 100, completedAtS: 103, durationMs: 2500 }
    assert.deepEqual(foldTurns(log), [{ ...PLAIN, items, ...times }])
  })

  it('may be empty when they were started', () => {
    assert.deepEqual(foldTurns([started('t1'), completed('t1')]), [PLAIN])
  })

  it('collect every message that was steered into them', () => {
    const log = [started('t1'), ...says('u1'), ...says('more'), completed('t1')]
    assert.deepEqual(outline(log), ['t1 completed: item-1 item-2'])
  })

  it('without an end are interrupted, unless the last one is running', () => {
    const log = [started('t1'), ...says('u1'), started('t2')]
    const status = (turns: readonly Turn[]) => turns.map((each) => each.status)
    assert.deepEqual(status(foldTurns(log)), ['interrupted', 'interrupted'])
    assert.deepEqual(status(foldTurns(log, { isRunning: true })), ['interrupted', 'inProgress'])
    const done = [...log, completed('t2')]
    assert.deepEqual(status(foldTurns(done, { isRunning: true })), ['interrupted', 'completed'])
  })

  it('that were stopped stay open for what comes after', () => {
    const log = [started('t1'), ...says('u1'), aborted('t1'), userEvent('late')]
    assert.deepEqual(outline(log), ['t1 interrupted: item-1 item-2'])
    assert.deepEqual(outline([...log, completed('t1')]), ['t1 interrupted: item-1 item-2'])
  })

  it('can be ended after others began', () => {
    const log = [started('t1'), started('t2'), completed('t1'), userEvent('x'), completed('t2')]
    assert.deepEqual(outline(log), ['t1 completed: ', 't2 completed: item-1'])
  })

  it('are ended by an end that names no turn there is', () => {
    assert.deepEqual(outline([started('t1'), completed('lost')]), ['t1 completed: '])
  })

  it('ignore ends where nothing is open', () => {
    assert.deepEqual(outline([aborted('t1'), completed('t1')]), [])
  })
})

describe('turns that no line starts', () => {
  it('begin with each message, and are named after its line', () => {
    const log = [header(threadIdOf(1)), ...says('u1'), ...answers('a1'), ...says('u2')]
    assert.deepEqual(outline(log), [
      'rollout-2 completed: item-1 item-2',
      'rollout-6 completed: item-3',
    ])
  })

  it('count lines as 0.133.0 reads them', () => {
    const newer: RolloutItem = { type: 'unknown', payload: { type: 'world_state' } }
    const other: RolloutItem = { type: 'unknown', payload: { type: 'response_item' } }
    assert.deepEqual(outline([newer, other, userEvent('u1')]), ['rollout-1 completed: item-1'])
  })

  it('are not there when they are empty, but for a compaction', () => {
    assert.deepEqual(outline([stored({ ...COMMAND, turn_id: 'lost' })]), [])
    assert.deepEqual(outline([compacted('short')]), ['rollout-0 completed: '])
  })

  it('take in the message that follows a compaction', () => {
    const log = [compacted('short'), userEvent('u1'), userEvent('u2')]
    assert.deepEqual(outline(log), ['rollout-0 completed: item-1', 'rollout-2 completed: item-2'])
  })
})

describe('failed turns', () => {
  const failure = stored({ type: 'error', message: 'no', codex_error_info: 'other' })
  const error = { message: 'no', codexErrorInfo: 'other', additionalDetails: null }

  it('stay failed, with their error, when they are ended', () => {
    const log = [started('t1'), failure, completed('t1')]
    assert.deepEqual(foldTurns(log), [{ ...PLAIN, status: 'failed', error }])
  })

  it('are told even when the end is missing', () => {
    assert.deepEqual(foldTurns([started('t1'), failure]), [{ ...PLAIN, status: 'failed', error }])
  })

  it('are told so behind their end, when the end could not be saved at once', () => {
    const log = [started('t1'), completed('t1'), failure, started('t2'), completed('t2')]
    const failed = { ...PLAIN, status: 'failed', error }
    assert.deepEqual(foldTurns(log), [failed, { ...PLAIN, id: 't2' }])
  })

  it('are not made by an error before any turn', () => {
    assert.deepEqual(foldTurns([failure, started('t1'), completed('t1')]), [PLAIN])
  })
})

describe('items', () => {
  it('of a message are its text and its pictures', () => {
    const message = stored({
      type: 'user_message',
      message: 'look',
      images: ['data:1'],
      local_images: ['/a.png'],
      text_elements: [{ at: 1 }],
    })
    const blank = stored({
      type: 'user_message',
      message: ' ',
      local_images: ['/b.png'],
      text_elements: [],
    })
    assert.deepEqual(itemsOf(message, blank), [
      {
        type: 'userMessage',
        id: 'item-1',
        content: [
          { type: 'text', text: 'look', text_elements: [{ at: 1 }] },
          { type: 'image', detail: null, url: 'data:1' },
          { type: 'localImage', detail: null, path: '/a.png' },
        ],
      },
      {
        type: 'userMessage',
        id: 'item-2',
        content: [{ type: 'localImage', detail: null, path: '/b.png' }],
      },
    ])
  })

  it('merge thoughts that follow each other; empty ones and empty messages are none', () => {
    const thought = (text: string) => event({ type: 'agent_reasoning', text })
    const said = (message: string, phase: string | null) =>
      event({ type: 'agent_message', message, phase, memory_citation: null })
    const lines = [
      thought(''),
      thought('a'),
      thought('b'),
      event({ type: 'agent_reasoning_raw_content', text: 'raw' }),
      said('', null),
      said('x', 'commentary'),
      thought('c'),
      said('y', 'odd'),
    ]
    assert.deepEqual(itemsOf(...lines), [
      { type: 'reasoning', id: 'item-1', summary: ['a', 'b'], content: [] },
      { ...agentItem(2, 'x'), phase: 'commentary' },
      { type: 'reasoning', id: 'item-3', summary: ['c'], content: [] },
      agentItem(4, 'y'),
    ])
  })

  it('of commands tell what was run and how it ended', () => {
    const failed = {
      ...COMMAND,
      call_id: 'c2',
      aggregated_output: '',
      exit_code: 2,
      status: 'failed',
    }
    const declined = { ...failed, call_id: 'c3', exit_code: -1, status: 'declined' }
    const expected: TurnItem = {
      type: 'commandExecution',
      id: 'c1',
      command: "/bin/bash -lc 'echo hi'",
      cwd: '/repo',
      processId: null,
      source: 'agent',
      status: 'completed',
      commandActions: [{ type: 'unknown', command: 'echo hi' }],
      aggregatedOutput: 'hi\n',
      exitCode: 0,
      durationMs: 1005,
    }
    assert.deepEqual(itemsOf(stored(COMMAND), stored(failed), stored(declined)), [
      expected,
      { ...expected, id: 'c2', aggregatedOutput: null, exitCode: 2, status: 'failed' },
      {
        ...expected,
        id: 'c3',
        aggregatedOutput: null,
        exitCode: null,
        durationMs: null,
        status: 'declined',
      },
    ])
  })

  it('of patches tell the changes by path', () => {
    const patch = stored({
      type: 'patch_apply_end',
      call_id: 'c1',
      turn_id: 't1',
      stdout: '',
      stderr: '',
      success: true,
      status: 'completed',
      changes: {
        '/c': { type: 'update', unified_diff: '@@', move_path: '/d' },
        '/b': { type: 'delete', content: 'old' },
        '/a': { type: 'add', content: 'new' },
      },
    })
    assert.deepEqual(itemsOf(patch), [
      {
        type: 'fileChange',
        id: 'c1',
        status: 'completed',
        changes: [
          { path: '/a', kind: { type: 'add' }, diff: 'new' },
          { path: '/b', kind: { type: 'delete' }, diff: 'old' },
          { path: '/c', kind: { type: 'update', move_path: '/d' }, diff: '@@\n\nMoved to: /d' },
        ],
      },
    ])
  })

  it('of other tools, reviews, plans and compactions are shown', () => {
    const invocation = { server: 's', tool: 't', arguments: { x: 1 } }
    const duration = { secs: 0, nanos: 7_000_000 }
    const call = { type: 'mcp_tool_call_end', invocation, duration }
    const lines = [
      { ...call, call_id: 'm1', result: { Ok: { content: [] } } },
      { ...call, call_id: 'm2', result: { Err: 'broke' } },
      { ...call, call_id: 'm3', result: { Ok: { content: ['no'], isError: true, _meta: {} } } },
      { type: 'web_search_end', call_id: 'w1', query: 'q', action: { type: 'search', query: 'q' } },
      { type: 'image_generation_end', call_id: 'g1', status: 'done', result: 'x' },
      { type: 'item_completed', turn_id: 't1', item: { type: 'Plan', id: 'p1', text: '# do' } },
      { type: 'entered_review_mode', target: {}, user_facing_hint: 'current changes' },
      { type: 'exited_review_mode', review_output: { overall_explanation: 'fine' } },
      { type: 'exited_review_mode', review_output: null },
      { type: 'context_compacted' },
    ].map(stored)
    const tool = {
      type: 'mcpToolCall',
      server: 's',
      tool: 't',
      arguments: { x: 1 },
      durationMs: 7,
    } as const
    const answer = { structuredContent: null, _meta: null }
    assert.deepEqual(itemsOf(...lines), [
      { ...tool, id: 'm1', status: 'completed', result: { ...answer, content: [] }, error: null },
      { ...tool, id: 'm2', status: 'failed', result: null, error: { message: 'broke' } },
      {
        ...tool,
        id: 'm3',
        status: 'failed',
        result: { ...answer, content: ['no'], _meta: {} },
        error: null,
      },
      { type: 'webSearch', id: 'w1', query: 'q', action: { type: 'search', query: 'q' } },
      { type: 'imageGeneration', id: 'g1', status: 'done' },
      { type: 'plan', id: 'p1', text: '# do' },
      { type: 'enteredReviewMode', id: 'item-1', review: 'current changes' },
      { type: 'exitedReviewMode', id: 'item-2', review: 'fine' },
      { type: 'exitedReviewMode', id: 'item-3', review: 'Reviewer failed to output a response.' },
      { type: 'contextCompaction', id: 'item-4' },
    ])
  })

  it("of a client's tools and of pictures are shown as they were told", () => {
    const call = {
      type: 'dynamic_tool_call_response',
      turn_id: 't1',
      namespace: 'crm',
      tool: 'find',
      arguments: { name: 'Ada' },
      duration: { secs: 1, nanos: 5_000_000 },
    }
    const contents = [
      { type: 'inputText', text: 'found' },
      { type: 'inputImage', imageUrl: 'data:,x' },
    ]
    const lines = [
      { ...call, call_id: 'd1', content_items: contents, success: true, error: null },
      { ...call, call_id: 'd2', content_items: [], success: true, error: null },
      { ...call, call_id: 'd3', content_items: [], success: false, error: 'the turn ended' },
      { type: 'view_image_tool_call', call_id: 'v1', path: '/repo/a.png' },
    ].map(stored)
    const tool = {
      type: 'dynamicToolCall',
      namespace: 'crm',
      tool: 'find',
      arguments: { name: 'Ada' },
      durationMs: 1005,
    } as const
    assert.deepEqual(itemsOf(...lines), [
      { ...tool, id: 'd1', status: 'completed', contentItems: contents, success: true },
      { ...tool, id: 'd2', status: 'completed', contentItems: [], success: true },
      { ...tool, id: 'd3', status: 'failed', contentItems: null, success: false },
      { type: 'imageView', id: 'v1', path: '/repo/a.png' },
    ])
  })

  it('that 0.133.0 does not look at do not count in invented ids', () => {
    const [line, ...turns] = [
      stored({ type: 'view_image_tool_call', call_id: 'v1', path: '/a.png' }),
      userEvent('one'),
      stored({ type: 'error', message: 'x', codex_error_info: null }),
      userEvent('two'),
    ]
    assert.ok(line)
    const ids = foldTurns([header('t'), ...turns.slice(0, 1), line, ...turns.slice(1)])
    assert.deepEqual(
      ids.map((turn) => turn.id),
      ['rollout-1', 'rollout-2'],
    )
  })

  it('of later versions are read from whole items', () => {
    const whole = (fields: JsonObject) =>
      stored({ type: 'item_completed', turn_id: 't1', item: fields })
    const content = [{ type: 'text', text: 'u1' }]
    const said = [{ type: 'Text', text: 'a1' }]
    const items = itemsOf(
      whole({ type: 'UserMessage', id: 'x', content }),
      whole({ type: 'AgentMessage', id: 'y', content: said, phase: 'final_answer' }),
      whole({ type: 'Future', id: 'z' }),
    )
    assert.deepEqual(items, [
      { ...userItem(0, 'u1'), id: 'x' },
      { ...agentItem(0, 'a1'), id: 'y', phase: 'final_answer' },
    ])
  })

  it('of a call that is told again take the place of the first', () => {
    const again = stored({ ...COMMAND, exit_code: 1, status: 'failed' })
    const items = itemsOf(stored(COMMAND), ...answers('a1'), again)
    assert.deepEqual(
      items.map((each) => [each.id, 'status' in each ? each.status : null]),
      [
        ['c1', 'failed'],
        ['item-1', null],
      ],
    )
  })

  it('go to the turn that they name, even a finished one; to none when it is not there', () => {
    const log = [
      ...turn(1),
      started('t2'),
      stored(COMMAND),
      stored({ ...COMMAND, call_id: 'c2', turn_id: 'lost' }),
      stored({ ...COMMAND, call_id: 'c3', turn_id: '' }),
      completed('t2'),
    ]
    assert.deepEqual(outline(log), ['t1 completed: item-1 item-2 c1', 't2 completed: c3'])
  })

  it('are not made of what only the model sees', () => {
    const call = { type: 'function_call', name: 'f', arguments: '{}', call_id: 'c' } as const
    assert.deepEqual(itemsOf(item(userText('u1')), item(call)), [])
  })
})

describe('rollback', () => {
  it('drops the last turns of the list, whatever they are, and numbers on from the rest', () => {
    const shell = [started('shell'), completed('shell')]
    const log = [...turn(1), ...turn(2), ...shell, rolledBack(2), ...turn(3)]
    assert.deepEqual(outline(log), ['t1 completed: item-1 item-2', 't3 completed: item-3 item-4'])
  })

  it('does not count items with ids of their own when it numbers on', () => {
    const log = [started('t1'), stored(COMMAND), ...says('u1'), completed('t1')]
    assert.deepEqual(outline([...log, ...turn(2), rolledBack(1), ...turn(3)]), [
      't1 completed: c1 item-1',
      't3 completed: item-2 item-3',
    ])
  })

  it('of more turns than there are leaves none; of none leaves all', () => {
    assert.deepEqual(outline([...turn(1), rolledBack(99)]), [])
    assert.deepEqual(outline([...turn(1), rolledBack(0)]), ['t1 completed: item-1 item-2'])
  })

  it('ends the turn that is open', () => {
    const log = [started('t1'), ...says('u1'), rolledBack(1), userEvent('u2')]
    assert.deepEqual(outline(log), ['rollout-4 completed: item-1'])
  })
})
