import { randomUUID } from 'node:crypto'
import { invalid } from './protocol/jsonrpc.ts'

/** Messages that a client which comes back can still be told. */
const MOST_KEPT = 2000
const MOST_KEPT_CHARS = 2 * 1024 * 1024

/** A notification as it goes out. */
export interface Notice {
  readonly method: string
  /** The whole message; it ends with the object of its params, which is not empty. */
  readonly text: string
}

interface Kept extends Notice {
  readonly number: number
}

/**
 * What the watchers of a thread were told last, numbered, so that a client which had lost its
 * connection misses nothing. A cursor is `<history>:<number>`: one of another process, or of a
 * thread that was let go meanwhile, is told to be gone.
 */
export class EventHistory {
  readonly #id = randomUUID().slice(0, 8)
  readonly #kept: Kept[] = []
  #chars = 0
  #lastNumber = 0

  /** The same with a cursor, for those who have asked for cursors. */
  keep(notice: Notice): Notice {
    this.#lastNumber += 1
    const kept = { ...notice, number: this.#lastNumber }
    this.#kept.push(kept)
    this.#chars += notice.text.length
    while (this.#kept.length > MOST_KEPT || this.#chars > MOST_KEPT_CHARS) {
      this.#chars -= this.#kept.shift()?.text.length ?? 0
    }
    return this.#withCursor(kept)
  }

  /** What was told behind a cursor. Throws when that is not kept any more. */
  after(cursor: string): Notice[] {
    const [id, text] = cursor.split(':')
    const number = Number(text)
    const oldest = this.#kept[0]?.number ?? this.#lastNumber + 1
    const isKnown = id === this.#id && Number.isInteger(number) && number <= this.#lastNumber
    if (!isKnown || number < oldest - 1) {
      throw invalid(`events after cursor ${cursor} are gone; resume without a cursor`)
    }
    return this.#kept.filter((each) => each.number > number).map((each) => this.#withCursor(each))
  }

  #withCursor({ method, text, number }: Kept): Notice {
    return { method, text: `${text.slice(0, -2)},"eventCursor":"${this.#id}:${number}"}}` }
  }
}
