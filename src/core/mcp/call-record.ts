import { errorText, type Json, type JsonObject } from '../../base/index.ts'
import { mcpToolCallItem } from '../../history/index.ts'
import { durationOf, type OtherEvent } from '../../protocol/index.ts'
import type { ToolContext } from '../tools/tool.ts'

/** A call as it is told and kept: of a server's tool, or of one of our own about its resources. */
export interface Invocation {
  readonly callId: string
  readonly server: string
  readonly tool: string
  readonly arguments: Json
}

export type Outcome =
  | { readonly result: JsonObject; readonly durationMs: number }
  | { readonly failure: string; readonly durationMs: number }

/**
 * Tells the start of a call, runs it, and keeps and tells its end, also when the turn ends first.
 * Throws what `work` throws.
 */
export async function recorded(
  invocation: Invocation,
  context: ToolContext,
  work: () => Promise<Outcome>,
): Promise<Outcome> {
  const { recorder, signal, turnId } = context
  const started = mcpToolCallItem(endEvent(invocation, { failure: '', durationMs: 0 }))
  const item = { ...started, status: 'inProgress', error: null, durationMs: null } as const
  recorder.tell({ type: 'itemStarted', turnId, item })
  try {
    const outcome = await work()
    await complete(invocation, context, outcome)
    return outcome
  } catch (error) {
    if (signal.aborted) {
      await complete(invocation, context, { failure: errorText(error), durationMs: 0 })
    }
    throw error
  }
}

async function complete(
  invocation: Invocation,
  { recorder, turnId }: ToolContext,
  outcome: Outcome,
): Promise<void> {
  const payload = endEvent(invocation, outcome)
  await recorder.complete(turnId, mcpToolCallItem(payload), [{ type: 'event_msg', payload }])
}

function endEvent(invocation: Invocation, outcome: Outcome): OtherEvent {
  const { callId, server, tool, arguments: args } = invocation
  return {
    type: 'mcp_tool_call_end',
    call_id: callId,
    invocation: { server, tool, arguments: args },
    duration: { ...durationOf(outcome.durationMs) },
    result: 'failure' in outcome ? { Err: outcome.failure } : { Ok: outcome.result },
  }
}
