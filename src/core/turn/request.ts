import type { JsonObject } from '../../base/index.ts'
import { toModelInput } from '../../history/index.ts'
import { modelInfo } from '../model/model-catalog.ts'
import type { ModelRequest } from '../model/model-client.ts'
import type { SessionSettings } from '../settings.ts'
import type { TurnRun } from './turn-run.ts'
import type { ClientMetadata } from './turn-state.ts'

/** What of a session goes into its requests, whatever the turn. */
export type RequestParts = Pick<
  TurnRun,
  | 'threadId'
  | 'sessionId'
  | 'purpose'
  | 'settings'
  | 'origin'
  | 'instructions'
  | 'services'
  | 'session'
>

/** The request for the history as it stands now. */
export function buildRequest(run: TurnRun): ModelRequest {
  const { turn, turnId } = run
  const turnMetadata = mergeClientMetadata(
    { ...metadataOf(run, turnId), turn_started_at_unix_ms: turn.startedAtUnixMs },
    turn.clientMetadata,
  )
  return {
    ...requestOf(run),
    input: toModelInput(run.session.items),
    ...(run.outputSchema ? { outputSchema: run.outputSchema } : {}),
    turnMetadata,
    ...(turn.serverState ? { turnState: turn.serverState } : {}),
  }
}

/** What the first request of a session will look like, but for its input and its turn. */
export function prewarmRequest(parts: RequestParts): ModelRequest {
  return { ...requestOf(parts), input: [], turnMetadata: metadataOf(parts, '') }
}

function requestOf(parts: RequestParts): Omit<ModelRequest, 'input' | 'turnMetadata'> {
  const { settings, threadId, sessionId, purpose, services } = parts
  const info = modelInfo(settings.model, settings.contextWindow)
  const effort = settings.effort ?? info.defaultEffort
  const verbosity = settings.verbosity ?? info.defaultVerbosity
  const summary = settings.reasoningSummary
  return {
    model: settings.model,
    instructions: parts.instructions,
    tools: [
      ...services.tools.specs((tool) => tool.kind === 'function' || info.hasPatchTool),
      ...(purpose === undefined ? webSearch(settings, info.hasPatchTool) : []),
    ],
    parallelToolCalls: info.hasParallelToolCalls,
    reasoning: effort ? { effort, ...(summary && summary !== 'none' ? { summary } : {}) } : null,
    ...(verbosity ? { verbosity } : {}),
    threadId,
    sessionId,
    ...(purpose === undefined ? {} : { subagent: purpose }),
    windowNumber: parts.session.windowNumber,
  }
}

/**
 * The provider's own tool; what it did comes back as `web_search_call` items. With full access the
 * web is as open as the machine. Source: observed in 0.133.0.
 */
function webSearch(
  { webSearch: mode, sandboxPolicy }: SessionSettings,
  isKnownModel: boolean,
): JsonObject[] {
  if (mode === undefined || mode === 'disabled') return []
  const external_web_access = mode === 'live' || sandboxPolicy.type === 'danger-full-access'
  const types = isKnownModel ? { search_content_types: ['text', 'image'] } : {}
  return [{ type: 'web_search', external_web_access, ...types }]
}

/** Source: `reference/session-runtime.md` C3. */
function metadataOf(parts: RequestParts, turnId: string): JsonObject {
  const { threadId, sessionId, origin, settings } = parts
  const { surroundings } = parts.services
  const workspaces = surroundings.workspaces()
  return {
    session_id: sessionId,
    thread_id: threadId,
    ...(origin.threadSource ? { thread_source: origin.threadSource } : {}),
    turn_id: turnId,
    ...(workspaces ? { workspaces } : {}),
    sandbox: surroundings.sandboxName(settings.sandboxPolicy),
  }
}

/** A client's own entries; never the start of the turn, be it told or not. */
const RESERVED = 'turn_started_at_unix_ms'

/** Adds what the client wants to be told. What is there already stays as it is. */
export function mergeClientMetadata(builtIn: JsonObject, client: ClientMetadata): JsonObject {
  const own = Object.entries(client).filter(
    ([name]) => name !== RESERVED && !Object.hasOwn(builtIn, name),
  )
  return { ...builtIn, ...Object.fromEntries(own) }
}
