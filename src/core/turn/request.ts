import type { JsonObject } from '../../base/index.ts'
import { toModelInput } from '../../history/index.ts'
import type { ModelRequest } from '../model/model-client.ts'
import { infoOf, type TurnRun } from './turn-run.ts'

/** The request for the history as it stands now. */
export function buildRequest(run: TurnRun): ModelRequest {
  const { settings, threadId, turn } = run
  const info = infoOf(run)
  const effort = settings.effort ?? info.defaultEffort
  const verbosity = settings.verbosity ?? info.defaultVerbosity
  const summary = settings.reasoningSummary
  return {
    model: settings.model,
    instructions: run.instructions,
    input: toModelInput(run.session.items),
    tools: run.services.tools.specs((tool) => tool.kind === 'function' || info.hasPatchTool),
    parallelToolCalls: info.hasParallelToolCalls,
    reasoning: effort ? { effort, ...(summary && summary !== 'none' ? { summary } : {}) } : null,
    ...(verbosity ? { verbosity } : {}),
    ...(run.outputSchema ? { outputSchema: run.outputSchema } : {}),
    threadId,
    sessionId: threadId,
    windowNumber: run.session.windowNumber,
    turnMetadata: turnMetadata(run),
    ...(turn.serverState ? { turnState: turn.serverState } : {}),
  }
}

/** Source: `reference/session-runtime.md` C3. */
function turnMetadata(run: TurnRun): JsonObject {
  const { threadId, turnId, origin, services, settings, turn } = run
  const workspaces = services.surroundings.workspaces()
  return {
    session_id: threadId,
    thread_id: threadId,
    ...(origin.threadSource ? { thread_source: origin.threadSource } : {}),
    turn_id: turnId,
    ...(workspaces ? { workspaces } : {}),
    sandbox: services.surroundings.sandboxName(settings.sandboxPolicy),
    turn_started_at_unix_ms: turn.startedAtUnixMs,
  }
}
