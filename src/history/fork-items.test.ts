import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { messageText, type RolloutItem, userText } from '../protocol/index.ts'
import { TURN_ABORTED_MARKER } from './contextual.ts'
import { forkedItems } from './fork-items.ts'
import { replayModelHistory } from './model-history.ts'
import { foldTurns } from './turn-view.ts'

const user = (message: string): RolloutItem[] => [
  { type: 'response_item', payload: userText(message) },
  {
    type: 'event_msg',
    payload: { type: 'user_message', message, images: [], local_images: [], text_elements: [] },
  },
]

const started = (turn_id: string): RolloutItem => ({
  type: 'event_msg',
  payload: {
    type: 'task_started',
    turn_id,
    model_context_window: null,
    collaboration_mode_kind: 'default',
  },
})

const ended = (turn_id: string): RolloutItem => ({
  type: 'event_msg',
  payload: { type: 'task_complete', turn_id, last_agent_message: null },
})

const turn = (id: string): RolloutItem[] => [started(id), ...user(`in ${id}`), ended(id)]

/** What the model would see again of a log, as texts. */
function seen(log: readonly RolloutItem[]): string[] {
  return replayModelHistory(log).items.map((item) =>
    item.type === 'message' ? messageText(item) : item.type,
  )
}

describe('a fork', () => {
  it('holds everything of a thread whose turns have ended', () => {
    const log = [...turn('a'), ...turn('b')]
    assert.deepEqual(forkedItems(log), log)
  })

  it('ends with the turn that was named', () => {
    const log = [...turn('a'), ...turn('b'), ...turn('c')]
    assert.deepEqual(forkedItems(log, 'b'), [...turn('a'), ...turn('b')])
    assert.equal(forkedItems(log, 'x'), undefined)
  })

  it('closes a turn that was cut off as interrupted', () => {
    const log = [...turn('a'), started('b'), ...user('half')]
    const copy = forkedItems(log) ?? []
    assert.deepEqual(
      foldTurns(copy).map(({ id, status }) => [id, status]),
      [
        ['a', 'completed'],
        ['b', 'interrupted'],
      ],
    )
    assert.deepEqual(seen(copy), ['in a', 'half', TURN_ABORTED_MARKER])
  })

  it('ends before the items of the next message where no events tell of turns', () => {
    const log = [...user('one'), ...user('two')]
    const [first] = foldTurns(log)
    assert.deepEqual(forkedItems(log, first?.id), user('one'))
  })

  it('at any turn, of any turns, is those turns', () => {
    const ids = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 4 }), { minLength: 1 })
    fc.assert(
      fc.property(ids, fc.nat(), (names, pick) => {
        const log = names.flatMap(turn)
        const kept = names.slice(0, (pick % names.length) + 1)
        assert.deepEqual(forkedItems(log, kept.at(-1)), kept.flatMap(turn))
      }),
    )
  })
})
