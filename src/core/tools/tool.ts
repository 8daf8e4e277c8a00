import type { JsonObject } from '../../base/index.ts'
import type { ToolOutput } from '../../protocol/index.ts'
import type { EventRecorder } from '../session/event-recorder.ts'
import type { SessionSettings } from '../settings.ts'

/** A call as the model made it. `input` is JSON text for a function, else free text. */
export interface ToolCall {
  readonly callId: string
  readonly name: string
  readonly kind: 'function' | 'custom'
  readonly input: string
}

export interface ToolContext {
  readonly turnId: string
  readonly settings: SessionSettings
  readonly recorder: EventRecorder
  /** Aborted when the turn ends before the call does. */
  readonly signal: AbortSignal
}

/** Something the model can do. One tool a file. */
export interface Tool {
  readonly name: string
  readonly kind: 'function' | 'custom'
  /** As the Responses API takes it. */
  readonly spec: JsonObject
  /** Whether the call may run beside others. */
  isParallel(call: ToolCall): boolean
  /**
   * The text that the model reads. A failure is such a text too; what is thrown ends up as one,
   * except the signal's own reason.
   */
  run(call: ToolCall, context: ToolContext): Promise<ToolOutput>
}
