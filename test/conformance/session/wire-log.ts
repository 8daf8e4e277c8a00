/** What a client of a thread hears, in the spelling of the app server. */
import type { JsonObject } from '../../../src/base/index.ts'

/** A notification, or a request of the server to the client. */
export interface WireMessage {
  readonly method: string
  readonly params: JsonObject
}

/** What a client was answered; `result` is missing where it was refused, or not yet answered. */
export interface WireAnswer {
  readonly method: string
  result?: JsonObject
}

const LIMIT_MS = 20_000

interface Waiter {
  readonly isMatch: (message: WireMessage) => boolean
  readonly resolve: (message: WireMessage) => void
}

/** Everything that was heard, and promises of what is to come. */
export class WireLog {
  readonly messages: WireMessage[] = []
  /** In the order of the requests. */
  readonly answers: WireAnswer[] = []
  readonly #waiters = new Set<Waiter>()
  readonly #limitMs: number

  /** What is waited for has to come within `limitMs`. */
  constructor(limitMs = LIMIT_MS) {
    this.#limitMs = limitMs
  }

  add(message: WireMessage): void {
    this.messages.push(message)
    for (const waiter of this.#waiters) {
      if (!waiter.isMatch(message)) continue
      this.#waiters.delete(waiter)
      waiter.resolve(message)
    }
  }

  /** The `count`th message, past or to come, for which the predicate holds (1 is the first). */
  heard(isMatch: Waiter['isMatch'], what: string, count = 1): Promise<WireMessage> {
    let left = count
    const counts = (message: WireMessage) => {
      if (isMatch(message)) left -= 1
      return left === 0
    }
    const past = this.messages.find(counts)
    if (past) return Promise.resolve(past)
    const told = new Promise<WireMessage>((resolve) => {
      this.#waiters.add({ isMatch: counts, resolve })
    })
    const failure = () => `no ${what}; heard: ${this.messages.map(shortly).join(', ')}`
    return inTime(told, failure, this.#limitMs)
  }
}

function shortly({ method, params }: WireMessage): string {
  const item = params.item as JsonObject | undefined
  return item ? `${method} ${item.type}` : method
}

/** Rejects after a while with what `failure` then says. */
export async function inTime<T>(
  waiting: Promise<T>,
  failure: () => string,
  limitMs = LIMIT_MS,
): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error(failure())), limitMs)
  try {
    return await Promise.race([waiting, late.promise])
  } finally {
    clearTimeout(timer)
  }
}
