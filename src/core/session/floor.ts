import { SessionError } from '../errors.ts'
import type { ActiveTurn } from './active-turn.ts'

/** More than this waits for nothing good. */
const WAITING_LIMIT = 64

/** Who may change a session's history: one turn, or one other change, at a time. */
export class Floor {
  #turn: ActiveTurn | undefined
  #change: Promise<void> | undefined
  #waiting: (() => void)[] = []

  get turn(): ActiveTurn | undefined {
    return this.#turn
  }

  get isTaken(): boolean {
    return this.#turn !== undefined || this.#change !== undefined
  }

  /** Resolves when whatever has the floor now has ended; never rejects. */
  get ended(): Promise<void> {
    const change = this.#change?.catch(() => undefined)
    return change ?? this.#turn?.ended ?? Promise.resolve()
  }

  /** A change that is no turn is under way; such changes are short. */
  get isChanging(): boolean {
    return this.#change !== undefined
  }

  /** Resolves when no change that is no turn is under way. */
  async settled(): Promise<void> {
    while (this.#change && !this.#turn) await this.left()
  }

  take(turn: ActiveTurn): void {
    this.#turn = turn
  }

  leave(): void {
    this.#turn = undefined
    this.#next()
  }

  /** Has the floor for a change that is no turn. Whoever calls it knows that it is free. */
  async alone(work: () => Promise<void>): Promise<void> {
    this.#change = work()
    try {
      await this.#change
    } finally {
      this.#change = undefined
      this.#next()
    }
  }

  /**
   * Resolves when whoever has the floor now has left it, behind those who wait already or before
   * them. Throws `queue_full`.
   */
  async left(place: 'first' | 'last' = 'last'): Promise<void> {
    if (this.#waiting.length >= WAITING_LIMIT) {
      const reason = `${WAITING_LIMIT} submissions wait for the running turn already`
      throw new SessionError('queue_full', `${reason}; wait for its end or interrupt it`)
    }
    const left = Promise.withResolvers<void>()
    if (place === 'first') this.#waiting.unshift(left.resolve)
    else this.#waiting.push(left.resolve)
    await left.promise
  }

  /** In the order in which they came: the first finds the floor free, the others who is on it. */
  #next(): void {
    for (const begin of this.#waiting.splice(0)) begin()
  }
}
