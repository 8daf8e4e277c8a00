import { type Clock, systemClock } from '../../base/index.ts'
import { checkArguments } from '../arguments.ts'
import type { ModelClient, ModelEvent, ModelRequest } from './model-client.ts'
import { decodeResponseEvent } from './response-events.ts'
import { responseEvents, type ScriptedResponse } from './script.ts'

/**
 * A model that answers from a script, one response a request, with no network: for the quick start
 * and for tests. Its events go through the decoder of the real wire. Faults need a wire and are
 * left to the scripted server. After the last response it fails the turn, and says so.
 */
export class ScriptedModel implements ModelClient {
  readonly #script: readonly ScriptedResponse[]
  readonly #clock: Clock
  /** What it was asked, in order. */
  readonly requests: ModelRequest[] = []

  constructor(script: readonly ScriptedResponse[], clock: Clock = systemClock) {
    checkArguments('ScriptedModel', script)
    this.#script = script
    this.#clock = clock
  }

  async *stream(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelEvent> {
    const response = this.#script[this.requests.length]
    if (!response) throw new Error(`the model's script has only ${this.#script.length} responses`)
    this.requests.push(request)
    yield { type: 'started', rateLimits: null }
    for (const data of responseEvents(response, `resp_${this.requests.length}`)) {
      if (response.delayMs) await this.#clock.sleep(response.delayMs, signal)
      signal.throwIfAborted()
      const event = decodeResponseEvent(data)
      if (event) yield event
    }
  }
}
