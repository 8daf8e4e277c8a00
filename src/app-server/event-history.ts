import { randomUUID } from 'node:crypto'
import { invalid, type RpcError } from './protocol/jsonrpc.ts'

/** Messages that a client which comes back can still be told. */
const MOST_KEPT = 2000
const MOST_KEPT_CHARS = 2 * 1024 * 1024

/** Of all threads of a process together. */
const MOST_CHARS_OF_ALL = 64 * 1024 * 1024

/** A notification as it goes out. */
export interface Notice {
  readonly method: string
  /** The whole message; it ends with the object of its params, which is not empty. */
  readonly text: string
}

interface Kept extends Notice {
  readonly number: number
}

/** What the histories of a process may keep together: the one that was told last goes last. */
export class HistoryBudget {
  readonly #mostChars: number
  /** Least recently told first. */
  readonly #histories = new Set<EventHistory>()
  #chars = 0

  constructor(mostChars = MOST_CHARS_OF_ALL) {
    this.#mostChars = mostChars
  }

  /** The history was told something: it keeps so many characters more, or less, than before. */
  spend(history: EventHistory, moreChars: number): void {
    this.#chars += moreChars
    this.#histories.delete(history)
    this.#histories.add(history)
    for (const each of this.#histories) {
      if (this.#chars <= this.#mostChars || each === history) return
      this.remove(each)
      each.forget()
    }
  }

  remove(history: EventHistory): void {
    if (this.#histories.delete(history)) this.#chars -= history.chars
  }
}

/**
 * What the watchers of a thread were told last, numbered, so that a client which had lost its
 * connection misses nothing. A cursor is `<history>:<number>`: one of another process, or of a
 * thread that was let go meanwhile, is told to be gone.
 */
export class EventHistory implements Disposable {
  readonly #budget: HistoryBudget
  readonly #id = randomUUID().slice(0, 8)
  readonly #kept: Kept[] = []
  #chars = 0
  #lastNumber = 0

  constructor(budget: HistoryBudget) {
    this.#budget = budget
  }

  /** What is kept of it, in characters. */
  get chars(): number {
    return this.#chars
  }

  /** A client that comes back from here on is told that what it missed is gone. */
  forget(): void {
    this.#kept.length = 0
    this.#chars = 0
  }

  /** The same with a cursor, for those who have asked for cursors. */
  keep(notice: Notice): Notice {
    this.#lastNumber += 1
    const kept = { ...notice, number: this.#lastNumber }
    const before = this.#chars
    this.#kept.push(kept)
    this.#chars += notice.text.length
    while (this.#kept.length > MOST_KEPT || this.#chars > MOST_KEPT_CHARS) {
      this.#chars -= this.#kept.shift()?.text.length ?? 0
    }
    this.#budget.spend(this, this.#chars - before)
    return this.#withCursor(kept)
  }

  /** What was told behind a cursor. Throws when that is not kept any more. */
  after(cursor: string): Notice[] {
    const [id, text] = cursor.split(':')
    const number = Number(text)
    const oldest = this.#kept[0]?.number ?? this.#lastNumber + 1
    const isKnown = id === this.#id && Number.isInteger(number) && number <= this.#lastNumber
    if (!isKnown || number < oldest - 1) throw eventsGone(cursor)
    return this.#kept.filter((each) => each.number > number).map((each) => this.#withCursor(each))
  }

  [Symbol.dispose](): void {
    this.#budget.remove(this)
  }

  #withCursor({ method, text, number }: Kept): Notice {
    return { method, text: `${text.slice(0, -2)},"eventCursor":"${this.#id}:${number}"}}` }
  }
}

export function eventsGone(cursor: string): RpcError {
  return invalid(`events after cursor ${cursor} are gone; resume without a cursor`)
}
