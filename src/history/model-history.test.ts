import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { nearLine } from '../../test/support/arbitrary-items.ts'
import {
  aborted,
  answers,
  assistantText,
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
  turnContext,
  userEvent,
} from '../../test/support/thread-log.ts'
import {
  messageText,
  type ResponseItem,
  type RolloutItem,
  type TokenInfo,
  type TokenUsage,
  userText,
} from '../protocol/index.ts'
import { decodeLine } from '../rollout/rollout-codec.ts'
import { TURN_ABORTED_MARKER } from './contextual.ts'
import { replayModelHistory, toModelInput } from './model-history.ts'
import { foldTurns } from './turn-view.ts'

const REPLACEMENT = [userText('u1'), userText('summary')]

function textsOf(items: readonly ResponseItem[]): string {
  return items.map((each) => (each.type === 'message' ? messageText(each) : each.type)).join(' ')
}

function seen(log: readonly RolloutItem[]): { turns: string; model: string } {
  const turns = foldTurns(log).map(({ id, status }) =>
    status === 'completed' ? id : `${id} ${status}`,
  )
  return { turns: turns.join(', '), model: textsOf(replayModelHistory(log).items) }
}

/** What a compaction on demand writes. */
function compactTurn(id: string, line: RolloutItem): RolloutItem[] {
  return [started(id), line, event({ type: 'context_compacted' }), completed(id)]
}

describe('what is shown and what the model sees again', () => {
  const rows: readonly (readonly [string, RolloutItem[], { turns: string; model: string }])[] = [
    [
      'three turns, two rolled back, a fourth',
      [...turn(1), ...turn(2), ...turn(3), rolledBack(2), ...turn(4)],
      { turns: 't1, t4', model: 'u1 a1 u4 a4' },
    ],
    [
      'more rolled back than there is',
      [...turn(1), ...turn(2), rolledBack(99)],
      { turns: '', model: '' },
    ],
    [
      'a compaction with replacement',
      [...turn(1), ...compactTurn('c', compacted('summary', REPLACEMENT)), ...turn(2)],
      { turns: 't1, c, t2', model: 'u1 summary u2 a2' },
    ],
    [
      'a compaction of old files, without replacement and without a turn',
      [header(threadIdOf(1)), ...turn(1), compacted('summary'), ...turn(2)],
      { turns: 't1, rollout-8, t2', model: 'u1 summary u2 a2' },
    ],
    [
      'a second compaction without replacement: the first summary is no word of the person',
      [...turn(1), compacted('old'), ...turn(2), compacted('new'), ...turn(3)],
      { turns: 't1, rollout-7, t2, rollout-15, t3', model: 'u1 u2 new u3 a3' },
    ],
    [
      'one turn with two messages, rolled back: the whole turn goes',
      [
        ...turn(1),
        started('t2'),
        ...says('u2'),
        ...answers('a2'),
        ...says('more'),
        completed('t2'),
        rolledBack(1),
      ],
      { turns: 't1', model: 'u1 a1' },
    ],
    [
      // The marker counts other turns for the list than for the model; as in real Codex.
      'a rollback across a compaction: the turns before it stay',
      [
        ...turn(1),
        ...turn(2),
        ...compactTurn('c', compacted('summary', REPLACEMENT)),
        ...turn(3),
        rolledBack(2),
      ],
      { turns: 't1, t2', model: 'u1 a1' },
    ],
    [
      'a rollback of the turn in which a compaction happened',
      [
        ...turn(1),
        started('t2'),
        ...says('u2'),
        compacted('summary', REPLACEMENT),
        ...answers('a2'),
        completed('t2'),
        rolledBack(1),
      ],
      { turns: 't1', model: 'u1 a1' },
    ],
    [
      'a crash in the middle of a turn',
      [...turn(1), started('t2'), ...says('u2'), item(assistantText('par'))],
      { turns: 't1, t2 interrupted', model: 'u1 a1 u2 par' },
    ],
    [
      'files without turn events: every message is a turn',
      [...says('u1'), ...answers('a1'), ...says('u2'), ...answers('a2'), rolledBack(1)],
      { turns: 'rollout-1', model: 'u1 a1' },
    ],
    [
      'a message after a finished turn, by a writer without turn events',
      [...turn(1), ...says('u2'), ...answers('a2'), ...says('u3'), rolledBack(2)],
      { turns: 't1', model: 'u1 a1' },
    ],
    [
      'a message only as an event after a finished turn',
      [...turn(1), userEvent('u2'), ...answers('a2'), rolledBack(1)],
      { turns: 't1', model: 'u1 a1' },
    ],
    [
      'items put in between two turns belong to the one before',
      [...turn(1), ...turn(2), item(userText('put in')), rolledBack(1)],
      { turns: 't1', model: 'u1 a1' },
    ],
    [
      'turns that no person opened are passed over, and go with the turn before them',
      [
        ...turn(1),
        ...turn(2),
        started('goal'),
        item(userText('<goal_context>on</goal_context>')),
        ...answers('a3'),
        completed('goal'),
        ...turn(4),
        rolledBack(2),
      ],
      { turns: 't1, t2', model: 'u1 a1' },
    ],
  ]
  for (const [name, log, expected] of rows) {
    it(name, () => assert.deepEqual(seen(log), expected))
  }
})

describe('what a session goes on from', () => {
  const t1 = { payload: turnContext('t1').payload }
  const contextOf = (log: readonly RolloutItem[]) => {
    const { contextBaseline, lastTurnContext } = replayModelHistory(log)
    return [contextBaseline, lastTurnContext]
  }

  it('is nothing for an empty log', () => {
    assert.deepEqual(replayModelHistory([]), {
      items: [],
      contextBaseline: undefined,
      lastTurnContext: undefined,
      tokenInfo: null,
    })
  })

  it('is the context of the newest turn that is left', () => {
    assert.deepEqual(contextOf([...turn(1), ...turn(2), rolledBack(1)]), [t1.payload, t1.payload])
    assert.deepEqual(contextOf([...turn(1), rolledBack(1)]), [undefined, undefined])
  })

  it('is no baseline after a compaction, but still the last settings', () => {
    const compact = compactTurn('c', compacted('summary', REPLACEMENT))
    assert.deepEqual(contextOf([...turn(1), ...compact]), [undefined, t1.payload])
    const undone = [...turn(1), ...turn(2), ...compact, rolledBack(1)]
    assert.deepEqual(contextOf(undone), [t1.payload, t1.payload])
  })

  it('is the newest count of tokens that says something', () => {
    const usage: TokenUsage = {
      input_tokens: 1,
      cached_input_tokens: 2,
      output_tokens: 3,
      reasoning_output_tokens: 4,
      total_tokens: 10,
    }
    const info: TokenInfo = {
      total_token_usage: usage,
      last_token_usage: usage,
      model_context_window: null,
    }
    const counted = event({ type: 'token_count', info, rate_limits: null })
    const empty = event({ type: 'token_count', info: null, rate_limits: null })
    assert.deepEqual(replayModelHistory([counted, empty]).tokenInfo, info)
  })

  it('holds no items of unknown kinds', () => {
    const log: RolloutItem[] = [
      item({ type: 'other' }),
      item({ type: 'compaction_trigger' }),
      { type: 'unknown', payload: { type: 'world_state' } },
      ...says('u1'),
    ]
    assert.deepEqual(replayModelHistory(log).items, [userText('u1')])
  })

  it('leaves the items of the log alone', () => {
    const replacement = [...REPLACEMENT]
    const log = [compacted('summary', replacement), ...turn(2)]
    replayModelHistory(log)
    assert.deepEqual(replacement, REPLACEMENT)
  })
})

describe('the input of the model', () => {
  const call = (call_id: string): ResponseItem => ({
    type: 'function_call',
    name: 'f',
    arguments: '{}',
    call_id,
  })
  const output = (call_id: string, text: string): ResponseItem => ({
    type: 'function_call_output',
    call_id,
    output: text,
  })

  it('has an output for every call, right behind it', () => {
    const custom: ResponseItem = { type: 'custom_tool_call', call_id: 'b', name: 'p', input: '' }
    const shell: ResponseItem = {
      type: 'local_shell_call',
      call_id: 'd',
      status: 'completed',
      action: {},
    }
    const search: ResponseItem = {
      type: 'tool_search_call',
      call_id: 'e',
      execution: 'client',
      arguments: {},
    }
    assert.deepEqual(
      toModelInput([call('a'), custom, call('c'), shell, search, output('c', 'x')]),
      [
        call('a'),
        output('a', 'aborted'),
        custom,
        { type: 'custom_tool_call_output', call_id: 'b', output: 'aborted' },
        call('c'),
        shell,
        output('d', 'aborted'),
        search,
        {
          type: 'tool_search_output',
          call_id: 'e',
          status: 'completed',
          execution: 'client',
          tools: [],
        },
        output('c', 'x'),
      ],
    )
  })

  it('has no output without its call, and no item of an unknown kind', () => {
    const items: ResponseItem[] = [
      output('x', 'lost'),
      { type: 'other' },
      { type: 'compaction_trigger' },
      userText('hi'),
    ]
    assert.deepEqual(toModelInput(items), [userText('hi')])
  })

  it('has what the provider searched for by itself, which has no ids', () => {
    const items: ResponseItem[] = [
      { type: 'tool_search_call', call_id: null, execution: 'server', arguments: {} },
      {
        type: 'tool_search_output',
        call_id: null,
        status: 'completed',
        execution: 'server',
        tools: [],
      },
      { type: 'local_shell_call', call_id: null, status: 'completed', action: {} },
      { type: 'web_search_call' },
    ]
    assert.deepEqual(toModelInput(items), items)
  })

  it('matches empty ids like all others', () => {
    const items = [call(''), output('', 'x')]
    assert.deepEqual(toModelInput(items), items)
  })

  it('shows the note of an interrupted turn, which is no turn of its own', () => {
    const log = [
      ...turn(1),
      started('t2'),
      ...says('u2'),
      item(userText(TURN_ABORTED_MARKER)),
      aborted('t2'),
    ]
    assert.equal(textsOf(replayModelHistory(log).items), `u1 a1 u2 ${TURN_ABORTED_MARKER}`)
    assert.equal(textsOf(replayModelHistory([...log, rolledBack(1)]).items), 'u1 a1')
  })
})

type Step =
  | { readonly do: 'turn' | 'goal' | 'steered' | 'compact' | 'compactInTurn' | 'crash' }
  | { readonly do: 'rollback'; readonly count: number }

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom<Step>({ do: 'turn' }, { do: 'steered' }) },
  {
    weight: 3,
    arbitrary: fc.constantFrom<Step>(
      { do: 'goal' },
      { do: 'compact' },
      { do: 'compactInTurn' },
      { do: 'crash' },
    ),
  },
  { weight: 3, arbitrary: fc.nat(4).map((count): Step => ({ do: 'rollback', count })) },
)

interface ModelTurn {
  readonly before: readonly string[]
  readonly isOfPerson: boolean
}

/** Turns as a pile: each knows what the model saw before it. */
class PlainModel {
  readonly log: RolloutItem[] = []
  texts: readonly string[] = []
  #pile: ModelTurn[] = []
  #count = 0

  apply(step: Step): void {
    this.#count += 1
    if (step.do === 'rollback') this.#rollBack(step.count)
    else this.#addTurn(step, this.#count)
  }

  #addTurn(step: Step, n: number): void {
    const isOfPerson = step.do !== 'goal' && step.do !== 'compact'
    this.#pile.push({ before: this.texts, isOfPerson })
    this.log.push(started(`t${n}`))
    if (step.do === 'goal') this.#add([`g${n}`], answers(`g${n}`))
    if (isOfPerson) this.#add([`u${n}`], says(`u${n}`))
    if (step.do === 'compact' || step.do === 'compactInTurn') {
      this.texts = [`s${n}`]
      this.log.push(compacted(`s${n}`, [userText(`s${n}`)]))
    }
    if (step.do === 'steered') this.#add([`v${n}`], says(`v${n}`))
    if (step.do !== 'crash') this.log.push(completed(`t${n}`))
  }

  #add(texts: readonly string[], items: readonly RolloutItem[]): void {
    this.texts = [...this.texts, ...texts]
    this.log.push(...items)
  }

  #rollBack(count: number): void {
    this.log.push(rolledBack(count))
    for (let left = count; left > 0; ) {
      const top = this.#pile.pop()
      if (!top) return
      this.texts = top.before
      if (top.isOfPerson) left -= 1
    }
  }
}

describe('properties', () => {
  it('any turns, compactions and rollbacks leave what a pile of turns leaves', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 25 }), (steps) => {
        const model = new PlainModel()
        for (const step of steps) model.apply(step)
        assert.equal(textsOf(replayModelHistory(model.log).items), model.texts.join(' '))
      }),
      { numRuns: 1000 },
    )
  })

  it('no sequence of lines that can be read makes a fold throw', () => {
    fc.assert(
      fc.property(fc.array(nearLine, { maxLength: 40 }), (texts) => {
        const items = texts.flatMap((text) => {
          const decoded = decodeLine(text)
          return decoded.ok ? [decoded.line.item] : []
        })
        const input = toModelInput(replayModelHistory(items).items)
        assert.ok(JSON.stringify([input, foldTurns(items), foldTurns(items, { isRunning: true })]))
      }),
      { numRuns: 1000 },
    )
  })
})
