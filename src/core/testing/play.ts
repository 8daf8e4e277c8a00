import type { JsonObject } from '../../base/index.ts'
import { responseEvents, type ScriptedResponse } from '../model/script.ts'

/** One step of a script on its way out, over whichever transport. */
export interface Playing {
  readonly step: ScriptedResponse
  readonly responseId: string
  /** The step's own delay; rejects when the server stops. */
  readonly pause: () => Promise<void>
}

/** A fault that ends the response takes the place of `response.completed`. */
export function stepEvents({ step, responseId: id }: Playing): JsonObject[] {
  const events = responseEvents(step, id)
  const { fault } = step
  if (fault?.kind === 'failed') {
    const response = { id, status: 'failed', error: fault.error }
    return events.with(-1, { type: 'response.failed', response })
  }
  if (fault?.kind === 'incomplete') {
    const response = { id, status: 'incomplete', incomplete_details: { reason: fault.reason } }
    return events.with(-1, { type: 'response.incomplete', response })
  }
  if (fault?.kind === 'errorFrame') return [fault.frame]
  return events
}

/** How many of the events a fault lets through. */
export function stopAt({ fault }: ScriptedResponse, events: readonly JsonObject[]): number {
  return fault && 'afterEvents' in fault ? fault.afterEvents : events.length
}

export function isDelta(event: JsonObject | undefined): boolean {
  return event?.type === 'response.output_text.delta'
}

/** An event of about so many bytes. */
export function oversizedEvent(sizeBytes: number): string {
  return JSON.stringify({ type: 'response.output_text.delta', delta: 'x'.repeat(sizeBytes) })
}
