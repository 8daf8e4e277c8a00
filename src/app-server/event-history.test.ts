import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { EventHistory, HistoryBudget, type Notice } from './event-history.ts'

const notice = (text: string): Notice => ({
  method: 'x',
  text: JSON.stringify({ method: 'x', params: { text } }),
})

/** The cursor that a message carries. */
function cursorOf({ text }: Notice): string {
  const { params } = JSON.parse(text) as { params: { eventCursor: string } }
  return params.eventCursor
}

function textsAfter(history: EventHistory, cursor: string): string[] {
  return history.after(cursor).map(({ text }) => {
    return (JSON.parse(text) as { params: { text: string } }).params.text
  })
}

const GONE = { message: /^events after cursor .* are gone; resume without a cursor$/ }

describe('what the watchers of a thread were told', () => {
  it('is told again from a cursor on', () => {
    const history = new EventHistory(new HistoryBudget())
    const [first, second] = ['a', 'b', 'c'].map((text) => history.keep(notice(text)))
    assert.ok(first && second)
    assert.deepEqual(textsAfter(history, cursorOf(first)), ['b', 'c'])
    assert.deepEqual(textsAfter(history, cursorOf(second)), ['c'])
    const other = new EventHistory(new HistoryBudget())
    assert.throws(() => other.after(cursorOf(first)), GONE)
    assert.throws(() => history.after('nonsense'), GONE)
  })

  it('is kept within a budget for all: who was told last goes last', () => {
    const size = notice('0123456789').text.length
    const budget = new HistoryBudget(4 * size)
    const [quiet, busy, last] = [0, 1, 2].map(() => new EventHistory(budget))
    assert.ok(quiet && busy && last)
    const cursors = [quiet, busy, quiet, busy].map((each) => {
      return cursorOf(each.keep(notice('0123456789')))
    })
    const [ofQuiet = '', ofBusy = ''] = cursors
    assert.equal(quiet.after(ofQuiet).length, 1)
    last.keep(notice('0123456789'))
    assert.throws(() => quiet.after(ofQuiet), GONE)
    assert.equal(busy.after(ofBusy).length, 1)
    assert.deepEqual([quiet.chars, busy.chars, last.chars], [0, 2 * size, size])
    // It goes on from here, and what was let go makes room for others.
    const again = cursorOf(quiet.keep(notice('0123456789')))
    assert.deepEqual(quiet.after(again), [])
    busy[Symbol.dispose]()
    for (const history of [last, last]) history.keep(notice('0123456789'))
    assert.deepEqual([quiet.chars, last.chars], [size, 3 * size])
  })
})
