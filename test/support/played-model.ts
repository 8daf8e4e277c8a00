import type { JsonObject } from '../../src/base/index.ts'
import {
  type ModelClient,
  type ModelEvent,
  type ModelRequest,
  responseEvents,
  type ScriptedResponse,
} from '../../src/core/index.ts'
import { decodeResponseEvent } from '../../src/core/model/response-events.ts'

/** A response as data, or as code that may wait, break and look at the request. */
export type Step =
  | ScriptedResponse
  | ((request: ModelRequest, signal: AbortSignal) => AsyncIterable<ModelEvent>)

/** A model that plays one step a request, and fails any further request. */
export class PlayedModel implements ModelClient {
  readonly requests: ModelRequest[] = []
  readonly #steps: Step[]

  constructor(steps: readonly Step[]) {
    this.#steps = [...steps]
  }

  add(...steps: readonly Step[]): void {
    this.#steps.push(...steps)
  }

  /** Forgets what was not played. */
  replace(...steps: readonly Step[]): void {
    this.#steps.splice(0, this.#steps.length, ...steps)
  }

  async *stream(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelEvent> {
    signal.throwIfAborted()
    // What was sent, as it was: the session's list grows.
    this.requests.push(structuredClone(request))
    const step = this.#steps.shift()
    if (!step) throw new Error('the script has ended')
    if (typeof step === 'function') yield* step(request, signal)
    else {
      yield started()
      yield* eventsOf(responseEvents(step, `resp_${this.requests.length}`))
    }
  }
}

export function started(): ModelEvent {
  return { type: 'started', rateLimits: null }
}

/** The events of such items, without the end of the response. */
export function* itemEvents(...items: readonly JsonObject[]): Generator<ModelEvent> {
  yield* eventsOf(responseEvents({ items }, 'resp').slice(0, -1))
}

export function completed(): ModelEvent {
  return { type: 'completed', usage: null, endTurn: true }
}

function* eventsOf(data: readonly JsonObject[]): Generator<ModelEvent> {
  for (const each of data) {
    const event = decodeResponseEvent(each)
    if (event) yield event
  }
}

/** Waits for nothing but the abort. */
export function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

/** Says these items and then hangs until it is aborted. */
export function hangsAfter(...items: readonly JsonObject[]): Step {
  return async function* (_request, signal) {
    yield started()
    yield* itemEvents(...items)
    await untilAborted(signal)
  }
}

/** Says these items and then breaks. */
export function breaksAfter(items: readonly JsonObject[], error: Error): Step {
  return async function* () {
    yield started()
    yield* itemEvents(...items)
    throw error
  }
}
